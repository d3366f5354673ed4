import {
  type AdmissionAnswer,
  type AdmissionInput,
  type AdmissionRequest,
  type AdmissionState,
  EMPTY_ADMISSION,
  type QueueReply,
} from '../../../src/core/admission.ts'
import { admit } from '../../../src/core/admission/admit.ts'
import { command } from '../../../src/core/admission/command.ts'
import type { QueueOrder } from '../../../src/core/run/queue-order.ts'

export const START = Date.parse('2026-03-01T08:00:00Z')
export const iso = (ms: number): string => new Date(ms).toISOString()

/** Admission, asked by hand; its clock moves only when told. */
export class Door {
  state: AdmissionState
  nowMs = START
  readonly answers: AdmissionAnswer[] = []
  wakeAt: string | undefined

  constructor(state: AdmissionState = EMPTY_ADMISSION) {
    this.state = state
  }

  tell(input: AdmissionInput): this {
    const admitted = admit(this.state, input, iso(this.nowMs))
    this.state = admitted.state
    this.wakeAt = admitted.wakeAt
    this.answers.push(...admitted.answers)
    return this
  }

  /** `sop#n` asks for a slot. */
  ask(runId: string, request: Partial<AdmissionRequest> = {}): this {
    return this.tell({
      kind: 'request',
      request: {
        runId,
        sop: runId.split('#')[0] ?? runId,
        phase: 'slot',
        triggeredAt: iso(this.nowMs),
        priority: 3,
        cooldownMs: 0,
        admission: 'queue',
        form: 2,
        turn: 1,
        ...request,
      },
    })
  }

  release(runId: string): this {
    return this.tell({ kind: 'release', runId })
  }

  order(runId: string, order: QueueOrder): QueueReply {
    const done = command(this.state, { runId, ...order }, iso(this.nowMs))
    this.state = done.state
    this.answers.push(...done.answers)
    return done.reply
  }

  wait(ms: number): this {
    this.nowMs += ms
    return this.tell({ kind: 'wake' })
  }

  /** What the run was told last. */
  said(runId: string): string | undefined {
    const verdict = this.answers.findLast((answer) => answer.runId === runId)?.verdict
    if (verdict === undefined) return undefined
    return verdict.kind === 'admitted' ? 'admitted' : `${verdict.kind}: ${verdict.reason}`
  }

  get inside(): readonly string[] {
    return this.state.holders.map(({ runId }) => runId)
  }
}

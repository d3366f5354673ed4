// admission.ts — the one place where slots and cooldowns are kept (engine.md 2). Runs ask by update and have their answer, or
// by signal and are answered by signal, as those are that wait; people speak to it by update. Invariants: handlers come before the first await; the state changes only in settle(); nothing is under
// way at continue-as-new. Its commands follow from its signals alone, so an execution that older builds began replays.

import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import {
  type AdmissionAnswer,
  type AdmissionInput,
  type AdmissionRequest,
  type AdmissionState,
  type Admitted,
  EMPTY_ADMISSION,
  type QueueCommand,
  type QueueReply,
} from '../core/admission.ts'
import { admit } from '../core/admission/admit.ts'
import { command } from '../core/admission/command.ts'
import { isQueueCommand, isRequest } from '../core/admission/read.ts'
import { bookkeepingOptions } from './activity-options.ts'
import {
  ADMISSION_ASK,
  ADMISSION_COMMAND,
  ADMISSION_QUEUE,
  ADMISSION_RELEASE,
  ADMISSION_REQUEST,
  ADMISSION_VERDICT,
  ADMISSION_YIELD,
} from './messages.ts'
import { observe } from './observed.ts'

/** Events of history after which it hands over to its next execution. */
const LONG_HISTORY = 3_000
/** How often it asks whether holders are still there: a terminated run releases nothing. */
const RECONCILE_MS = 60_000

const requestSignal = defineSignal<[AdmissionRequest]>(ADMISSION_REQUEST)
const releaseSignal = defineSignal<[{ readonly runId: string }]>(ADMISSION_RELEASE)
const yieldSignal = defineSignal<[{ readonly runId: string; readonly turn: number }]>(ADMISSION_YIELD)
const verdictSignal = defineSignal<[AdmissionAnswer]>(ADMISSION_VERDICT)
const askUpdate = defineUpdate<AdmissionAnswer | null, [AdmissionRequest]>(ADMISSION_ASK)
const commandUpdate = defineUpdate<QueueReply, [QueueCommand]>(ADMISSION_COMMAND)
const queueQuery = defineQuery<AdmissionState>(ADMISSION_QUEUE)

/** Keeps slots, locks and cooldowns for all runs of a namespace. Never ends by itself. */
export async function sopAdmission(carried: AdmissionState = EMPTY_ADMISSION): Promise<void> {
  let state = carried
  let inputs: readonly AdmissionInput[] = []
  let answering = 0
  let asked = 0
  let wakeAt: string | undefined
  const answer = async ({ runId, ...verdict }: AdmissionAnswer): Promise<void> => {
    answering += 1
    try {
      await getExternalWorkflowHandle(runId).signal(verdictSignal, { runId, ...verdict })
    } catch {
      // The run is gone: what it held is free again.
      inputs = [...inputs, { kind: 'release', runId }]
    } finally {
      answering -= 1
    }
  }
  const settle = (admitted: Admitted): void => {
    state = admitted.state
    wakeAt = admitted.wakeAt
    for (const each of admitted.answers) void answer(each)
  }
  const take = (input: AdmissionInput): void => settle(admit(state, input, now()))
  const takeAll = (): void => {
    const batch = inputs
    inputs = []
    for (const input of batch) take(input)
  }
  const isLong = (): boolean => workflowInfo().historyLength > LONG_HISTORY || workflowInfo().continueAsNewSuggested

  take({ kind: 'wake' })
  // Not earlier: a message that is there already is handed over at once, to what stands above.
  setHandler(requestSignal, (request) => {
    if (isRequest(request)) inputs = [...inputs, { kind: 'request', request }]
  })
  setHandler(releaseSignal, (argument) => {
    if (typeof argument?.runId === 'string') inputs = [...inputs, { kind: 'release', runId: argument.runId }]
  })
  setHandler(yieldSignal, (argument) => {
    if (typeof argument?.runId !== 'string' || typeof argument.turn !== 'number') return
    inputs = [...inputs, { kind: 'yield', runId: argument.runId, turn: argument.turn }]
  })
  setHandler(askUpdate, (request) => {
    if (!isRequest(request)) return null
    asked += 1
    takeAll()
    const admitted = admit(state, { kind: 'request', request }, now())
    const own = admitted.answers.find(({ runId }) => runId === request.runId)
    settle({ ...admitted, answers: admitted.answers.filter((each) => each !== own) })
    return own ?? null
  })
  setHandler(commandUpdate, (order) => {
    if (!isQueueCommand(order)) return { accepted: false, runId: '', code: 'invalid', reason: NO_COMMAND }
    // What came before it comes first: it may be about a run that asked a moment ago.
    takeAll()
    const done = command(state, order, now())
    settle(done)
    return done.reply
  })
  setHandler(queueQuery, () => state)
  observe(() => ({ of: 'admission', state }))

  for (;;) {
    const planned = wakeAt
    // A request by update is settled when it comes; what is left to do is to wake at another time, or to hand over.
    const isMoved = (): boolean => asked > 0 && (wakeAt !== planned || isLong())
    const woken = await condition(() => inputs.length > 0 || isMoved(), pauseMs(planned))
    if (woken) takeAll()
    else for (const input of [WAKE, ...(await goneHolders(state))]) take(input)
    if (!isLong() || inputs.length > 0) continue
    await condition(() => answering === 0)
    if (inputs.length === 0) return continueAsNew<typeof sopAdmission>(state)
  }
}

const WAKE: AdmissionInput = { kind: 'wake' }
const NO_COMMAND = 'expected runId and action: move, drop or admit, and for a move its place'

const now = (): string => new Date(Date.now()).toISOString()

// One execution serves runs of every build, and never ends: it moves along with whatever build is the current one.
// A worker without a deployment must not say so: the server refuses its task, and no run would ever get a slot.
setWorkflowOptions(() => (isVersioned() ? { versioningBehavior: 'AUTO_UPGRADE' } : {}), sopAdmission)

const isVersioned = (): boolean => (workflowInfo().currentDeploymentVersion?.deploymentName ?? '') !== ''

const pauseMs = (wakeAt: string | undefined): number =>
  wakeAt === undefined ? RECONCILE_MS : Math.min(RECONCILE_MS, Math.max(1, Date.parse(wakeAt) - Date.now()))

const goneHolders = async ({ holders, waiting }: AdmissionState): Promise<readonly AdmissionInput[]> => {
  const runIds = [...holders, ...waiting].map(({ runId }) => runId)
  if (runIds.length === 0) return []
  const { findGone } = proxyActivities<Activities>(bookkeepingOptions('Look whether the runs are still there'))
  return (await findGone({ runIds })).map((runId) => ({ kind: 'release', runId }))
}

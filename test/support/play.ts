import type { SopDefinition } from '../../src/core/definition.ts'
import type { Decision, DecisionReply } from '../../src/core/run/decision.ts'
import type { Effect, Timer, Work } from '../../src/core/run/effect.ts'
import type { EventType, RunEvent } from '../../src/core/run/event.ts'
import { newRun } from '../../src/core/run/evolve.ts'
import type { RunInput } from '../../src/core/run/input.ts'
import { RULES_VERSION, type Run, type RunPolicy, type RunSeed } from '../../src/core/run/run.ts'
import type { CommandResult } from '../../src/core/run/task.ts'
import { transition } from '../../src/core/run/transition.ts'
import { runState } from '../../src/core/run/view.ts'

const POLICY: RunPolicy = {
  defaultMode: 'supervised',
  priorityBasedStrict: false,
  stepTimeoutMs: 3_600_000,
  timezone: 'UTC',
  allowImpliedGate: true,
  agentsMayApprove: false,
  maxStepVisits: 5,
  facts: [],
  env: [],
}

export const seedOf = (
  definition: SopDefinition,
  seed: Partial<RunSeed> = {},
  policy: Partial<RunPolicy> = {},
): RunSeed => ({
  runId: 'sop_run_test',
  rulesVersion: RULES_VERSION,
  pinned: { definition, digest: 'digest', warrants: {}, authority: '', policy: { ...POLICY, ...policy } },
  params: {},
  trigger: { type: 'manual' },
  startedBy: { id: 'alice', kind: 'user' },
  via: 'cli',
  ...seed,
})

export const ok = (result: Partial<CommandResult> = {}): CommandResult => ({
  outcome: 'ok',
  exitCode: 0,
  durationMs: 1000,
  output: '',
  outputs: {},
  logBytes: 0,
  ackedSeq: 0,
  ...result,
})
export const failed = (result: Partial<CommandResult> = {}): CommandResult =>
  ok({ outcome: 'failed', exitCode: 1, error: 'exit code 1', ...result })

/** Plays a run by hand: every input is told, every effect is kept, and a clock moves only when asked. */
export class Play {
  run: Run
  readonly seed: RunSeed
  readonly events: RunEvent[] = []
  readonly works = new Map<string, Work>()
  readonly timers = new Map<string, Timer>()
  readonly cancelled: string[] = []
  closedAs: string | undefined
  nowMs = Date.parse('2026-03-01T08:00:00Z')

  constructor(definition: SopDefinition, seed: Partial<RunSeed> = {}, policy: Partial<RunPolicy> = {}) {
    this.seed = seedOf(definition, seed, policy)
    this.run = newRun(this.seed)
  }

  tell(input: RunInput): DecisionReply | undefined {
    const { run, events, effects, reply } = transition(this.run, input, new Date(this.nowMs).toISOString())
    this.run = run
    this.events.push(...events)
    for (const effect of effects) this.carryOut(effect)
    return reply
  }

  start(): this {
    this.tell({ kind: 'create' })
    return this
  }

  decide(kind: Decision['kind'], decision: Omit<Decision, 'kind'> = {}): DecisionReply {
    const reply = this.tell({
      kind: 'decision',
      decision: { principal: { id: 'bob', kind: 'user' }, via: 'cli', ...decision, kind },
    })
    if (reply === undefined) throw new Error('a decision without answer')
    return reply
  }

  /** Ends the work of that id, or the only one. */
  ends(result: CommandResult | { outcome: 'lost'; error: string }, id = [...this.works.keys()][0] ?? ''): this {
    this.works.delete(id)
    this.tell({ kind: 'command_result', workId: id, result })
    return this
  }

  /** What the engine finds out about a command that is to run in a pool. */
  poolNews(workId: string, isWaiting: boolean, pool = 'dba'): this {
    this.tell({ kind: 'pool_news', workId, pool, isWaiting, since: new Date(this.nowMs).toISOString() })
    return this
  }

  facts(values: Record<string, boolean | string | number>, errors?: Record<string, string>): this {
    const [id] = [...this.works.values()].filter((work) => work.kind === 'facts').map((work) => work.id)
    if (id === undefined) throw new Error('no facts are asked for')
    this.works.delete(id)
    this.tell({ kind: 'facts_result', workId: id, result: { values, ...(errors && { errors }) } })
    return this
  }

  /** Moves the clock, firing timers on the way in their order. */
  wait(ms: number): this {
    const end = this.nowMs + ms
    for (;;) {
      const next = [...this.timers.values()].sort((a, b) => a.at.localeCompare(b.at))[0]
      if (next === undefined || Date.parse(next.at) > end) break
      this.nowMs = Math.max(this.nowMs, Date.parse(next.at))
      this.timers.delete(next.id)
      this.tell({ kind: 'timer', timerId: next.id })
    }
    this.nowMs = end
    return this
  }

  get state(): string {
    return runState(this.run)
  }
  get types(): readonly EventType[] {
    return this.events.map((event) => event.eventType)
  }
  last<T extends EventType>(type: T): RunEvent<T> {
    const event = this.events.findLast((each) => each.eventType === type)
    if (event === undefined) throw new Error(`no event ${type} in ${this.types.join(', ')}`)
    return event as RunEvent<T>
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'start':
        if (this.works.has(effect.work.id)) throw new Error(`work ${effect.work.id} started twice`)
        this.works.set(effect.work.id, effect.work)
        break
      case 'cancel':
        this.cancelled.push(effect.workId)
        // A question is dropped; a command says itself when it is gone.
        if (/^(facts|admission):/.test(effect.workId)) this.works.delete(effect.workId)
        break
      case 'arm':
        this.timers.set(effect.timer.id, effect.timer)
        break
      case 'disarm':
        this.timers.delete(effect.timerId)
        break
      case 'close':
        this.closedAs = effect.state
        break
    }
  }
}

import { CancellationScope, condition, isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import { needsAdmission } from '../core/run/admission.ts'
import { type CommandWork, isCommandWork } from '../core/run/command-task.ts'
import type { Decision, DecisionReply } from '../core/run/decision.ts'
import type { Effect, Work } from '../core/run/effect.ts'
import { isChildWork } from '../core/run/child.ts'
import { readAdmissionAnswer } from '../core/run/admission-answer.ts'
import { childCancel } from '../core/run/child-end.ts'
import { newRun } from '../core/run/evolve.ts'
import { isWide } from '../core/run/graph.ts'
import type { RunInput } from '../core/run/input.ts'
import type { Run, RunSeed } from '../core/run/run.ts'
import { effectsOf, type Transition, transition } from '../core/run/transition.ts'
import { recordLimitOf } from '../core/run/record-hold.ts'
import { type RunView, viewOf } from '../core/run/view.ts'
import { runningWorks } from '../core/run/works.ts'
import { askAdmission, askFacts, poolOf, record, releaseAdmission, runCommand, yieldSlot } from './carry-out.ts'
import { Children, tellParent } from './child.ts'
import { detailsOf } from './details.ts'
import { HandOver } from './hand-over.ts'
import { Mailbox } from './mailbox.ts'
import type { AuditTail, Snapshot } from './messages.ts'
import { watchPool } from './pool.ts'
import type { Observed } from './observed.ts'
import { Recorder, type Ride } from './recorder.ts'
import { Timers } from './timers.ts'
import { Visibility } from './visibility.ts'

/** Runs that began before the setting was there wait this long until they look for a worker of a pool. */
const POOL_NOTICE_MS = 10_000

/**
 * Holds one run and carries out what its rules ask for. `transition` decides; this class starts and stops activities
 * and timers, and sees to it that the record has every event.
 */
export class Interpreter {
  private readonly runId: string
  private run: Run | undefined
  private executions = 1
  private readonly works = new Map<string, CancellationScope>()
  /**
   * Everything that the run starts hangs here, not on the scope of whoever asked: a cancel from Temporal reaches the run
   * as a decision, and a closed run must still be able to write its record.
   */
  private readonly host = new CancellationScope({ cancellable: false })
  private readonly timers = new Timers(this.host, (timerId) => void this.apply({ kind: 'timer', timerId }))
  /** Works that take no events along. */
  private readonly inPools = new Set<string>()
  private lastRefusal: string | undefined
  readonly mail: Mailbox
  private readonly visibility = new Visibility()
  private readonly children = new Children(this.host)
  private readonly handOver = new HandOver(this.host)
  private readonly recorder = new Recorder({
    host: this.host,
    isWide: () => this.isWide(),
    isSettled: () => this.isSettled(),
    isCarrying: () => this.isCarrying(),
    isHandingOver: () => this.isHandingOver(),
    write: (events, patiently) => record(this.created(), events, patiently),
    isPatient: () => this.run !== undefined && this.run.seed.rulesVersion >= 5,
    tell: (news) => void this.apply({ kind: 'record_news', ...news }),
    ageLimitMs: () => recordLimitOf(this.created()).ageMs,
  })

  constructor(runId: string) {
    this.runId = runId
    this.mail = new Mailbox({ runId, run: () => this.run, apply: (input) => this.apply(input) })
  }

  create(seed: RunSeed): void {
    this.run = newRun(seed)
    this.apply({ kind: 'create' })
    this.mail.takeTooEarly()
  }

  goOn({ run, tail, inbox, executions, children }: Snapshot): void {
    this.run = run
    this.recorder.tail = tail
    this.children.goOn(children)
    this.mail.inbox = inbox
    this.executions = executions + 1
    this.perform(effectsOf(run, now()))
    // Nothing calls for a child any more that was told to end, but its end is waited for.
    for (const work of runningWorks(run)) {
      if (isChildWork(work) && !this.works.has(work.id) && this.children.isAdopted(work.id)) this.start(work)
    }
    this.show()
    this.mail.takeWaiting()
  }

  /** Carries on a run that was closed; a retry that its rules refuse leaves it as it was. */
  reopen({ run, decision }: { readonly run: Run; readonly decision: Decision }): void {
    this.run = run
    this.mail.remember(decision.decisionId, this.apply({ kind: 'reopen', decision }))
    this.mail.takeWaiting()
  }

  snapshot(): Snapshot {
    const children = this.children.snapshot()
    return {
      run: this.created(),
      tail: this.recorder.tail,
      inbox: this.mail.inbox,
      executions: this.executions,
      ...(Object.keys(children).length > 0 && { children }),
    }
  }

  /** What a replay compares: nothing before the run is created. */
  observed(): Observed | undefined {
    const { run, mail, recorder } = this
    return run === undefined ? undefined : { of: 'run', run, tail: recorder.tail, inbox: mail.inbox }
  }

  status(): RunView | { readonly runId: string; readonly status: 'pending' } {
    return this.run === undefined || this.run.sequence === 0
      ? { runId: this.runId, status: 'pending' }
      : viewOf(this.run)
  }

  auditTail(): AuditTail {
    const sequence = this.run?.sequence ?? 0
    const events = this.recorder.tail
    return { runId: this.runId, sequence, acknowledged: (events[0]?.sequence ?? sequence + 1) - 1, events }
  }

  /** Admission's answer by signal. */
  receiveVerdict(answer: unknown): void {
    const input = readAdmissionAnswer(answer)
    if (this.run !== undefined && input !== undefined) this.apply(input)
  }

  /** An SOP that runs as a step of this run is over. */
  receiveChildEnd(message: unknown): void {
    const late = this.children.receive(message)
    if (late !== undefined && this.run !== undefined && this.run.seed.rulesVersion >= 8) this.apply(late)
  }

  /** `temporal workflow cancel`, or the Cancel button. */
  cancelFromTemporal(): void {
    if (this.run?.outcome !== undefined || this.run?.ending !== undefined) return
    this.mail.receive('cancel', { reason: 'cancelled in Temporal' }, 'signal')
  }

  /** Resolves when the run is closed and on record, or when its history is long and nothing is under way. */
  async untilClosedOrLong(): Promise<'closed' | 'long'> {
    await condition(() => this.isSettled() || this.mayHandOver())
    if (!this.isSettled()) return 'long'
    await condition(() => this.works.size === 0 && !this.recorder.isFlushing)
    await this.recorder.flushAll()
    const run = this.created()
    if (needsAdmission(run.seed)) await releaseAdmission(run)
    if (run.seed.rulesVersion >= 3) this.visibility.show(viewOf(run))
    await tellParent(run)
    return 'closed'
  }

  closedRun(): Run & { readonly outcome: NonNullable<Run['outcome']> } {
    const run = this.created()
    if (run.outcome === undefined) throw new RangeError(`Cannot close run "${this.runId}": it is not over`)
    return { ...run, outcome: run.outcome }
  }

  private created(): Run {
    if (this.run === undefined) throw new RangeError(`Cannot read run "${this.runId}": it is not created`)
    return this.run
  }

  private isSettled(): boolean {
    return this.run?.outcome !== undefined
  }

  private mayHandOver(): boolean {
    const isDue = this.handOver.check(this.isWide(), this.hasNewBuild(), this.run?.seed.pinned.policy.longHistory)
    return isDue && this.isDrained() && !this.recorder.isFlushing
  }

  private isWide(): boolean {
    return this.run !== undefined && isWide(this.run.seed.pinned.definition)
  }

  /** SOPs that run as steps go on by themselves; everything else has to end before another execution takes over. */
  private isDrained(): boolean {
    return [...this.works.keys()].every((workId) => this.children.isDetached(workId))
  }

  /** Runs of older rules wrote on: messages that came quicker than the store writes kept the next execution waiting. */
  private isHandingOver(): boolean {
    return this.handOver.isOn && this.isDrained() && this.run !== undefined && this.run.seed.rulesVersion >= 9
  }

  private hasNewBuild(): boolean {
    const moves = this.run?.seed.pinned.policy.movesToNewBuild === true
    return moves && workflowInfo().targetWorkerDeploymentVersionChanged
  }

  /** The only place where the run changes (R1). */
  private apply(input: RunInput): DecisionReply | undefined {
    const { run, events, effects, reply } = decided(this.created(), input)
    this.run = run
    this.recorder.add(events)
    const refused = events.findLast((event) => event.eventType === 'decision_refused')
    if (refused !== undefined) this.lastRefusal = refused.details.reason
    this.perform(effects)
    if (events.length > 0) this.show()
    if (input.kind !== 'record_news' && events.length > 0 && this.recorder.isDown) this.recorder.news()
    return reply
  }

  private show(): void {
    const run = this.created()
    if (run.sequence === 0) return
    const view = viewOf(run)
    // In one task with the close the change costs nothing: the server writes the row once.
    if (run.outcome === undefined || run.seed.rulesVersion < 3) this.visibility.show(view)
    setCurrentDetails(detailsOf(view, this.lastRefusal))
  }

  private perform(effects: readonly Effect[]): void {
    let carried = false
    for (const effect of effects) {
      switch (effect.kind) {
        case 'cancel':
          this.works.get(effect.workId)?.cancel()
          break
        case 'disarm':
          this.timers.disarm(effect.timerId)
          break
        case 'arm':
          this.timers.arm(effect.timer)
          break
        case 'start':
          carried = this.start(effect.work) || carried
          break
        case 'close':
          this.stopEverything()
          break
      }
    }
    if (!carried && this.recorder.tail.length > 0 && !this.isSettled()) void this.recorder.flush()
  }

  /** What is asked besides commands has no meaning for a closed run. */
  private stopEverything(): void {
    this.timers.disarmAll()
    for (const scope of this.works.values()) scope.cancel()
  }

  private newScope(): CancellationScope {
    return new CancellationScope({ cancellable: true, parent: this.host })
  }

  /** @returns whether the pending events ride along with the work. */
  private start(work: Work): boolean {
    if (this.handOver.isOn) {
      void this.handOver.held(this.isWide(), () => this.startHeld())
      return false
    }
    const scope = this.newScope()
    this.works.set(work.id, scope)
    const takesEvents = isCommandWork(work) && poolOf(this.created(), work) === undefined
    const ride = takesEvents ? this.recorder.ride() : NO_RIDE
    void this.carryOut(scope, work, ride)
    return ride.isCarrier
  }

  /** Begins what was held back for a next execution that did not come. */
  private startHeld(): void {
    const missing = effectsOf(this.created(), now()).filter(
      (effect) => effect.kind === 'start' && !this.works.has(effect.work.id),
    )
    this.perform(missing)
  }

  private async carryOut(scope: CancellationScope, work: Work, ride: Ride): Promise<void> {
    const input = await this.outcomeOf(scope, work, ride)
    // Asked again meanwhile, the place is the newer question's.
    if (this.works.get(work.id) === scope) this.works.delete(work.id)
    if (input !== undefined) this.apply(input)
  }

  private async outcomeOf(scope: CancellationScope, work: Work, ride: Ride): Promise<RunInput | undefined> {
    const run = this.created()
    const workId = work.id
    try {
      if (isCommandWork(work)) {
        const pool = poolOf(run, work)
        const command = () => (pool === undefined ? runCommand(run, work, ride.events) : this.runInPool(work, pool))
        const result = await scope.run(command)
        if (ride.isCarrier) this.recorder.landed()
        // A command that never began has tried to write nothing.
        if (result.outcome !== 'lost' && (result.ackedSeq > 0 || result.durationMs > 0))
          this.recorder.wrote(ride.events, result.ackedSeq)
        return { kind: 'command_result', workId, result }
      }
      if (isChildWork(work)) {
        const result = await this.children.run(scope, run, work, () => childCancel(this.created(), work))
        return { kind: 'child_ended', workId, result }
      }
      if (work.kind === 'facts') {
        return { kind: 'facts_result', workId, result: await scope.run(() => askFacts(run, work.names)) }
      }
      const { phase } = work
      if (phase !== 'yield') return readAdmissionAnswer(await scope.run(() => askAdmission(run, phase)))
      await scope.run(() => yieldSlot(run))
      return undefined
    } catch (error) {
      if (isCancellation(error)) return undefined
      throw error
    }
  }

  /**
   * A worker of a pool gets no events, since the record is out of its reach and they are none of its business. So they are
   * written before it starts, or the store is down, which keeps no command from running.
   */
  private async runInPool(
    work: CommandWork,
    place: NonNullable<ReturnType<typeof poolOf>>,
  ): ReturnType<typeof runCommand> {
    this.inPools.add(work.id)
    await this.host.run(() => this.recorder.upTo(this.created().sequence))
    const since = Date.now()
    const until = place.waitMs === undefined ? {} : { until: new Date(since + place.waitMs).toISOString() }
    const news = {
      kind: 'pool_news',
      workId: work.id,
      pool: place.pool,
      since: new Date(since).toISOString(),
      ...until,
    } as const
    const watch = new CancellationScope({ cancellable: true })
    void watch.run(() =>
      watchPool({
        ...place,
        runId: this.runId,
        noticeMs: this.created().seed.pinned.policy.poolNoticeMs ?? POOL_NOTICE_MS,
        tell: (isWaiting) => void this.apply({ ...news, isWaiting }),
      }),
    )
    try {
      return await runCommand(this.created(), work, [])
    } finally {
      this.inPools.delete(work.id)
      watch.cancel()
    }
  }

  /** Whether something is under way that takes events along. */
  private isCarrying(): boolean {
    return [...this.works.keys()].some((id) => /^(step|verify|gate):/.test(id) && !this.inPools.has(id))
  }
}

/** Says of a defect of the rules where it struck, since workflow code has no stack traces. */
const decided = (run: Run, input: RunInput): Transition => {
  try {
    return transition(run, input, now())
  } catch (error) {
    const what = 'workId' in input ? `${input.kind} of ${input.workId}` : input.kind
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new Error(`Cannot apply ${what} at event ${run.sequence} of run "${run.seed.runId}": ${why}`, {
      cause: error,
    })
  }
}
const NO_RIDE: Ride = { events: [], isCarrier: false }

const now = (): string => new Date(Date.now()).toISOString()

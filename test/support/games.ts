import fc from './laws.ts'
import type { OnFailure, SopDefinition } from '../../src/core/definition.ts'
import { DECISION_KINDS, type Decision } from '../../src/core/run/decision.ts'
import { openGates } from '../../src/core/run/gates.ts'
import { command, condition, sopOf, type StepSketch } from './definitions.ts'
import { failed, ok, type Play } from './play.ts'

// games.ts: SOPs and moves at random, for what holds in every run.

const HOUR = 3_600_000
/** For what keeps a run from beginning: a game in which nothing ever begins tells nothing. */
const SELDOM = [undefined, undefined, undefined, undefined, undefined, undefined] as const

const onFailure = (steps: number): fc.Arbitrary<OnFailure | undefined> =>
  fc.oneof(
    fc.constant(undefined),
    fc.constantFrom<OnFailure>(
      { kind: 'rollback' },
      { kind: 'pause' },
      { kind: 'fail' },
      { kind: 'continue' },
      { kind: 'retry', times: 1 },
    ),
    fc.integer({ min: 1, max: steps }).map((step): OnFailure => ({ kind: 'goto', step })),
  )

const stepSketch = (steps: number): fc.Arbitrary<StepSketch> =>
  fc
    .record({
      kind: fc.constantFrom('shell', 'shell', 'manual', 'wait'),
      requiresApproval: fc.constantFrom(undefined, true, false),
      approveIf: fc.constantFrom(undefined, undefined, 'flag', 'load > 3'),
      if: fc.constantFrom(undefined, undefined, 'flag', '!flag', 'load > 3', 'previous_step == "success"', 'weekday'),
      approvalTimeoutMs: fc.constantFrom(undefined, HOUR),
      onTimeout: fc.constantFrom(undefined, 'approve', 'reject', 'escalate', 'fail'),
      remindMs: fc.constantFrom(undefined, undefined, HOUR / 4),
      onReject: fc.constantFrom(undefined, 'pause', 'fail', 'cancel', 'rollback'),
      rollback: fc.constantFrom(undefined, [command('undo')]),
      pointOfNoReturn: fc.constantFrom(undefined, undefined, undefined, true),
      approvers: fc.constantFrom(undefined, undefined, ['bob'], ['carol']),
      retries: fc.constantFrom(undefined, 1),
      retryDelayMs: fc.constantFrom(undefined, 1000),
      idempotent: fc.constantFrom(undefined, true),
      verify: fc.constantFrom(undefined, undefined, [command('true')]),
      onFailure: onFailure(steps),
    })
    .map(({ kind, ...rest }) => ({
      ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as StepSketch),
      ...(kind === 'manual' && { action: { kind: 'manual', checklist: ['look', 'act'], dueMs: HOUR } as const }),
      ...(kind === 'wait' && { action: { kind: 'wait', durationMs: 5000 } as const }),
    }))

/** The step with what it needs, and once for each of some items where it is one that commands carry out. */
const widened = (
  step: StepSketch,
  index: number,
  needs: string | undefined,
  items: readonly string[] | undefined,
): StepSketch => ({
  ...step,
  ...(needs === 'none' && { needs: [] }),
  ...(needs === 'first' && index > 0 && { needs: [1] }),
  ...(needs === 'above' && index > 1 && { needs: [index - 1] }),
  ...(items && step.action === undefined && { forEach: items }),
})

const definition: fc.Arbitrary<SopDefinition> = fc.integer({ min: 1, max: 5 }).chain((count) =>
  fc
    .record({
      mode: fc.constantFrom('auto', 'supervised', 'step_by_step', 'priority_based' as const),
      timeoutMs: fc.constantFrom(undefined, 20 * HOUR),
      onRunTimeout: fc.constantFrom(undefined, 'rollback' as const),
      conditions: fc.constantFrom(...SELDOM, { requires: [condition('flag')] }),
      cooldownMs: fc.constantFrom(0, 0, 0, 0, 0, 0, HOUR),
      maxConcurrent: fc.constantFrom(...SELDOM, 1),
      releaseSlotAtGate: fc.constantFrom(undefined, true),
      locks: fc.constantFrom(...SELDOM, ['x']),
      blackout: fc.constantFrom(...SELDOM, ['02:00-03:00']),
      blackoutPolicy: fc.constantFrom(undefined, 'wait' as const),
      gates: fc.constantFrom(
        undefined,
        [{ key: 'pre_look', type: 'approval', position: { at: 'start' }, required: true }],
        [{ key: 'post_check', type: 'verification', position: { at: 'end' }, required: false, command: command('x') }],
        [{ key: 'sign_off', type: 'approval', position: { at: 'after', step: 1 }, required: true }],
      ),
      maxParallel: fc.constantFrom(undefined, undefined, 2),
      steps: fc.array(stepSketch(count), { minLength: count, maxLength: count }),
      wide: fc.boolean(),
      needs: fc.array(fc.constantFrom(undefined, 'none', 'first', 'above'), { minLength: count, maxLength: count }),
      items: fc.array(fc.constantFrom(undefined, undefined, ['a', 'b', 'c']), { minLength: count, maxLength: count }),
    })
    .map(({ wide, needs, items, steps, ...rest }) => ({
      ...rest,
      steps: wide ? steps.map((step, index) => widened(step, index, needs[index], items[index])) : steps,
    }))
    .map((sketch) => sopOf(Object.fromEntries(Object.entries(sketch).filter(([, v]) => v !== undefined)) as never)),
)

/** Said more often than `cancel`, after which not much comes. */
const OFTEN = ['approve', 'approve', 'complete', 'resume', 'retry', 'skip'] as const

type Said = Omit<Decision, 'kind'>
export type Move = (play: Play) => void

const decided: fc.Arbitrary<Move> = fc
  .record({
    kind: fc.constantFrom(...DECISION_KINDS, ...OFTEN, ...OFTEN),
    who: fc.constantFrom('bob', 'carol', 'dave'),
    step: fc.constantFrom(undefined, undefined, 0, 1, 2, 3, 9),
    said: fc.constantFrom<Said>(
      {},
      {},
      { params: { flag: true } },
      { params: { flag: false, more: 1 } },
      { outcome: 'did_not_run' },
      { failed: true },
      { covers: 'other' },
      { rollback: true },
    ),
  })
  .map(
    ({ kind, who, step, said }): Move =>
      (play) =>
        void play.decide(kind, {
          principal: { id: who, kind: 'user' },
          ...(step !== undefined && { step }),
          ...said,
        }),
  )

const ended: fc.Arbitrary<Move> = fc
  .record({ which: fc.nat(5), how: fc.constantFrom('ok', 'ok', 'failed', 'lost' as const) })
  .map(
    ({ which, how }): Move =>
      (play) => {
        const id = [...play.works.keys()].at(which % Math.max(1, play.works.size))
        if (id !== undefined) play.ends(results[how], id)
      },
  )

const results = { ok: ok(), failed: failed(), lost: { outcome: 'lost', error: 'gone' } } as const

/** Does the next thing that the run waits for: of what is done at random most is refused, and the run gets nowhere. */
const goesOn: fc.Arbitrary<Move> = fc.constantFrom('ok', 'ok', 'ok', 'failed', 'lost' as const).map(
  (how): Move =>
    (play) => {
      const { run, works } = play
      const work = [...works.values()].find(({ kind }) => kind !== 'admission' && kind !== 'facts')
      if ([...works.values()].some(({ kind }) => kind === 'admission')) letIn(play)
      else if (asksCalendar(play)) play.facts(calendar(play))
      else if ([...works.values()].some(({ kind }) => kind === 'facts')) play.facts({ weekday: true })
      else if (run.paused !== undefined) play.decide(run.paused.kind === 'requested' ? 'resume' : 'retry')
      else if (openGates(run).length > 0) play.decide('approve', { principal: { id: 'dave', kind: 'user' } })
      else if (work !== undefined) play.ends(results[how], work.id)
      else if (run.steps.some(({ state }) => state === 'awaiting_input')) play.decide('complete')
    },
)

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: goesOn },
  { weight: 6, arbitrary: decided },
  { weight: 8, arbitrary: ended },
  {
    weight: 1,
    arbitrary: fc
      .record({
        kind: fc.constantFrom('skip', 'complete', 'retry'),
        step: fc.integer({ min: 1, max: 5 }),
        item: fc.integer({ min: 1, max: 3 }),
      })
      .map(
        ({ kind, step, item }): Move =>
          (play) =>
            void play.decide(kind, { step, item }),
      ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Move>(
      (play) => void (play.works.size > 0 && play.ends(ok({ outputs: { flag: true } }))),
      (play) => void (play.works.size > 0 && play.ends(ok())),
      (play) => void (play.works.size > 0 && play.ends(failed())),
      (play) => void (play.works.size > 0 && play.ends({ outcome: 'lost', error: 'gone' })),
      (play) => void ([...play.works.values()].some((work) => work.kind === 'facts') && play.facts({ weekday: true })),
      (play) => {
        letIn(play)
      },
      (play) => void play.tell({ kind: 'admission', workId: 'admission:slot', verdict: { kind: 'admitted' }, turn: 1 }),
      (play) =>
        void play.tell({ kind: 'admission', workId: 'admission:slot', verdict: { kind: 'queued', reason: 'full' } }),
      (play) => void (asksCalendar(play) && play.facts(calendar(play, 'blackout "02:00-03:00"'))),
      (play) => void (asksCalendar(play) && play.facts(calendar(play))),
      (play) => [...play.works.keys()].forEach((id) => play.poolNews(id, true)),
      (play) => [...play.works.keys()].forEach((id) => play.poolNews(id, false)),
      (play) => void play.tell({ kind: 'record_news', unrecorded: 900, bytes: 1, since: '2026-03-01T08:00:00.000Z' }),
      (play) => void play.tell({ kind: 'record_news', unrecorded: 0, bytes: 0 }),
      (play) => void play.wait(1000),
      (play) => void play.wait(HOUR),
      (play) => void play.tell({ kind: 'command_result', workId: 'step:1#99', result: ok() }),
      (play) => void play.tell({ kind: 'timer', timerId: 'gate:1-step_1#1' }),
      (play) => void play.tell({ kind: 'unreadable', name: 'approve', reason: 'garbage', via: 'signal' }),
    ),
  },
)

const gameOf = (size: 'small' | 'max') =>
  fc.record({
    sop: definition,
    moves: fc.array(move, { maxLength: 40, size }),
    flag: fc.boolean(),
    strict: fc.boolean(),
  })

/** An SOP, and what happens to a run of it. */
export const game = gameOf('small')

/** The same with many more moves, since most runs are not far after five. */
export const longGame = gameOf('max')

/** Answers all that was asked of admission. */
export const letIn = (play: Play): void => {
  for (const { id, kind } of [...play.works.values()]) {
    if (kind !== 'admission') continue
    play.works.delete(id)
    if (!id.startsWith('admission:yield')) play.tell({ kind: 'admission', workId: id, verdict: { kind: 'admitted' } })
  }
}

const asksCalendar = (play: Play): boolean => [...play.works.keys()].some((id) => id.startsWith('facts:blackout'))

const calendar = (play: Play, because?: string) =>
  ({
    blackout: { until: new Date(play.nowMs + HOUR).toISOString(), ...(because !== undefined && { because }) },
  }) as never

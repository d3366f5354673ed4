import fc from '../../support/laws.ts'
import { describe, expect, test } from 'vitest'
import type { OnFailure, SopDefinition, Step } from '../../../src/core/definition.ts'
import { neededBy, waitingFor } from '../../../src/core/run/graph.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { applyToSummary, summaryOfState } from '../../../src/core/run/summary.ts'
import type { SummaryState } from '../../../src/core/run/summary-state.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { bash, command, sopOf } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const summarise = (events: readonly RunEvent[]) => {
  const state = events.reduce<SummaryState | undefined>(applyToSummary, undefined)
  if (state === undefined) throw new Error('no events')
  return summaryOfState(state)
}

/** What a list and the run itself must say alike. */
const agrees = (play: Play): void => {
  const view = viewOf(play.run)
  const summary = summarise(play.events)
  const seen = { ...summary, openGates: [...summary.openGates].sort() }
  expect(seen, play.types.join(' ')).toMatchObject({
    runId: view.runId,
    sopName: view.sopName,
    version: view.version,
    status: view.status,
    mode: view.mode,
    priority: view.priority,
    currentStep: view.currentStep,
    createdAt: view.createdAt,
    startedBy: view.startedBy.id,
    openGates: view.openGates.map(({ gate }) => gate).sort(),
    sequence: view.sequence,
  })
  const inputs = view.openInputs.map(({ stepNumber }) => stepNumber)
  expect(summary.openInputs ?? [], play.types.join(' ')).toEqual(inputs)
  expect(summary.poolWaits).toEqual(view.poolWaits && [...new Set(view.poolWaits.map(({ pool }) => pool))].sort())
  expect([summary.startedAt, summary.completedAt]).toEqual([view.startedAt, view.completedAt])
  expect(summary.totalSteps).toBe(view.totalSteps)
}

const onFailure = fc.constantFrom<OnFailure>(
  { kind: 'pause' },
  { kind: 'fail' },
  { kind: 'continue' },
  { kind: 'retry', times: 1 },
  { kind: 'goto', step: 1 },
  { kind: 'goto', step: 3 },
  { kind: 'rollback' },
)
const steps = fc.array(
  fc.record({
    action: fc.constantFrom(bash('true'), { kind: 'manual' as const }),
    requiresApproval: fc.boolean(),
    verify: fc.constantFrom([], [command('true')]),
    onFailure,
    onReject: fc.constantFrom('pause' as const, 'rollback' as const),
    rollback: fc.constantFrom([], [command('undo')]),
    pointOfNoReturn: fc.boolean(),
  }),
  { minLength: 3, maxLength: 4 },
)
const deeds = [
  'approve',
  'reject',
  'complete',
  'fail',
  'skip',
  'retry',
  'cancel',
  'cancel back',
  'pause',
  'resume',
  'go back',
  'lost',
  'ok',
  'failed',
  'wait',
  'waits',
  'taken',
] as const

const act = (play: Play, deed: (typeof deeds)[number]): void => {
  if (deed === 'ok' || deed === 'failed') {
    if (play.works.size > 0) play.ends(deed === 'ok' ? ok() : failed())
  } else if (deed === 'waits' || deed === 'taken') {
    for (const workId of play.works.keys()) play.poolNews(workId, deed === 'waits')
  } else if (deed === 'wait') play.wait(3_600_000)
  else if (deed === 'cancel back') play.decide('cancel', { rollback: true })
  else if (deed === 'go back') play.decide('retry', { step: 1 })
  else if (deed === 'lost') {
    if (play.works.size > 0) play.ends({ outcome: 'lost', error: 'gone' })
  } else if (deed === 'fail') play.decide('complete', { failed: true })
  else play.decide(deed)
}

/** A step that needs any of those above it, or none. */
const branch = (index: number) =>
  fc
    .record({
      action: fc.constantFrom(bash('true'), bash('true'), { kind: 'manual' as const }),
      requiresApproval: fc.boolean(),
      onFailure,
      needs: fc.subarray(Array.from({ length: index }, (_, above) => above + 1)),
      items: fc.constantFrom(undefined, ['a', 'b', 'c']),
    })
    .map(({ items, ...step }) => (step.action.kind === 'shell' && items ? { ...step, forEach: items } : step))

/** The compiler refuses a jump to a step of another branch. */
const withoutStrays = (definition: SopDefinition): SopDefinition => {
  const isStray = ({ number, onFailure: failure }: Step, index: number): boolean =>
    failure?.kind === 'goto' &&
    failure.step !== number &&
    !waitingFor(definition, index).has(failure.step - 1) &&
    !neededBy(definition, index).has(failure.step - 1)
  const steps = definition.steps.map((step, index) =>
    isStray(step, index) ? { ...step, onFailure: { kind: 'pause' as const } } : step,
  )
  return { ...definition, steps }
}

/** Does something to one of the gates, steps or works that there are. */
const actOn = (play: Play, deed: (typeof deeds)[number], which: number): void => {
  const work = [...play.works.keys()].at(which % Math.max(1, play.works.size))
  if (deed === 'ok' || deed === 'failed') {
    if (work !== undefined) play.ends(deed === 'ok' ? ok() : failed(), work)
  } else if (deed === 'wait') play.wait(3_600_000)
  else if (deed === 'cancel back') play.decide('cancel', { rollback: true })
  else if (deed === 'go back') play.decide('retry', { step: which + 1 })
  else if (deed === 'lost') {
    if (work !== undefined) play.ends({ outcome: 'lost', error: 'gone' }, work)
  } else if (deed === 'fail') play.decide('complete', { step: which + 1, failed: true })
  else if (deed === 'retry' || deed === 'cancel' || deed === 'pause' || deed === 'resume') play.decide(deed)
  else if (deed !== 'waits' && deed !== 'taken') play.decide(deed, { step: which + 1 })
}

describe('applyToSummary()', () => {
  test('tells the same of a run as its view, whatever happens to it', () => {
    fc.assert(
      fc.property(
        steps,
        fc.constantFrom('auto', 'supervised', 'step_by_step'),
        fc.array(fc.constantFrom(...deeds, 'waits' as const, 'ok' as const, 'approve' as const, 'complete' as const), {
          maxLength: 20,
        }),
        (sketches, mode, script) => {
          const play = new Play(sopOf({ mode, steps: sketches })).start()
          agrees(play)
          for (const deed of script) {
            act(play, deed)
            agrees(play)
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  test('tells the same of a run with branches and items', () => {
    fc.assert(
      fc.property(
        fc.tuple(...[0, 1, 2, 3].map((index) => branch(index))),
        fc.array(fc.tuple(fc.constantFrom(...deeds, 'ok' as const, 'ok' as const), fc.nat(3)), { maxLength: 25 }),
        (sketches, script) => {
          const play = new Play(withoutStrays(sopOf({ mode: 'auto', maxParallel: 3, steps: sketches }))).start()
          agrees(play)
          for (const [deed, which] of script) {
            actOn(play, deed, which)
            agrees(play)
          }
        },
      ),
      { numRuns: 250 },
    )
  })

  test.each<[string, Parameters<typeof sopOf>[0]['steps'], readonly (typeof deeds)[number][]]>([
    [
      'a check of what was unknown is cut off',
      [{ verify: [command('true')] }, {}],
      ['lost', 'complete', 'cancel', 'ok'],
    ],
    [
      'an undo that waited for a worker fails',
      [
        { action: { kind: 'manual' }, rollback: [command('undo')] },
        { requiresApproval: true, onReject: 'rollback' },
      ],
      ['complete', 'reject', 'waits', 'failed'],
    ],
    [
      'a run ends while a step waits to be tried again',
      [{ onFailure: { kind: 'retry', times: 1 } }, {}],
      ['pause', 'failed', 'cancel'],
    ],
  ])('tells the same of a run as its view when %s', (_, sketches, script) => {
    const play = new Play(sopOf({ mode: 'auto', steps: sketches })).start()
    for (const deed of script) {
      act(play, deed)
      agrees(play)
    }
  })

  test('an event that was counted already changes nothing', () => {
    const play = new Play(sopOf({ steps: [{}] })).start().ends(ok())
    const twice = play.events.flatMap((event) => [event, event])
    expect(summarise(twice)).toEqual(summarise(play.events))
    expect(summarise([...play.events, ...play.events])).toEqual(summarise(play.events))
  })

  test('survives JSON between any two events', () => {
    const play = new Play(sopOf({ mode: 'step_by_step', steps: [{}, {}] })).start()
    play.decide('approve')
    play.ends(ok())
    const state = play.events.reduce<SummaryState | undefined>(
      (before, event) =>
        applyToSummary(before === undefined ? undefined : (JSON.parse(JSON.stringify(before)) as SummaryState), event),
      undefined,
    )
    expect(state && summaryOfState(state)).toEqual(summarise(play.events))
  })

  test('a record without its beginning gives a line with gaps', () => {
    const play = new Play(sopOf({ steps: [{}] })).start().ends(ok())
    expect(summarise(play.events.slice(1))).toMatchObject({ runId: 'sop_run_test', status: 'completed', sopName: '' })
  })
})

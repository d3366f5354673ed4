import { describe, expect, test } from 'vitest'
import { commandTask, isCommandWork } from '../../../src/core/run/command-task.ts'
import { fold } from '../../../src/core/run/evolve.ts'
import { frontier } from '../../../src/core/run/frontier.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { bash, command, type SopSketch, sopOf, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

// manual-check.test.ts: a person says that it is done, or the time has come, and then the verify commands look.

const MINUTE = 60_000
const LOST = { outcome: 'lost', error: 'its worker died' } as const
const manual = { kind: 'manual' as const, form: [{ name: 'disk', type: 'string' as const }] }
const swap: StepSketch = { title: 'Swap the disk', action: manual, verify: [command('test "$disk" = sdb')] }
const pause: StepSketch = { title: 'Settle', action: { kind: 'wait', durationMs: MINUTE }, verify: [command('true')] }

const start = (steps: readonly StepSketch[], sketch: Partial<SopSketch> = {}): Play =>
  new Play(sopOf({ ...sketch, steps })).start()
const done = (steps: readonly StepSketch[], sketch: Partial<SopSketch> = {}): Play => {
  const play = start(steps, sketch).wait(5 * MINUTE)
  expect(play.decide('complete', { step: 1, values: { disk: 'sdb' }, comment: 'slot 4' })).toMatchObject({
    accepted: true,
    action: 'checking',
    status: 'running',
  })
  return play
}
const running = (play: Play): readonly string[] => [...play.works.keys()]
const isFolded = (play: Play) => expect(play.run).toEqual(fold(play.seed, play.events))

describe('a manual step with verify commands', () => {
  test('waits for the person first, and is completed once its check passed, with what the person gave', () => {
    const play = start([swap, {}])
    expect([play.run.steps[0]?.state, running(play)]).toEqual(['awaiting_input', []])
    const checked = done([swap, {}])
    expect(running(checked)).toEqual(['verify:1#1'])
    expect(checked.last('verification_started')).toMatchObject({
      principal: { id: 'bob' },
      details: { attempt: 1, duration_ms: 5 * MINUTE, outputs: { disk: 'sdb' }, comment: 'slot 4' },
    })
    expect(viewOf(checked.run)).toMatchObject({
      status: 'running',
      openInputs: [],
      stepResults: [{ status: 'running' }, {}],
    })
    // No other step has the values before the check passed.
    expect(checked.run.outputs).toEqual({})
    checked.ends(ok())
    expect(checked.last('step_completed')).toMatchObject({
      principal: { id: 'engine' },
      details: { duration_ms: 5 * MINUTE, outputs: { disk: 'sdb' } },
    })
    expect(checked.run.outputs).toEqual({ disk: 'sdb' })
    expect(running(checked)).toEqual(['step:2#1'])
    isFolded(checked)
  })

  test('hands what the person gave to its check', () => {
    const play = done([swap])
    const work = play.works.get('verify:1#1')
    if (work === undefined || !isCommandWork(work)) throw new Error('no check runs')
    expect(commandTask(play.run, work, [])).toMatchObject({
      executableId: 'verify:1',
      executable: { commands: swap.verify },
      outputs: { disk: 'sdb' },
    })
  })

  test.each([
    ['in mode auto, fails the run', { mode: 'auto' }, {}, 'failed', []],
    ['pauses the run', {}, { onFailure: { kind: 'pause' } }, 'paused', []],
    ['is passed over', {}, { onFailure: { kind: 'continue' } }, 'running', ['step:2#1']],
    ['goes on elsewhere', {}, { onFailure: { kind: 'goto', step: 3 } }, 'running', ['step:3#1']],
  ] as const)('whose check failed %s', (_, sketch, settings, state, works) => {
    const play = done([{ ...swap, ...settings }, {}, {}], sketch).ends(failed())
    expect([play.state, running(play)]).toEqual([state, works])
    expect(play.last('verification_failed').details).toMatchObject({ attempt: 1, error: 'exit code 1' })
    expect(play.last('step_failed').details.error).toBe('verification failed: exit code 1')
    isFolded(play)
  })

  test.each([
    ['by the engine', { retries: 1 }],
    ['by the engine, later', { retries: 1, retryDelayMs: MINUTE }],
    ['as on_failure says', { onFailure: { kind: 'retry', times: 1 } }],
    ['by a person', { onFailure: { kind: 'pause' } }],
  ] as const)('is asked again with its next attempt where it is tried again %s', (_, settings) => {
    const play = done([{ ...swap, ...settings }]).ends(failed())
    if (play.state === 'paused') play.decide('retry')
    play.wait(MINUTE)
    expect(play.run.steps[0]).toMatchObject({ state: 'awaiting_input', attempt: 2 })
    expect(play.decide('complete', { attempt: 1 })).toMatchObject({ accepted: false, code: 'conflict' })
    expect(play.decide('complete', { attempt: 2 })).toMatchObject({ accepted: true })
    expect(running(play)).toEqual(['verify:1#2'])
    expect(play.ends(ok()).state).toBe('completed')
    isFolded(play)
  })

  test('that is reported as failed is not checked', () => {
    const play = start([{ ...swap, onFailure: { kind: 'pause' } }])
    expect(play.decide('complete', { failed: true })).toMatchObject({ accepted: true, action: 'failed' })
    expect([play.state, running(play), play.types.includes('verification_started')]).toEqual(['paused', [], false])
  })

  test('whose worker was lost during the check is checked again, and asks nobody', () => {
    const play = done([swap]).ends(LOST)
    expect(running(play)).toEqual(['verify:1#1~1'])
    play.ends(ok())
    expect(play.last('step_completed').details).toMatchObject({ outputs: { disk: 'sdb' }, attempt: 1 })
    isFolded(play)
  })

  test.each([
    ['complete', {}, /no step waits for a person/],
    ['complete', { step: 1, failed: true }, /does not wait for a person: it is running/],
    ['skip', { step: 1 }, /cannot be skipped now: it is running/],
    ['retry', { step: 1 }, /step 1 is under way/],
  ] as const)('refuses %s %j while the check runs', (kind, decision, reason) => {
    const play = done([swap])
    expect(play.decide(kind, decision)).toMatchObject({ accepted: false, code: 'conflict', status: 'running' })
    expect(play.last('decision_refused').details.reason).toMatch(reason)
    expect(running(play)).toEqual(['verify:1#1'])
  })

  test('has no deadline any more while the check runs, but is asked with one again', () => {
    const play = done([{ ...swap, action: { ...manual, dueMs: 20 * MINUTE }, timeoutMs: 10 * MINUTE, retries: 1 }])
    expect([...play.timers.keys()]).toEqual([])
    play.wait(60 * MINUTE)
    expect(running(play)).toEqual(['verify:1#1'])
    play.ends(failed())
    expect([...play.timers.keys()].sort()).toEqual(['due:1#2', 'input:1#2'])
    play.wait(10 * MINUTE)
    expect(play.last('step_failed').details).toMatchObject({ outcome: 'timed_out', attempt: 2 })
    isFolded(play)
  })

  test('is paused once the check came to its end, and cancelled at once', () => {
    const paused = done([swap, {}])
    expect(paused.decide('pause')).toMatchObject({ accepted: true, action: 'pause requested' })
    paused.ends(ok())
    expect([paused.state, paused.run.steps[0]?.state, running(paused)]).toEqual(['paused', 'success', []])
    const cancelled = done([swap, {}])
    cancelled.decide('cancel')
    expect(cancelled.cancelled).toEqual(['verify:1#1'])
    cancelled.ends(ok({ outcome: 'cancelled', error: 'ended' }))
    expect([cancelled.state, cancelled.run.steps[0]?.state]).toEqual(['cancelled', 'failed'])
    isFolded(paused)
    isFolded(cancelled)
  })

  test('is undone like one whose commands ran to their end, also where only its check failed', () => {
    const undo = { ...swap, rollback: [command('undo')] }
    const before = done([undo, { action: bash('false'), onFailure: { kind: 'rollback' } }])
      .ends(ok())
      .ends(failed())
    expect(running(before)).toEqual(['rollback:1#1'])
    const itself = done([{ ...undo, onFailure: { kind: 'rollback' } }, {}]).ends(failed())
    expect(running(itself)).toEqual(['rollback:1#1'])
    const inMidst = done([undo, {}])
    inMidst.decide('cancel', { rollback: true })
    inMidst.ends(ok({ outcome: 'cancelled', error: 'ended' }))
    expect(running(inMidst)).toEqual(['rollback:1#1'])
    for (const play of [before, itself, inMidst]) isFolded(play)
  })

  test('that nobody completed yet is left by a walk back', () => {
    const play = start([{ ...swap, rollback: [command('undo')] }])
    play.decide('cancel', { rollback: true })
    expect([play.state, play.run.steps[0]?.state]).toEqual(['cancelled', 'skipped'])
  })

  test('is checked beside other branches, and what needs it waits for that', () => {
    const play = start([swap, { needs: [] }, { needs: [1] }])
    play.decide('complete', { step: 1, values: { disk: 'sdb' } })
    expect(running(play)).toEqual(['step:2#1', 'verify:1#1'])
    play.ends(ok(), 'verify:1#1')
    expect(running(play)).toEqual(['step:2#1', 'step:3#1'])
    isFolded(play)
  })
})

describe('a wait step with verify commands', () => {
  test('waits first, and is completed once its check passed', () => {
    const play = start([pause, {}])
    expect([[...play.timers.keys()], running(play)]).toEqual([['wait:1#1'], []])
    play.wait(MINUTE)
    expect([[...play.timers.keys()], running(play)]).toEqual([[], ['verify:1#1']])
    expect(play.last('verification_started')).toMatchObject({ principal: { id: 'timer' }, via: 'timer' })
    // The timer that fired is over.
    play.tell({ kind: 'timer', timerId: 'wait:1#1' })
    expect(play.types.filter((type) => type === 'verification_started')).toHaveLength(1)
    play.ends(ok())
    expect(play.last('step_completed').details).toMatchObject({ duration_ms: MINUTE })
    expect(running(play)).toEqual(['step:2#1'])
    isFolded(play)
  })

  test.each([0, 10 * MINUTE])(
    'waits again where its check failed and it is tried again after %i ms',
    (retryDelayMs) => {
      const play = start([{ ...pause, retries: 1, retryDelayMs }])
      play.wait(MINUTE).ends(failed()).wait(retryDelayMs)
      expect([...play.timers.values()]).toMatchObject([
        { id: 'wait:1#2', at: new Date(play.nowMs + MINUTE).toISOString() },
      ])
      play.wait(MINUTE)
      expect(running(play)).toEqual(['verify:1#2'])
      expect(play.ends(ok()).state).toBe('completed')
      isFolded(play)
    },
  )

  test.each([
    ['a time of day', '09:30', 0],
    ['a time of day, later', '09:30', MINUTE],
    ['an instant', '2026-03-01T09:30:00Z', 0],
    ['an instant, later', '2026-03-01T09:30:00Z', MINUTE],
  ] as const)('until %s is checked again at once, since that time has come', (_, until, retryDelayMs) => {
    const play = start([{ ...pause, action: { kind: 'wait', until }, retries: 1, retryDelayMs }])
    if (until === '09:30') play.facts({ 'until:09:30': '2026-03-01T09:30:00.000Z' })
    play.wait(90 * MINUTE)
    expect(running(play)).toEqual(['verify:1#1'])
    play.ends(failed()).wait(retryDelayMs)
    expect(running(play)).toEqual(['verify:1#2'])
    expect(play.ends(ok()).state).toBe('completed')
    isFolded(play)
  })

  test('has no timer any more while its check runs, also where the run stands paused beside it', () => {
    const play = start([
      { ...pause, needs: [] },
      { needs: [], onFailure: { kind: 'pause' } },
    ])
    play.ends(failed(), 'step:2#1')
    expect([play.state, [...play.timers.keys()]]).toEqual(['paused', ['wait:1#1']])
    play.wait(MINUTE)
    expect(running(play)).toEqual(['verify:1#1'])
    // Also when it is asked anew, as by the next execution of the run.
    expect(frontier(play.run, new Date(play.nowMs).toISOString())).toMatchObject({ timers: [] })
    play.ends(ok())
    expect(play.decide('retry')).toMatchObject({ accepted: true })
    expect(play.run.steps[0]?.state).toBe('success')
    isFolded(play)
  })

  test('until a time of day is checked again where what was known of that time is forgotten meanwhile', () => {
    const until = { ...pause, action: { kind: 'wait', until: '09:30' }, retries: 1, retryDelayMs: 10 * MINUTE } as const
    const play = start([
      { ...until, needs: [] },
      { needs: [], onFailure: { kind: 'pause' } },
    ])
    play.facts({ 'until:09:30': '2026-03-01T09:30:00.000Z' })
    play
      .wait(90 * MINUTE)
      .ends(failed(), 'verify:1#1')
      .ends(failed(), 'step:2#1')
    play.decide('retry')
    play.wait(10 * MINUTE)
    expect(running(play)).toEqual(['step:2#2', 'verify:1#2'])
    isFolded(play)
  })

  test('comes to the end of its check before a failure beside it walks back', () => {
    const back = { onFailure: { kind: 'rollback' } } as const
    const play = start([
      { ...pause, needs: [], rollback: [command('undo')] },
      { needs: [], ...back },
    ])
    play.wait(MINUTE).ends(failed(), 'step:2#1')
    expect(running(play)).toEqual(['verify:1#1'])
    play.ends(ok(), 'verify:1#1')
    expect(running(play)).toEqual(['rollback:1#1'])
    isFolded(play)
  })
})

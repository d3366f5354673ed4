import { describe, expect, test } from 'vitest'
import { commandTask } from '../../../src/core/run/command-task.ts'
import { fold } from '../../../src/core/run/evolve.ts'
import { finishedLastFirst, walkOf } from '../../../src/core/run/rollback.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { command, sopOf, type SopSketch, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const HOUR = 3_600_000
const LOST = { outcome: 'lost', error: 'its worker died' } as const
const undo = { rollback: [command('undo')] } satisfies StepSketch
const BACK = { onFailure: { kind: 'rollback' } } satisfies StepSketch

const start = (steps: readonly StepSketch[], sop: Partial<SopSketch> = {}, seed = {}) =>
  new Play(sopOf({ ...sop, steps }), seed).start()
const isFolded = (play: Play) => expect(play.run).toEqual(fold(play.seed, play.events))
const states = (play: Play) => play.run.steps.map((step) => step.state)
const works = (play: Play) => [...play.works.keys()]

/** Three steps of which the last fails and asks for the walk back. */
const walking = (first: StepSketch = {}, second: StepSketch = {}) =>
  start([{ ...undo, ...first }, { ...undo, ...second }, BACK])
    .ends(ok())
    .ends(ok())
    .ends(failed())

describe('on_failure = rollback', () => {
  test('undoes the finished steps, the last one first, and fails the run', () => {
    const play = walking()
    expect(play.last('step_failed').details.then).toBe('rollback')
    expect(play.last('rollback_started').details).toEqual({
      because: 'failure',
      reason: 'step 3 "Step 3" failed: exit code 1',
      then: 'failed',
      steps: [2, 1],
    })
    expect(works(play)).toEqual(['rollback:2#1'])
    expect(viewOf(play.run)).toMatchObject({
      status: 'running',
      currentStep: 2,
      reason: 'is rolled back: step 3 "Step 3" failed: exit code 1',
    })
    play.ends(ok({ output: 'undone', durationMs: 5 }))
    expect(play.last('step_rolled_back')).toMatchObject({
      stepNumber: 2,
      details: { title: 'Step 2', attempt: 1, duration_ms: 5, output: 'undone', exitCode: 0 },
    })
    expect(works(play)).toEqual(['rollback:1#1'])
    play.ends(ok())
    expect(states(play)).toEqual(['rolled_back', 'rolled_back', 'failed'])
    expect(play).toMatchObject({ state: 'failed', closedAs: 'failed' })
    expect(play.last('run_failed').details.reason).toBe('step 3 "Step 3" failed: exit code 1')
    isFolded(play)
  })

  test('passes over steps that have no rollback, that were skipped or that failed', () => {
    const play = start([undo, { ...undo, if: 'never' }, { ...undo, onFailure: { kind: 'continue' } }, {}, BACK])
    play.ends(ok()).ends(failed()).ends(ok()).ends(failed())
    expect(play.last('rollback_started').details.steps).toEqual([1])
    play.ends(ok())
    expect(states(play)).toEqual(['rolled_back', 'skipped', 'failed', 'success', 'failed'])
  })

  test('undoes the step itself when only its verification failed', () => {
    const play = start([undo, { ...undo, ...BACK, verify: [command('v')] }])
      .ends(ok())
      .ends(ok())
      .ends(failed())
    expect(play.last('rollback_started').details.steps).toEqual([2, 1])
    isFolded(play)
  })

  test('comes after the retries, and with nothing to undo the run just fails', () => {
    const play = start([{ ...BACK, retries: 1 }]).ends(failed())
    expect(works(play)).toEqual(['step:1#2'])
    play.ends(failed())
    expect(play.state).toBe('failed')
    expect(play.types).not.toContain('rollback_started')
    expect(play.last('run_failed').details.reason).toMatch(/exit code 1; there was nothing to roll back$/)
  })

  test('undoes what was done again once, by its last end', () => {
    const play = start([undo, undo, { onFailure: { kind: 'pause' } }])
      .ends(ok())
      .ends(ok())
      .ends(failed())
    play.decide('retry', { step: 1 })
    play.ends(ok()).ends(failed())
    expect(play.state).toBe('failed')
    const again = start([undo, undo, { onFailure: { kind: 'pause' } }])
      .ends(ok())
      .ends(ok())
      .ends(failed())
    again.decide('retry', { step: 1 })
    again.decide('cancel', { rollback: true })
    again.ends(failed({ outcome: 'cancelled' }))
    // Both ran once, and nobody has undone them, though they were to be done again.
    expect(again.last('rollback_started').details.steps).toEqual([2, 1])
    isFolded(again)
  })

  test('pauses under the rules of a run that began before an upgrade', () => {
    const play = start([undo, BACK], {}, { rulesVersion: 1 }).ends(ok()).ends(failed())
    expect(play.state).toBe('paused')
    expect(play.last('step_failed').details.then).toBe('pause')
  })
})

describe('a walk back is also asked for by', () => {
  test('a rejection: on_reject = rollback', () => {
    const play = start([undo, { requiresApproval: true, onReject: 'rollback', approvalTimeoutMs: HOUR }]).ends(ok())
    expect(play.decide('reject', { reason: 'no' })).toMatchObject({ action: 'rolling back', status: 'running' })
    expect(play.last('rollback_started').details).toMatchObject({
      because: 'rejection',
      reason: 'gate "2-step_2" was rejected by bob',
    })
    expect(play.timers.size).toBe(0)
    play.ends(ok())
    expect(play.state).toBe('failed')
    isFolded(play)
  })

  test('a rejection by the timer', () => {
    const gate = { requiresApproval: true, onReject: 'rollback', approvalTimeoutMs: HOUR, onTimeout: 'reject' } as const
    const play = start([undo, gate]).ends(ok()).wait(HOUR)
    expect(play.last('approval_timeout').details).toMatchObject({ action: 'reject', then: 'rollback' })
    expect(works(play)).toEqual(['rollback:1#1'])
    isFolded(play)
  })

  test('a cancel: what runs is ended first, and then what is finished is undone', () => {
    const play = start([undo, undo, {}]).ends(ok())
    expect(play.decide('cancel', { rollback: true, reason: 'wrong host' })).toMatchObject({
      accepted: true,
      action: 'rolling back',
      status: 'running',
    })
    expect(play.cancelled.at(-1)).toBe('step:2#1')
    expect(play.types).not.toContain('rollback_started')
    play.ends(failed({ outcome: 'cancelled', error: 'cancelled' }))
    expect(play.last('rollback_started')).toMatchObject({
      principal: { id: 'bob' },
      details: { because: 'cancel', then: 'cancelled', reason: 'wrong host', steps: [1] },
    })
    play.ends(ok())
    expect(play.state).toBe('cancelled')
    expect(play.last('run_cancelled')).toMatchObject({ principal: { id: 'bob' }, details: { reason: 'wrong host' } })
    isFolded(play)
  })

  test('a cancel that comes when the command just ended: the step is undone like the others, unverified', () => {
    const play = start([{ ...undo, verify: [command('v')] }, {}])
    play.decide('cancel', { rollback: true })
    play.ends(ok())
    expect(play.last('rollback_started').details.steps).toEqual([1])
    const plain = start([{ verify: [command('v')] }, {}])
    plain.decide('cancel')
    plain.ends(ok())
    expect(plain.state).toBe('cancelled')
  })

  describe('a step whose check passes after something else', () => {
    const checked = { ...undo, needs: [], verify: [command('v')] }
    const checking = (beside: StepSketch, seed: { readonly rulesVersion?: number } = {}) =>
      new Play(sopOf({ steps: [checked, { needs: [], ...beside }] }), seed).start().ends(ok(), 'step:1#1')

    test('walked back is undone', () => {
      const play = checking(BACK).ends(failed(), 'step:2#1')
      expect(works(play)).toEqual(['verify:1#1'])
      play.ends(ok({ output: 'looks good' }))
      expect(play.types.slice(-3)).toEqual(['verification_passed', 'step_completed', 'rollback_started'])
      expect(works(play)).toEqual(['rollback:1#1'])
      play.ends(ok())
      expect(states(play)).toEqual(['rolled_back', 'failed'])
      isFolded(play)
    })

    test('walked back under the rules of before was not', () => {
      const play = checking(BACK, { rulesVersion: 8 }).ends(failed(), 'step:2#1').ends(ok())
      expect([play.state, states(play)]).toEqual(['failed', ['skipped', 'failed']])
    })

    test('paused is done, and is undone by a cancel that rolls back', () => {
      const play = checking({ onFailure: { kind: 'pause' } })
        .ends(failed(), 'step:2#1')
        .ends(ok())
      expect([play.state, states(play)]).toEqual(['paused', ['success', 'failed']])
      play.decide('cancel', { rollback: true })
      expect(works(play)).toEqual(['rollback:1#1'])
      isFolded(play)
    })

    test('ended the run is done, so that a retry does not do it again', () => {
      const play = checking({ onFailure: { kind: 'fail' } })
        .ends(failed(), 'step:2#1')
        .ends(ok(), 'verify:1#1')
      expect([play.state, states(play)]).toEqual(['failed', ['success', 'failed']])
      isFolded(play)
    })
  })

  test('a cancel at a gate, at a manual step, in a wait, after a pause, and before anything was done', () => {
    const at = (second: StepSketch) => {
      const play = start([undo, second]).ends(ok())
      play.decide('cancel', { rollback: true })
      expect(works(play)).toEqual(['rollback:1#1'])
      expect(play.timers.size).toBe(0)
      expect(viewOf(play.run)).toMatchObject({ openGates: [], openInputs: [] })
      play.ends(ok())
      expect(play.state).toBe('cancelled')
      isFolded(play)
      return states(play)[1]
    }
    expect(at({ requiresApproval: true, approvalTimeoutMs: HOUR })).toBe('pending')
    expect(at({ action: { kind: 'manual', dueMs: HOUR } })).toBe('skipped')
    expect(at({ action: { kind: 'wait', durationMs: HOUR } })).toBe('skipped')
    const paused = start([undo, { onFailure: { kind: 'pause' } }])
      .ends(ok())
      .ends(failed())
    paused.decide('cancel', { rollback: true })
    expect(works(paused)).toEqual(['rollback:1#1'])
    isFolded(paused)
    const fresh = start([{}], { mode: 'supervised' })
    expect(fresh.decide('cancel', { rollback: true })).toMatchObject({ status: 'cancelled' })
    expect(fresh.types).not.toContain('rollback_started')
  })

  test('the time limit of the run: on_run_timeout = rollback', () => {
    const play = start([undo, {}], { timeoutMs: HOUR, onRunTimeout: 'rollback' }).ends(ok()).wait(HOUR)
    expect(play.cancelled.at(-1)).toBe('step:2#1')
    play.ends(failed({ outcome: 'cancelled' }))
    expect(play.last('rollback_started').details).toMatchObject({ because: 'timeout', steps: [1] })
    expect(play.timers.size).toBe(0)
    play.ends(ok())
    expect(play.state).toBe('failed')
    expect(play.last('run_failed').details.reason).toBe('the run took longer than 1h')
    isFolded(play)
  })
})

describe('an undo that fails', () => {
  test.each([
    ['fails', failed(), 'exit code 1'],
    ['is lost', LOST, 'nobody knows whether it ran: its worker died'],
  ])('or %s stops the walk for a person', (_, result, error) => {
    const play = walking().ends(result)
    expect(play.last('rollback_failed')).toMatchObject({ stepNumber: 2, details: { attempt: 1, error } })
    expect(play.last('run_paused')).toMatchObject({
      stepNumber: 2,
      details: { kind: 'rollback', reason: `the undo of step 2 "Step 2" failed: ${error}` },
    })
    expect(play).toMatchObject({ state: 'paused' })
    expect(play.works.size).toBe(0)
    isFolded(play)
  })

  test('is done again by retry, with its next attempt', () => {
    const play = walking().ends(failed())
    expect(play.decide('retry', { comment: 'freed the disk' })).toMatchObject({ accepted: true, stepNumber: 2 })
    expect(play.last('run_retried').details).toMatchObject({ fromStep: 2, undo: true, comment: 'freed the disk' })
    expect(works(play)).toEqual(['rollback:2#2'])
    play.ends(ok()).ends(ok())
    expect(states(play)).toEqual(['rolled_back', 'rolled_back', 'failed'])
    isFolded(play)
  })

  test('is passed over by skip, and the walk goes on before it', () => {
    const play = walking().ends(failed())
    expect(play.decide('skip', { reason: 'by hand' })).toMatchObject({ accepted: true, stepNumber: 2, action: 'left' })
    expect(play.last('run_resumed').details).toMatchObject({ leaves: 2, comment: 'by hand' })
    expect(works(play)).toEqual(['rollback:1#1'])
    play.ends(ok())
    expect(states(play)).toEqual(['rolled_back', 'success', 'failed'])
    isFolded(play)
  })

  test('is left with all before it by cancel', () => {
    const play = walking().ends(failed())
    expect(play.decide('cancel', { reason: 'enough' })).toMatchObject({ accepted: true, status: 'cancelled' })
    expect(states(play)).toEqual(['success', 'success', 'failed'])
    isFolded(play)
  })

  test.each([
    ['resume', {}, 'conflict', /retry, skip or cancel it/],
    ['approve', {}, 'conflict', /is being rolled back/],
    ['complete', { step: 2 }, 'conflict', /is being rolled back/],
    ['cancel', { rollback: true }, 'conflict', /is being rolled back .* already/],
    ['retry', { step: 1 }, 'conflict', /stands at step 2, not 1/],
    ['retry', { params: { a: 1 } }, 'invalid', /"params" means nothing to that/],
  ] as const)('is not answered by %s %j', (kind, decision, code, reason) => {
    const play = walking().ends(failed())
    expect(play.decide(kind, decision)).toMatchObject({ accepted: false, code, status: 'paused' })
    expect(play.last('decision_refused').details.reason).toMatch(reason)
    isFolded(play)
  })
})

describe('a point of no return', () => {
  const gone = { pointOfNoReturn: true } as const

  test('stops the walk behind it and asks, whether it has a rollback or not', () => {
    for (const first of [gone, { ...gone, rollback: [] }]) {
      const play = walking(first)
      expect(play.last('rollback_started').details.steps).toEqual([2, 1])
      play.ends(ok())
      expect(play.last('run_paused')).toMatchObject({
        stepNumber: 1,
        details: { kind: 'rollback', reason: 'step 1 "Step 1" is a point of no return' },
      })
      expect(play.works.size).toBe(0)
      isFolded(play)
    }
  })

  test('also stops the walk that a person asked for by cancel', () => {
    const play = start([undo, { ...undo, ...gone }, {}])
      .ends(ok())
      .ends(ok())
    play.decide('cancel', { rollback: true })
    play.ends(failed({ outcome: 'cancelled' }))
    expect(play.last('run_paused').details.reason).toMatch(/point of no return/)
    expect(play.decide('cancel')).toMatchObject({ accepted: true, status: 'cancelled' })
    expect(states(play)).toEqual(['success', 'success', 'failed'])
  })

  test('is gone past by retry, which undoes it, and by skip, which leaves it', () => {
    const undone = walking({}, gone)
    undone.decide('retry')
    expect(works(undone)).toEqual(['rollback:2#1'])
    undone.ends(failed())
    expect(undone.state).toBe('paused')
    undone.decide('retry')
    undone.ends(ok()).ends(ok())
    expect(states(undone)).toEqual(['rolled_back', 'rolled_back', 'failed'])
    const left = walking({}, { ...gone, rollback: [] })
    expect(left.decide('retry')).toMatchObject({ accepted: true, action: 'left' })
    expect(works(left)).toEqual(['rollback:1#1'])
    for (const play of [undone, left]) isFolded(play)
  })

  test('that was never passed stops nothing', () => {
    const play = start([undo, { ...gone, ...BACK }])
      .ends(ok())
      .ends(failed())
    expect(play.last('rollback_started').details.steps).toEqual([1])
  })
})

describe('a step of which nobody knows whether it ran', () => {
  test('stops the walk and asks whether to undo it', () => {
    const play = start([undo, undo, {}]).ends(ok()).ends(LOST)
    play.decide('cancel', { rollback: true })
    expect(play.last('rollback_started').details.steps).toEqual([2, 1])
    expect(play.last('run_paused').details.reason).toMatch(
      /^nobody knows whether step 2 .* so nobody knows whether to undo/,
    )
    play.decide('skip')
    expect(works(play)).toEqual(['rollback:1#1'])
    isFolded(play)
  })
})

describe('an undo gets what its step had handed on', () => {
  const rows = ok({ outputs: { rows: '42' } })
  const outputsOf = (play: Play) => {
    const [work] = play.works.values()
    if (work?.kind !== 'rollback') throw new Error('no undo is under way')
    return commandTask(play.run, work, []).outputs
  }

  test('also when its verification failed, so that nobody else got it', () => {
    const play = start([{ ...undo, ...BACK, verify: [command('v')] }])
      .ends(rows)
      .ends(failed())
    expect(outputsOf(play)).toEqual({ rows: '42' })
    isFolded(play)
  })

  test('also when it was to be done again', () => {
    const play = start([{}, undo, { onFailure: { kind: 'pause' } }])
      .ends(ok())
      .ends(rows)
      .ends(failed())
    play.decide('retry', { step: 1 })
    play.decide('cancel', { rollback: true })
    play.ends(failed({ outcome: 'cancelled' }))
    expect(play.run.outputs).toEqual({})
    expect(outputsOf(play)).toEqual({ rows: '42' })
    isFolded(play)
  })
})

describe('while a run walks back', () => {
  test('pause takes effect after the undo that is under way, and resume goes on', () => {
    const play = walking()
    expect(play.decide('pause')).toMatchObject({ accepted: true, action: 'pause requested', status: 'running' })
    expect(works(play)).toEqual(['rollback:2#1'])
    expect(play.cancelled).not.toContain('rollback:2#1')
    play.ends(ok())
    expect(play.state).toBe('paused')
    expect(play.works.size).toBe(0)
    isFolded(play)
    expect(play.decide('resume')).toMatchObject({ accepted: true, status: 'running' })
    play.ends(ok())
    expect(play.state).toBe('failed')
    isFolded(play)
  })

  test('cancel ends the undo that is under way and all that would follow', () => {
    const play = walking()
    expect(play.decide('cancel', { reason: 'leave it' })).toMatchObject({ accepted: true, action: 'cancelled' })
    expect(play.cancelled.at(-1)).toBe('rollback:2#1')
    expect(play.state).toBe('running')
    play.ends(failed({ outcome: 'cancelled', error: 'cancelled' }))
    expect(play.state).toBe('cancelled')
    expect(play.types.slice(-2)).toEqual(['rollback_failed', 'run_cancelled'])
    isFolded(play)
    const late = walking()
    late.decide('cancel')
    late.ends(ok())
    expect(late.types.slice(-2)).toEqual(['step_rolled_back', 'run_cancelled'])
    expect(late.works.size).toBe(0)
    isFolded(late)
  })
})

test('finishedLastFirst() shows finished steps in the order in which the walk comes by them', () => {
  const play = start([undo, { ...undo, needs: [] }, { needs: [1, 2] }])
  play.nowMs += 1_000
  play.ends(ok(), 'step:2#1')
  play.nowMs += 1_000
  play.ends(ok(), 'step:1#1')
  expect(finishedLastFirst(viewOf(play.run).stepResults).map(({ number }) => number)).toEqual([1, 2])
  expect(walkOf(play.run)).toEqual([1, 2])
  const inLine = walking()
  expect(finishedLastFirst(viewOf(inLine.run).stepResults).map(({ number }) => number)).toEqual(walkOf(inLine.run))
})

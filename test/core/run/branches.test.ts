import { describe, expect, test } from 'vitest'
import type { OnFailure } from '../../../src/core/definition.ts'
import { fold } from '../../../src/core/run/evolve.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { bash, sopOf, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

// branches.test.ts: steps that say what they need, and therefore run beside each other.

const HOUR = 3_600_000
const manual = { kind: 'manual' } as const

/** Prepare; then two branches of it, of which the second is as asked; then a step that needs both. */
const diamond = (right: StepSketch = {}, last: StepSketch = {}) =>
  sopOf({ steps: [{}, { needs: [1] }, { needs: [1], ...right }, { needs: [2, 3], ...last }] })

/** Works that were told to end and have not ended yet. */
const ending = (play: Play) => play.cancelled.filter((id) => play.works.has(id))

const running = (play: Play) => [...play.works.keys()].sort()

const started = (definition: Parameters<typeof sopOf>[0] | ReturnType<typeof sopOf>) =>
  new Play('dialect' in definition ? (definition as ReturnType<typeof sopOf>) : sopOf(definition)).start()

describe('a step with needs', () => {
  test('begins as soon as those are done, beside others', () => {
    const play = started(diamond())
    expect(running(play)).toEqual(['step:1#1'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:2#1', 'step:3#1'])
    play.ends(ok(), 'step:3#1')
    expect(running(play)).toEqual(['step:2#1'])
    play.ends(ok(), 'step:2#1')
    expect(running(play)).toEqual(['step:4#1'])
    play.ends(ok())
    expect(play.state).toBe('completed')
    expect(play.run).toEqual(fold(play.seed, play.events))
  })

  test('that are empty begins at once, and a step without needs waits for the one above', () => {
    const play = started({ steps: [{}, { needs: [] }, {}] })
    expect(running(play)).toEqual(['step:1#1', 'step:2#1'])
    play.ends(ok(), 'step:1#1')
    expect(running(play)).toEqual(['step:2#1'])
    play.ends(ok(), 'step:2#1')
    expect(running(play)).toEqual(['step:3#1'])
  })

  test('may need a step below it', () => {
    const play = started({ steps: [{ needs: [2] }, { needs: [] }] })
    expect(running(play)).toEqual(['step:2#1'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:1#1'])
    play.ends(ok())
    expect(play.state).toBe('completed')
  })

  test('goes on when what it needs was skipped by its condition', () => {
    const play = started({ steps: [{ if: 'no_such_name' }, { needs: [1] }] })
    expect(running(play)).toEqual(['step:2#1'])
  })

  test('waits for the gates behind what it needs', () => {
    const play = started({
      gates: [{ key: 'sign_off', type: 'approval', position: { at: 'after', step: 1 }, required: true }],
      steps: [{}, { needs: [1] }, { needs: [] }],
    })
    play.ends(ok(), 'step:1#1')
    expect(running(play)).toEqual(['step:3#1'])
    play.decide('approve', { gate: 'sign_off' })
    expect(running(play)).toEqual(['step:2#1', 'step:3#1'])
  })

  test('max_parallel of the SOP is the most that is under way at once, in document order', () => {
    const play = started({ maxParallel: 2, steps: [{ needs: [] }, { needs: [] }, { needs: [] }, { needs: [] }] })
    expect(running(play)).toEqual(['step:1#1', 'step:2#1'])
    play.ends(ok(), 'step:2#1')
    expect(running(play)).toEqual(['step:1#1', 'step:3#1'])
    play.ends(ok(), 'step:1#1').ends(ok(), 'step:3#1').ends(ok(), 'step:4#1')
    expect(play.state).toBe('completed')
  })

  test('a step between two tries keeps its place', () => {
    const play = started({
      maxParallel: 1,
      steps: [{ needs: [], retries: 1, retryDelayMs: HOUR }, { needs: [] }],
    })
    play.ends(failed())
    expect(running(play)).toEqual([])
    play.wait(HOUR)
    expect(running(play)).toEqual(['step:1#2'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:2#1'])
  })

  test('gates around the whole run stand before the first of all branches and after the last', () => {
    const play = started({
      gates: [
        { key: 'pre_look', type: 'approval', position: { at: 'start' }, required: true },
        { key: 'post_look', type: 'approval', position: { at: 'end' }, required: true },
      ],
      steps: [{ needs: [] }, { needs: [] }],
    })
    expect(running(play)).toEqual([])
    play.decide('approve')
    play.ends(ok(), 'step:1#1')
    expect(play.state).toBe('running')
    play.ends(ok(), 'step:2#1')
    expect(viewOf(play.run).openGates.map(({ gate }) => gate)).toEqual(['post_look'])
    play.decide('approve')
    expect(play.state).toBe('completed')
  })

  test('previous_step is the one above it in the document, whichever branch it belongs to', () => {
    const play = started({
      steps: [
        { title: 'Slow', needs: [] },
        { title: 'Quick', needs: [], onFailure: { kind: 'continue' } },
        { needs: [1], if: 'previous_step == "failed"' },
        { needs: [2], if: 'previous_step == "success"' },
      ],
    })
    play.ends(failed(), 'step:2#1')
    expect(viewOf(play.run).stepResults[3]).toMatchObject({ status: 'skipped' })
    play.ends(ok(), 'step:1#1')
    expect(running(play)).toEqual(['step:3#1'])
  })
})

describe('two open gates', () => {
  const gates = () =>
    started({
      steps: [
        { title: 'A', needs: [], requiresApproval: true, approvalTimeoutMs: HOUR },
        { title: 'B', needs: [], requiresApproval: true, approvalTimeoutMs: 2 * HOUR },
        { title: 'A2', needs: [1] },
        { title: 'B2', needs: [2] },
      ],
    })

  test('are both listed, and a decision without gate is refused with the list', () => {
    const play = gates()
    expect(play.state).toBe('awaiting_approval')
    expect(viewOf(play.run).openGates.map(({ gate }) => gate)).toEqual(['1-a', '2-b'])
    expect(play.decide('approve')).toMatchObject({
      accepted: false,
      code: 'conflict',
      reason: 'several gates are open: "1-a", "2-b"; name one',
    })
  })

  test('are each answered by itself: one branch moves at once while the other waits', () => {
    const play = gates()
    expect(play.decide('approve', { step: 2 })).toMatchObject({ accepted: true, gate: '2-b', status: 'running' })
    expect(running(play)).toEqual(['step:2#1'])
    expect(viewOf(play.run).openGates.map(({ gate }) => gate)).toEqual(['1-a'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:4#1'])
    play.ends(ok())
    expect(play.state).toBe('awaiting_approval')
    expect(play.decide('approve')).toMatchObject({ accepted: true, gate: '1-a' })
    expect(running(play)).toEqual(['step:1#1'])
  })

  test('have a timer each, and the one that fires leaves the other alone', () => {
    const play = gates()
    expect([...play.timers.keys()]).toEqual(['gate:1-a#1', 'gate:2-b#1'])
    play.wait(HOUR)
    expect(running(play)).toEqual(['step:1#1'])
    expect([...play.timers.keys()]).toEqual(['gate:2-b#1'])
  })

  test('a rejection pauses the run, and the other gate stands still with its deadline until the retry', () => {
    const play = gates()
    expect(play.decide('reject', { gate: '1-a' })).toMatchObject({ accepted: true, status: 'paused' })
    expect(play.timers.size).toBe(0)
    expect(play.decide('approve', { gate: '2-b' })).toMatchObject({ accepted: false, code: 'conflict' })
    play.wait(5 * HOUR)
    expect(play.decide('retry')).toMatchObject({ accepted: true, status: 'awaiting_approval' })
    expect(viewOf(play.run).openGates).toMatchObject([
      { gate: '1-a', attempt: 2 },
      { gate: '2-b', attempt: 1 },
    ])
    // Two hours from the start of the run, and five of standing still.
    expect(play.timers.get('gate:2-b#1')?.at).toBe('2026-03-01T15:00:00.000Z')
  })

  test('a rejection that fails the run ends the other branches first', () => {
    const play = started({
      steps: [
        { title: 'A', needs: [], requiresApproval: true, onReject: 'fail' },
        { title: 'B', needs: [] },
      ],
    })
    play.decide('reject', { step: 1, reason: 'no' })
    expect(ending(play)).toEqual(['step:2#1'])
    expect(play.closedAs).toBeUndefined()
    expect(play.decide('pause')).toMatchObject({ accepted: false, code: 'conflict' })
    play.ends(failed({ outcome: 'cancelled', error: 'cancelled' }))
    expect(play.closedAs).toBe('failed')
    expect(play.last('run_failed').details.reason).toBe('gate "1-a" was rejected by bob')
  })
})

describe('the failure of one branch', () => {
  const fails = (onFailure?: OnFailure, more: StepSketch = {}) => {
    const play = started(diamond({ ...(onFailure && { onFailure }), ...more }))
    play.ends(ok())
    return play
  }

  test('pause: the others go on to their end, and nothing new begins', () => {
    const play = fails({ kind: 'pause' })
    play.ends(failed(), 'step:3#1')
    expect(play.state).toBe('paused')
    expect(ending(play)).toEqual([])
    expect(running(play)).toEqual(['step:2#1'])
    play.ends(ok(), 'step:2#1')
    expect(play.state).toBe('paused')
    expect(running(play)).toEqual([])
    expect(play.decide('retry')).toMatchObject({ accepted: true, stepNumber: 3 })
    expect(running(play)).toEqual(['step:3#2'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:4#1'])
  })

  test('pause: a wait step of another branch ends in its time', () => {
    const play = started({
      steps: [
        { needs: [], action: { kind: 'wait', durationMs: HOUR } },
        { needs: [], onFailure: { kind: 'pause' } },
        { needs: [1] },
      ],
    })
    play.ends(failed(), 'step:2#1')
    play.wait(HOUR)
    expect(viewOf(play.run)).toMatchObject({
      status: 'paused',
      stepResults: [{ status: 'success' }, {}, { status: 'pending' }],
    })
  })

  test('pause: two that failed are answered by one retry, or each by itself', () => {
    const both = () => {
      const play = started({
        steps: [
          { needs: [], onFailure: { kind: 'pause' } },
          { needs: [], onFailure: { kind: 'pause' } },
        ],
      })
      return play.ends(failed(), 'step:1#1').ends(failed(), 'step:2#1')
    }
    const together = both()
    together.decide('retry')
    expect(running(together)).toEqual(['step:1#2', 'step:2#2'])
    const apart = both()
    expect(apart.decide('skip', { step: 2 })).toMatchObject({ accepted: true, status: 'paused' })
    expect(apart.decide('skip', { step: 1 })).toMatchObject({ accepted: true, status: 'completed' })
    expect(apart.run).toEqual(fold(apart.seed, apart.events))
  })

  test('fail: the others are ended, then the run fails for what failed first', () => {
    const play = fails({ kind: 'fail' })
    play.ends(failed(), 'step:3#1')
    expect(ending(play)).toEqual(['step:2#1'])
    expect(play.closedAs).toBeUndefined()
    play.ends(failed({ outcome: 'cancelled', error: 'cancelled' }), 'step:2#1')
    expect(play.closedAs).toBe('failed')
    expect(play.last('run_failed')).toMatchObject({
      stepNumber: 3,
      details: { reason: 'step 3 "Step 3" failed: exit code 1' },
    })
    expect(play.run).toEqual(fold(play.seed, play.events))
  })

  test('fail: a branch that ends well before it is ended stays done', () => {
    const play = fails({ kind: 'fail' })
    play.ends(failed(), 'step:3#1').ends(ok(), 'step:2#1')
    expect(viewOf(play.run)).toMatchObject({ status: 'failed', stepResults: [{}, { status: 'success' }, {}, {}] })
  })

  test('continue: what needs it begins all the same', () => {
    const play = fails({ kind: 'continue' })
    play.ends(failed(), 'step:3#1').ends(ok(), 'step:2#1')
    expect(running(play)).toEqual(['step:4#1'])
  })

  test('retry: it is tried again while the others go on', () => {
    const play = fails({ kind: 'retry', times: 1 }, { retryDelayMs: HOUR })
    play.ends(failed(), 'step:3#1')
    expect(play.state).toBe('running')
    expect([...play.timers.keys()]).toEqual(['retry:3#1'])
    play.ends(ok(), 'step:2#1').wait(HOUR)
    expect(running(play)).toEqual(['step:3#2'])
  })

  test('goto back: what lies on the way is done again, the other branch is left alone', () => {
    const play = started({
      steps: [
        { title: 'Prepare' },
        { title: 'Other', needs: [1] },
        { title: 'Build', needs: [1] },
        { title: 'Check', needs: [3], onFailure: { kind: 'goto', step: 3 } },
        { title: 'Finish', needs: [2, 4] },
      ],
    })
    play.ends(ok()).ends(ok(), 'step:3#1').ends(failed(), 'step:4#1')
    expect(running(play)).toEqual(['step:2#1', 'step:3#2'])
    expect(play.run.steps.map(({ visits }) => visits)).toEqual([1, 1, 2, 2, 1])
  })

  test('goto back: it has a bound, and past it the failure counts as one', () => {
    const play = started({
      steps: [{ needs: [] }, { needs: [1], onFailure: { kind: 'goto', step: 1 } }, { needs: [] }],
    })
    for (let visit = 1; visit <= 5; visit++) play.ends(ok(), `step:1#${visit}`).ends(failed(), `step:2#${visit}`)
    expect(play.last('step_failed').details).toMatchObject({
      then: 'fail',
      error: 'exit code 1; step 1 was visited 5 times, which is the limit',
    })
    expect(ending(play)).toEqual(['step:3#1'])
  })

  test('goto forward: the steps on the way are passed over, on record', () => {
    const play = started({
      steps: [
        { title: 'Try', onFailure: { kind: 'goto', step: 4 } },
        { title: 'Deploy', needs: [1] },
        { title: 'Watch', needs: [] },
        { title: 'Clean up', needs: [2, 3] },
      ],
    })
    play.ends(failed(), 'step:1#1')
    expect(play.events.filter((event) => event.eventType === 'step_skipped')).toMatchObject([
      { stepNumber: 2, details: { title: 'Deploy', reason: 'step 1 failed and went on at step 4' } },
    ])
    expect(running(play)).toEqual(['step:3#1'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:4#1'])
    expect(play.run).toEqual(fold(play.seed, play.events))
  })
})

describe('run control with branches', () => {
  test('cancel ends all of them, and the run is over when the last is gone', () => {
    const play = started({ steps: [{ needs: [] }, { needs: [] }, { needs: [], requiresApproval: true }] })
    play.decide('cancel', { reason: 'enough' })
    expect(ending(play)).toEqual(['step:1#1', 'step:2#1'])
    play.ends(failed({ outcome: 'cancelled' }), 'step:1#1')
    expect(play.closedAs).toBeUndefined()
    play.ends(failed({ outcome: 'cancelled' }), 'step:2#1')
    expect(play.closedAs).toBe('cancelled')
  })

  test('pause takes effect where a step would begin: what runs goes on, and resume begins it', () => {
    const play = started(diamond())
    play.ends(ok())
    expect(play.decide('pause')).toMatchObject({ accepted: true, action: 'pause requested', status: 'running' })
    play.ends(ok(), 'step:2#1')
    expect(play.state).toBe('running')
    play.ends(ok(), 'step:3#1')
    expect(play.state).toBe('paused')
    play.decide('resume')
    expect(running(play)).toEqual(['step:4#1'])
  })

  test('pause takes effect at once where a branch stands at a gate', () => {
    const play = started({ steps: [{ needs: [] }, { needs: [], requiresApproval: true }] })
    expect(play.decide('pause')).toMatchObject({ accepted: true, status: 'paused' })
    expect(running(play)).toEqual(['step:1#1'])
    expect(play.decide('approve')).toMatchObject({ accepted: false })
    play.ends(ok())
    play.decide('resume')
    expect(play.state).toBe('awaiting_approval')
  })

  test('the state is running while any branch moves, else awaiting_approval', () => {
    const play = started({
      steps: [
        { needs: [], action: manual },
        { needs: [], requiresApproval: true },
        { needs: [1], action: bash('true') },
      ],
    })
    expect(play.state).toBe('running')
    play.decide('complete', { step: 1 })
    expect(play.state).toBe('running')
    play.ends(ok())
    expect(play.state).toBe('awaiting_approval')
  })

  test('an unknown branch pauses the run, and the others go on to their end', () => {
    const play = started({ steps: [{ needs: [] }, { needs: [] }, { needs: [2] }] })
    play.ends({ outcome: 'lost', error: 'its worker died' }, 'step:1#1')
    expect(play.run.paused).toMatchObject({ kind: 'unknown', stepNumber: 1 })
    play.ends(ok(), 'step:2#1')
    expect(running(play)).toEqual([])
    expect(play.decide('complete', { step: 1 })).toMatchObject({ accepted: true })
    expect(running(play)).toEqual(['step:3#1'])
  })
})

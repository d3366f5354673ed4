import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/core/run/evolve.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { MAX_UNRECORDED_BYTES } from '../../../src/core/run/record-hold.ts'
import type { RunPolicy, RunSeed } from '../../../src/core/run/run.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { command, sopOf, type SopSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

// record-hold.test.ts: how far a run goes on whose events cannot be put on record.

const MINUTE = 60_000
const POLICY: Partial<RunPolicy> = { recordLimit: { events: 10, ageMs: 5 * MINUTE } }

const start = (sketch: SopSketch, seed: Partial<RunSeed> = {}, policy = POLICY) =>
  new Play(sopOf(sketch), seed, policy).start()
const instant = (play: Play, agoMs = 0) => new Date(play.nowMs - agoMs).toISOString()
const behind = (play: Play, unrecorded: number, { bytes = 100, agoMs = 0, isDown = true } = {}): Play => {
  const since = isDown ? { since: instant(play, agoMs) } : {}
  play.tell({ kind: 'record_news', unrecorded, bytes, oldestAt: instant(play, agoMs), ...since })
  return play
}
const whole = (play: Play): Play => {
  play.tell({ kind: 'record_news', unrecorded: 0, bytes: 0 })
  return play
}
const running = (play: Play) => [...play.works.keys()]

test.each([
  ['ten events wait', 10, {}, 'events'],
  ['the oldest is five minutes old', 1, { agoMs: 5 * MINUTE }, 'age'],
  ['they are too large to travel with the run', 2, { bytes: MAX_UNRECORDED_BYTES }, 'bytes'],
])('a run is held once %s', (_, unrecorded, how, limit) => {
  const play = behind(start({ steps: [{}, {}] }), unrecorded, how)
  expect(play.last('run_held').details).toMatchObject({ limit, unrecorded })
  expect(viewOf(play.run)).toMatchObject({
    status: 'running',
    held: { unrecorded },
    reason: expect.stringMatching(/^the record cannot be written since .*: nothing new begins until it can$/),
  })
})

test.each([
  ['the store takes what comes, however much that is', 10_000, { isDown: false, agoMs: 60 * MINUTE }],
  ['less waits', 9, { agoMs: 5 * MINUTE - 1, bytes: MAX_UNRECORDED_BYTES - 1 }],
])('a run goes on while %s', (_, unrecorded, how) => {
  expect(behind(start({ steps: [{}, {}] }), unrecorded, how).types).not.toContain('run_held')
})

test('without a setting of its installation it is 500 events or an hour', () => {
  const play = start({ steps: [{}] }, {}, {})
  expect(behind(behind(play, 499), 1, { agoMs: 60 * MINUTE - 1 }).types).not.toContain('run_held')
  expect(behind(play, 500).types).toContain('run_held')
})

test('a run that began under older rules is not held', () => {
  expect(behind(start({ steps: [{}] }, { rulesVersion: 4 }), 10_000).types).not.toContain('run_held')
})

describe('a run that is held', () => {
  test('ends what is under way, begins no step, and goes on once all is on record', () => {
    const play = behind(start({ steps: [{}, {}] }), 10)
    play.ends(ok())
    expect([play.types.at(-1), running(play), play.state]).toEqual(['step_completed', [], 'running'])
    play.wait(3 * MINUTE)
    behind(play, 3)
    expect(play.types.at(-1)).toBe('step_completed')
    whole(play)
    expect(play.last('run_released').details).toMatchObject({ duration_ms: 3 * MINUTE })
    expect([play.types.at(-1), running(play)]).toEqual(['step_started', ['step:2#1']])
    expect(viewOf(play.run).held).toBeUndefined()
    play.ends(ok())
    expect(play.state).toBe('completed')
    expect(fold(play.seed, JSON.parse(JSON.stringify(play.events)) as RunEvent[])).toEqual(play.run)
  })

  test('is told once, and only what is held is released', () => {
    const play = behind(behind(start({ steps: [{}] }), 10), 11)
    whole(whole(play))
    expect(play.types.filter((type) => type === 'run_held' || type === 'run_released')).toEqual([
      'run_held',
      'run_released',
    ])
  })

  test('verifies the step that is under way', () => {
    const play = behind(start({ steps: [{ verify: [command('true')] }, {}] }), 10)
    play.ends(ok())
    expect(running(play)).toEqual(['verify:1#1'])
  })

  test('begins no item, not even one that is tried again', () => {
    const play = start({ steps: [{ forEach: ['a', 'b', 'c'], maxParallel: 1, retries: 2 }] })
    behind(play, 10).ends(failed())
    expect(running(play)).toEqual([])
    expect(play.state).toBe('running')
    play.wait(MINUTE)
    whole(play)
    expect(running(play)).toEqual(['step:1[1]#2'])
    behind(play, 10).ends(ok())
    expect(running(play)).toEqual([])
    expect(running(whole(play))).toEqual(['step:1[2]#1'])
  })

  test('does not end a step whose last item is to be tried again', () => {
    const play = start({ steps: [{ forEach: ['a'], retries: 1 }] })
    behind(play, 10).ends(failed())
    expect([running(play), play.run.steps[0]?.state]).toEqual([[], 'running'])
    expect(running(whole(play))).toEqual(['step:1[1]#2'])
  })

  test('lets the other branches come to their end, with their timers', () => {
    const wait = { kind: 'wait', durationMs: 10 * MINUTE } as const
    const play = start({ steps: [{ needs: [] }, { needs: [], action: wait }, { needs: [1] }] })
    behind(play, 10).ends(ok(), 'step:1#1')
    expect(running(play)).toEqual([])
    play.wait(10 * MINUTE)
    expect(play.run.steps.map(({ state }) => state)).toEqual(['success', 'success', 'pending'])
    expect(running(whole(play))).toEqual(['step:3#1'])
  })

  test('takes decisions: its gate is decided, and the step behind it waits', () => {
    const play = start({ steps: [{ requiresApproval: true }] })
    behind(play, 10)
    expect(play.decide('approve').accepted).toBe(true)
    expect([play.types.at(-1), running(play)]).toEqual(['approval_granted', []])
    expect(running(whole(play))).toEqual(['step:1#1'])
  })

  test('acts when the time of its gate is up', () => {
    const play = start({ steps: [{ requiresApproval: true, approvalTimeoutMs: MINUTE, onTimeout: 'approve' }] })
    behind(play, 10).wait(MINUTE)
    expect([play.types.at(-1), running(play)]).toEqual(['approval_timeout', []])
  })

  test('can be paused and resumed, and stays held', () => {
    const play = behind(start({ steps: [{}, {}] }), 10)
    play.decide('pause')
    play.ends(ok())
    expect(play.state).toBe('paused')
    whole(play)
    expect([play.state, running(play)]).toEqual(['paused', []])
    play.decide('resume')
    expect(running(play)).toEqual(['step:2#1'])
  })

  test('is cancelled at once, and a walk back goes on', () => {
    const play = start({ steps: [{ rollback: [command('undo')] }, {}] })
    play.ends(ok())
    behind(play, 10).decide('cancel', { rollback: true })
    play.ends(failed({ outcome: 'cancelled' }), 'step:2#1')
    expect(running(play)).toEqual(['rollback:1#1'])
    play.ends(ok())
    expect(play.state).toBe('cancelled')
    expect(whole(play).types.at(-1)).toBe('run_cancelled')
  })
})

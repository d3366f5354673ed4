import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/core/run/evolve.ts'
import { effectsOf } from '../../../src/core/run/transition.ts'
import { sopOf, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const HOUR = 3_600_000
const late = { action: { kind: 'sop', sop: 'other' }, timeoutMs: HOUR } satisfies StepSketch
const start = (...steps: readonly StepSketch[]) => new Play(sopOf({ steps })).start()
const isFolded = (play: Play) => expect(play.run).toEqual(fold(play.seed, play.events))
const works = (play: Play) => [...play.works.keys()]

/** The child says how it ended. */
const ends = (play: Play, workId: string, outcome: 'ok' | 'failed' | 'cancelled' = 'cancelled'): void => {
  play.works.delete(workId)
  const result = outcome === 'ok' ? { outcome, outputs: { a: 1 } } : { outcome, reason: `was ${outcome}` }
  play.tell({ kind: 'child_ended', workId, result })
}

describe('timeout of a step that runs an SOP', () => {
  test('tells that run to end, waits for its end, and fails the step', () => {
    const play = start({ ...late, onFailure: { kind: 'continue' } }, {})
    expect([...play.timers.values()]).toMatchObject([{ id: 'timeout:1#1', at: '2026-03-01T09:00:00.000Z' }])
    play.wait(HOUR)
    expect(play.last('step_timeout')).toMatchObject({
      stepNumber: 1,
      principal: { kind: 'timer' },
      details: { attempt: 1, reason: 'it took longer than 1h' },
    })
    expect(play.cancelled).toEqual(['child:1#1'])
    // Nothing goes on before it is over.
    expect(works(play)).toEqual(['child:1#1'])
    expect(play.run.steps[0]?.state).toBe('running')
    expect([...play.timers.keys()]).toEqual([])
    ends(play, 'child:1#1')
    expect(play.last('step_failed').details).toMatchObject({
      outcome: 'timed_out',
      error: 'SOP "other" was ended: it took longer than 1h (run sop_run_test-s1-1)',
      then: 'continue',
    })
    expect(works(play)).toEqual(['step:2#1'])
    isFolded(play)
  })

  test('has no meaning once the run is over, and none for a run that is in time', () => {
    const play = start(late)
    ends(play, 'child:1#1', 'ok')
    expect([...play.timers.keys()]).toEqual([])
    play.tell({ kind: 'timer', timerId: 'timeout:1#1' })
    expect(play.state).toBe('completed')
    expect(play.types).not.toContain('step_timeout')
  })

  test('counts one as done that came to its end all the same', () => {
    const play = start(late).wait(HOUR)
    ends(play, 'child:1#1', 'ok')
    expect(play.state).toBe('completed')
    expect(play.run.outputs).toEqual({ a: 1 })
    isFolded(play)
  })

  test('begins anew with each attempt, and a timer of an earlier one means nothing', () => {
    const play = start({ ...late, retries: 1 }).wait(HOUR)
    ends(play, 'child:1#1')
    expect(works(play)).toEqual(['child:1#2'])
    expect([...play.timers.values()]).toMatchObject([{ id: 'timeout:1#2', at: '2026-03-01T10:00:00.000Z' }])
    play.tell({ kind: 'timer', timerId: 'timeout:1#1' })
    expect(play.cancelled).toEqual(['child:1#1'])
    isFolded(play)
  })

  test('holds for each item by itself', () => {
    const play = start({ ...late, forEach: ['a', 'b'], maxParallel: 2, onFailure: { kind: 'continue' } })
    play.nowMs += HOUR / 2
    ends(play, 'child:1[1]#1', 'ok')
    play.wait(HOUR / 2)
    expect(play.cancelled.at(-1)).toBe('child:1[2]#1')
    expect(play.last('step_timeout').details).toMatchObject({ item: 2 })
    expect(play.state).toBe('running')
    ends(play, 'child:1[2]#1')
    expect(play.last('step_failed').details.error).toContain('1 of 2 items failed: 2 (b)')
    expect(play.state).toBe('completed')
    isFolded(play)
  })

  test('goes on while the run is paused, and a told child is not begun again by pause and resume', () => {
    const play = start(late, {})
    play.decide('pause')
    play.wait(HOUR)
    expect(play.cancelled).toEqual(['child:1#1'])
    play.decide('resume')
    play.decide('pause')
    expect(works(play)).toEqual(['child:1#1'])
    // Another execution that takes the run over begins nothing for it either.
    expect(effectsOf(play.run, new Date(play.nowMs).toISOString())).toEqual([])
    ends(play, 'child:1#1')
    expect(play.run.steps[0]).toMatchObject({ state: 'failed' })
    expect(play.run.steps[0]).not.toHaveProperty('timedOut')
    isFolded(play)
  })

  test('holds while the run stands still for another branch, and begins nothing twice', () => {
    const play = start({ ...late, needs: [] }, { needs: [], onFailure: { kind: 'pause' } }).ends(failed(), 'step:2#1')
    expect(play.state).toBe('paused')
    play.wait(HOUR)
    expect(play.cancelled.at(-1)).toBe('child:1#1')
    expect(effectsOf(play.run, new Date(play.nowMs).toISOString())).toEqual([])
    play.decide('skip', { step: 2 })
    expect(works(play)).toEqual(['child:1#1'])
    ends(play, 'child:1#1')
    expect(play.last('step_failed').details.outcome).toBe('timed_out')
    isFolded(play)
  })

  test('holds while a walk back waits for it', () => {
    const steps: readonly StepSketch[] = [
      { ...late, needs: [] },
      { needs: [], onFailure: { kind: 'rollback' } },
    ]
    const play = start(...steps).ends(failed(), 'step:2#1')
    expect(works(play)).toEqual(['child:1#1'])
    play.wait(HOUR)
    expect(play.cancelled.at(-1)).toBe('child:1#1')
    ends(play, 'child:1#1')
    expect(play.state).toBe('failed')
    isFolded(play)
  })

  test('does not end the verification of the step', () => {
    const play = start({ ...late, verify: [{ interpreter: 'bash', script: 'true' }] })
    ends(play, 'child:1#1', 'ok')
    expect(works(play)).toEqual(['verify:1#1'])
    expect([...play.timers.keys()]).toEqual([])
    play.wait(HOUR).ends(ok())
    expect(play.state).toBe('completed')
  })
})

import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/core/run/evolve.ts'
import { sentence } from '../../../src/core/run/sentence.ts'
import { command, sopOf, type StepSketch } from '../../support/definitions.ts'
import { ok, Play } from '../../support/play.ts'

// child-mended.test.ts: an SOP that ran as a step failed, was retried by itself, and completed.

const other = { action: { kind: 'sop', sop: 'other' }, onFailure: { kind: 'pause' } } satisfies StepSketch
const start = (...steps: readonly StepSketch[]) => new Play(sopOf({ steps })).start()
const isFolded = (play: Play) => expect(play.run).toEqual(fold(play.seed, play.events))
const works = (play: Play) => [...play.works.keys()]

const says = (play: Play, workId: string, outcome: 'ok' | 'failed' | 'cancelled'): Play => {
  play.works.delete(workId)
  const result = outcome === 'ok' ? { outcome, outputs: { a: 1 } } : { outcome, reason: `was ${outcome}` }
  play.tell({ kind: 'child_ended', workId, result })
  return play
}

describe('a run that is paused since an SOP failed that it runs', () => {
  test('goes on with what that one hands up, once it was retried and completed', () => {
    const play = says(start(other, {}), 'child:1#1', 'failed')
    expect(play.state).toBe('paused')
    says(play, 'child:1#1', 'ok')
    expect(works(play)).toEqual(['step:2#1'])
    expect(play.run.outputs).toEqual({ a: 1 })
    expect(play.run.steps[0]).toMatchObject({ state: 'success', attempt: 1 })
    expect(sentence(play.last('run_resumed'))).toContain('The engine let the run go on')
    expect(play.last('run_resumed').details.comment).toBe('run sop_run_test-s1-1 was retried, and completed')
    isFolded(play)
  })

  test('checks first what the step is to verify', () => {
    const play = says(start({ ...other, verify: [command('true')] }), 'child:1#1', 'cancelled')
    says(play, 'child:1#1', 'ok')
    expect(works(play)).toEqual(['verify:1#1'])
    play.ends(ok())
    expect(play.state).toBe('completed')
    isFolded(play)
  })

  test('stands still where it failed again, and where it is paused for something else', () => {
    const again = says(start(other), 'child:1#1', 'failed')
    const before = again.run
    says(again, 'child:1#1', 'failed')
    expect(again.run).toEqual(before)
    const both = says(start(other, { ...other, needs: [] }), 'child:1#1', 'failed')
    says(both, 'child:2#1', 'failed')
    says(both, 'child:2#1', 'ok')
    expect(both).toMatchObject({
      state: 'paused',
      run: { paused: { stepNumber: 1 }, steps: [{}, { state: 'success' }] },
    })
    says(both, 'child:1#1', 'ok')
    expect(both.state).toBe('completed')
  })

  test('passes over the end of an attempt that a retry left behind', () => {
    const play = says(start(other), 'child:1#1', 'failed')
    play.decide('retry')
    expect(works(play)).toEqual(['child:1#2'])
    says(play, 'child:1#1', 'ok')
    expect(works(play)).toEqual(['child:1#2'])
    expect(play.run.steps[0]).toMatchObject({ state: 'running', attempt: 2 })
  })

  test('passes over it by the rules of before, and while it is cancelled', () => {
    const old = says(new Play(sopOf({ steps: [other] }), { rulesVersion: 5 }).start(), 'child:1#1', 'failed')
    expect(says(old, 'child:1#1', 'ok').state).toBe('paused')
    const play = says(start(other), 'child:1#1', 'failed')
    play.decide('cancel')
    expect(says(play, 'child:1#1', 'ok').state).toBe('cancelled')
  })

  test('goes on with an item of its step', () => {
    const play = start({ ...other, forEach: ['x', 'y'] })
    says(says(play, 'child:1[1]#1', 'failed'), 'child:1[2]#1', 'ok')
    expect(play.state).toBe('paused')
    says(play, 'child:1[1]#1', 'ok')
    expect(play.state).toBe('completed')
    expect(play.run.outputs).toEqual({ a: [1, 1] })
    isFolded(play)
  })
})

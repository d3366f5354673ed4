import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/core/run/evolve.ts'
import { command, sopOf, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const LOST = { outcome: 'lost', error: 'its worker died' } as const

const lostAt = (steps: readonly StepSketch[], seed = {}) => new Play(sopOf({ steps }), seed).start().ends(LOST)

const isFolded = (play: Play) => expect(play.run).toEqual(fold(play.seed, play.events))

describe('a step whose worker was lost', () => {
  test('is unknown, and its run pauses and asks, also in mode auto', () => {
    const play = lostAt([{ title: 'Move money' }, {}])
    expect(play.types.slice(-2)).toEqual(['step_unknown', 'run_paused'])
    expect(play.state).toBe('paused')
    expect(play.run.steps[0]?.state).toBe('unknown')
    expect(play.last('run_paused')).toMatchObject({
      stepNumber: 1,
      details: {
        kind: 'unknown',
        reason: 'nobody knows whether step 1 "Move money" ran: its worker died',
      },
    })
    expect(play.works.size).toBe(0)
    isFolded(play)
  })

  test('ends a run that began under the first rules', () => {
    const play = lostAt([{}], { rulesVersion: 1 })
    expect(play.types.slice(-2)).toEqual(['step_unknown', 'run_failed'])
  })

  test('goes on by itself where it is idempotent, but not for ever', () => {
    const play = lostAt([{ idempotent: true }])
    expect([...play.works.keys()]).toEqual(['step:1#2'])
    for (let attempt = 2; attempt <= 6; attempt++) play.ends(LOST)
    expect(play.state).toBe('failed')
    expect(play.types).not.toContain('step_unknown')
  })

  test('that ran, as a person says: its values become outputs, the comment is on record, the next step follows', () => {
    const play = lostAt([{}, {}])
    const reply = play.decide('complete', { step: 1, values: { id: 'T-7' }, comment: 'seen at the bank' })
    expect(reply).toMatchObject({ accepted: true, stepNumber: 1, action: 'completed', status: 'running' })
    expect(play.last('step_completed')).toMatchObject({
      principal: { id: 'bob' },
      details: { outputs: { id: 'T-7' }, comment: 'seen at the bank', attempt: 1 },
    })
    expect(play.run.outputs).toEqual({ id: 'T-7' })
    expect([...play.works.keys()]).toEqual(['step:2#1'])
    isFolded(play)
  })

  test('that ran is meant without its number as well', () => {
    expect(lostAt([{}]).decide('complete')).toMatchObject({ accepted: true, status: 'completed' })
  })

  test('that ran is still checked by its verify commands', () => {
    const play = lostAt([{ verify: [command('test -f done')], onFailure: { kind: 'pause' } }])
    play.decide('complete', { values: { a: 1 }, comment: 'I saw it' })
    expect([...play.works.keys()]).toEqual(['verify:1#1'])
    expect(play.state).toBe('running')
    play.ends(failed())
    expect(play).toMatchObject({ state: 'paused' })
    expect(play.last('verification_started').details).toMatchObject({ comment: 'I saw it' })
    play.decide('retry')
    expect([...play.works.keys()]).toEqual(['step:1#2'])
    isFolded(play)
  })

  test('that ran and failed goes the way of a failure', () => {
    const play = lostAt([{ onFailure: { kind: 'continue' } }, {}])
    expect(play.decide('complete', { failed: true, comment: 'half of it' })).toMatchObject({ action: 'failed' })
    expect(play.last('step_failed').details).toMatchObject({ error: 'half of it', then: 'continue' })
    expect([...play.works.keys()]).toEqual(['step:2#1'])
    isFolded(play)
  })

  test.each([
    ['did not run', { outcome: 'did_not_run', comment: 'the host was off' }],
    ['is to run again', { comment: 'twice is harmless' }],
  ] as const)('that %s begins again with the next attempt', (_, decision) => {
    const play = lostAt([{}, {}])
    expect(play.decide('retry', decision)).toMatchObject({ accepted: true, stepNumber: 1, status: 'running' })
    expect(play.last('run_retried').details).toMatchObject({ fromStep: 1, ...decision })
    expect([...play.works.keys()]).toEqual(['step:1#2'])
    isFolded(play)
  })

  test('may be skipped, and its run cancelled', () => {
    const skipped = lostAt([{}, {}])
    expect(skipped.decide('skip', { reason: 'by hand' })).toMatchObject({ accepted: true, status: 'running' })
    expect(skipped.run.steps[0]).toMatchObject({ state: 'skipped', reason: 'by hand' })
    const cancelled = lostAt([{}, {}])
    expect(cancelled.decide('cancel')).toMatchObject({ accepted: true, status: 'cancelled' })
    expect(cancelled.run.steps[0]?.state).toBe('unknown')
  })

  test.each([
    ['resume', {}, 'conflict', /nobody knows whether step 1/],
    ['approve', {}, 'conflict', /no gate is open/],
    ['complete', { item: 1 }, 'invalid', /has no checklist now/],
    ['complete', { step: 2 }, 'conflict', /step 2 "Step 2" does not wait for a person: it is pending/],
    ['complete', { attempt: 7 }, 'conflict', /attempt 7 of step 1 is over/],
    ['complete', { values: { PATH: '/tmp' } }, 'invalid', /this name is reserved/],
  ] as const)('answers %s %j with %s and says why, on record', (kind, decision, code, reason) => {
    const play = lostAt([{}, {}])
    expect(play.decide(kind, decision)).toMatchObject({ accepted: false, code, status: 'paused' })
    expect(play.last('decision_refused').details.reason).toMatch(reason)
    isFolded(play)
  })

  test('"did not run" is refused for a step that failed', () => {
    const play = new Play(sopOf({ mode: 'step_by_step', steps: [{ requiresApproval: false }] })).start().ends(failed())
    expect(play.decide('retry', { outcome: 'did_not_run' })).toMatchObject({ accepted: false, code: 'invalid' })
  })
})

describe('a check whose worker was lost', () => {
  test('is made again: a verify keeps what its step handed on', () => {
    const play = new Play(sopOf({ steps: [{ verify: [command('test -f x')] }] })).start()
    play.ends(ok({ output: 'done', outputs: { a: '1' }, durationMs: 77 })).ends(LOST)
    expect([...play.works.values()]).toEqual([{ id: 'verify:1#1~1', kind: 'verify', step: 1, attempt: 1, lost: 1 }])
    play.ends(ok())
    expect(play.state).toBe('completed')
    expect(play.last('step_completed').details).toMatchObject({ output: 'done', outputs: { a: '1' }, duration_ms: 77 })
    expect(play.run.steps[0]).not.toHaveProperty('lost')
    isFolded(play)
  })

  test('again and again has failed', () => {
    const play = new Play(sopOf({ steps: [{ verify: [command('x')] }] })).start().ends(ok())
    for (let lost = 0; lost <= 5; lost++) play.ends(LOST)
    expect(play.state).toBe('failed')
    expect(play.last('step_failed').details.error).toBe('verification failed: its worker died')
  })

  test('at a gate asks again with the next attempt', () => {
    const gates = [
      { key: 'post_check', type: 'verification', position: { at: 'end' }, required: true, command: command('x') },
    ] as const
    const play = new Play(sopOf({ gates, steps: [{}] })).start().ends(ok()).ends(LOST)
    expect([...play.works.keys()]).toEqual(['gate:post_check#2'])
    play.ends(ok())
    expect(play.state).toBe('completed')
    isFolded(play)
    const again = new Play(sopOf({ gates, steps: [{}] })).start().ends(ok())
    for (let lost = 0; lost <= 5; lost++) again.ends(LOST)
    expect(again.state).toBe('failed')
  })

  test('is not made again once the run is ending', () => {
    const play = new Play(sopOf({ steps: [{ verify: [command('x')] }] })).start().ends(ok())
    play.decide('cancel')
    play.ends(LOST)
    expect(play.state).toBe('cancelled')
  })
})

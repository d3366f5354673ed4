import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/core/run/evolve.ts'
import { bash, command, condition, sopOf } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const HOUR = 3_600_000

describe('transition() carries a run through its steps', () => {
  test('an auto run goes from step to step and completes', () => {
    const play = new Play(sopOf({ steps: [{}, {}] })).start()
    expect(play.state).toBe('running')
    expect([...play.works.keys()]).toEqual(['step:1#1'])
    play.ends(ok())
    expect([...play.works.keys()]).toEqual(['step:2#1'])
    play.ends(ok())
    expect(play).toMatchObject({ state: 'completed', closedAs: 'completed' })
    expect(play.run).toEqual(fold(play.seed, play.events))
  })

  test('a result that nobody waits for changes nothing', () => {
    const play = new Play(sopOf({ steps: [{}, {}] })).start()
    play.ends(ok())
    const before = play.run
    play.tell({ kind: 'command_result', workId: 'step:1#1', result: failed() })
    expect(play.run).toEqual(before)
  })

  test('a wait step ends by its timer', () => {
    const play = new Play(sopOf({ steps: [{ action: { kind: 'wait', durationMs: HOUR } }] })).start()
    expect([...play.timers.keys()]).toEqual(['wait:1#1'])
    play.wait(HOUR)
    expect(play.state).toBe('completed')
  })

  test('a wait step until a time of day asks for the instant first', () => {
    const play = new Play(sopOf({ steps: [{ action: { kind: 'wait', until: '09:30' } }] })).start()
    expect([...play.works.values()]).toMatchObject([{ kind: 'facts', names: ['until:09:30'] }])
    play.facts({ 'until:09:30': '2026-03-01T09:30:00.000Z' })
    expect([...play.timers.values()]).toMatchObject([{ at: '2026-03-01T09:30:00.000Z' }])
  })
})

describe('transition() holds gates', () => {
  test('a supervised run waits for its start, and its slot and steps come after', () => {
    const play = new Play(sopOf({ mode: 'supervised', steps: [{}] })).start()
    expect(play.state).toBe('waiting_approval')
    expect(play.works.size).toBe(0)
    expect(play.decide('approve')).toMatchObject({ accepted: true, gate: 'start', status: 'running' })
    expect(play.types).toEqual(['run_created', 'approval_requested', 'approval_granted', 'run_started', 'step_started'])
  })

  test('a rejected start cancels the run', () => {
    const play = new Play(sopOf({ mode: 'supervised', steps: [{}] })).start()
    expect(play.decide('reject', { reason: 'no' })).toMatchObject({
      accepted: true,
      action: 'cancelled',
      status: 'cancelled',
    })
  })

  test('a rejected step pauses the run, and retry asks again with the next attempt', () => {
    const play = new Play(sopOf({ steps: [{ requiresApproval: true }] })).start()
    expect(play.state).toBe('awaiting_approval')
    expect(play.decide('reject')).toMatchObject({ accepted: true, action: 'paused', status: 'paused' })
    expect(play.decide('approve')).toMatchObject({ accepted: false, code: 'conflict', decidedBy: 'bob' })
    expect(play.decide('retry')).toMatchObject({ accepted: true, status: 'awaiting_approval' })
    expect(play.decide('approve', { step: 1, attempt: 1 })).toMatchObject({ accepted: false })
    expect(play.decide('approve', { step: 1, attempt: 2 })).toMatchObject({ accepted: true, status: 'running' })
    expect(play.run).toEqual(fold(play.seed, play.events))
  })

  test('an explicit "No" waives the gate of the mode and never one of [gates]', () => {
    const play = new Play(
      sopOf({
        mode: 'step_by_step',
        gates: [{ key: 'look', type: 'approval', position: { at: 'before', step: 1 }, required: true }],
        steps: [{ requiresApproval: false }],
      }),
    ).start()
    expect(Object.keys(play.run.gates)).toEqual(['look'])
    play.decide('approve')
    expect(play.works.size).toBe(1)
  })

  test.each([
    ['approve', 'running'],
    ['reject', 'paused'],
    ['fail', 'failed'],
    ['escalate', 'awaiting_approval'],
  ] as const)('a gate whose time is up does what on_timeout = %s says', (onTimeout, state) => {
    const play = new Play(sopOf({ steps: [{ requiresApproval: true, approvalTimeoutMs: HOUR, onTimeout }] })).start()
    play.wait(HOUR - 1)
    expect(play.state).toBe('awaiting_approval')
    play.wait(1)
    expect(play.state).toBe(state)
    expect(play.last('approval_timeout')).toMatchObject({
      principal: { id: 'timer' },
      via: 'timer',
      details: { action: onTimeout },
    })
    expect(play.types).not.toContain('approval_granted')
    expect(play.timers.size).toBe(0)
  })

  test('a decision cancels the timer of its gate', () => {
    const play = new Play(sopOf({ steps: [{ requiresApproval: true, approvalTimeoutMs: HOUR }] })).start()
    expect([...play.timers.keys()]).toEqual(['gate:1-step_1#1'])
    play.decide('approve')
    expect(play.timers.size).toBe(0)
  })

  test('of two conflicting decisions one wins and the other is told who decided', () => {
    const play = new Play(sopOf({ steps: [{ requiresApproval: true }] })).start()
    expect(play.decide('approve', { step: 1, principal: { id: 'carol', kind: 'user' } })).toMatchObject({
      accepted: true,
    })
    expect(play.decide('reject', { step: 1 })).toMatchObject({ accepted: false, code: 'conflict', decidedBy: 'carol' })
    expect(play.last('decision_refused').details).toMatchObject({ decision: 'reject', decidedBy: 'carol' })
  })

  test('a gate that names approvers takes them and nobody else', () => {
    const play = new Play(sopOf({ steps: [{ requiresApproval: true, approvers: ['carol', 'group:dba'] }] })).start()
    expect(play.decide('approve')).toMatchObject({ accepted: false, code: 'forbidden' })
    expect(
      play.decide('approve', { principal: { id: 'carol', kind: 'user', verified: false }, via: 'signal' }),
    ).toMatchObject({
      accepted: false,
      code: 'forbidden',
    })
    expect(play.decide('approve', { principal: { id: 'dave', kind: 'user', groups: ['dba'] } })).toMatchObject({
      accepted: true,
    })
  })

  test('an agent approves only where the gate names it', () => {
    const agent = { id: 'bot', kind: 'agent' } as const
    const plain = new Play(sopOf({ steps: [{ requiresApproval: true }] })).start()
    expect(plain.decide('approve', { principal: agent })).toMatchObject({ accepted: false, code: 'forbidden' })
    const named = new Play(sopOf({ steps: [{ requiresApproval: true, approvers: ['bot'] }] })).start()
    expect(named.decide('approve', { principal: agent })).toMatchObject({ accepted: true })
  })

  test('a verification gate runs its command, and a failed one stops the run as its mode says', () => {
    const sop = sopOf({
      mode: 'auto',
      gates: [
        {
          key: 'post_patch',
          type: 'verification',
          position: { at: 'end' },
          required: true,
          command: command('npm audit'),
        },
      ],
      steps: [{}],
    })
    const good = new Play(sop).start().ends(ok())
    expect([...good.works.keys()]).toEqual(['gate:post_patch#1'])
    expect(good.ends(ok()).state).toBe('completed')
    expect(new Play(sop).start().ends(ok()).ends(failed()).state).toBe('failed')
    expect(new Play({ ...sop, mode: 'step_by_step' }).start().state).toBe('awaiting_approval')
  })

  test('approve_if asks only when its condition holds', () => {
    const sop = sopOf({ steps: [{ approveIf: 'environment == "production"' }] })
    expect(new Play(sop, { params: { environment: 'production' } }).start().state).toBe('awaiting_approval')
    expect(new Play(sop, { params: { environment: 'staging' } }).start().state).toBe('running')
  })
})

describe('transition() minds conditions', () => {
  test('a false condition skips the step without gate', () => {
    const play = new Play(sopOf({ steps: [{ if: 'ready', requiresApproval: true }, {}] })).start()
    expect(play.types).toEqual(['run_created', 'run_started', 'step_skipped', 'step_started'])
  })

  test('a condition error pauses the run for a person, and retry asks again', () => {
    const play = new Play(sopOf({ steps: [{ if: 'load > 3' }] })).start()
    expect(play.state).toBe('paused')
    expect(play.last('run_paused').details.kind).toBe('condition')
    expect(play.decide('retry')).toMatchObject({ accepted: true, status: 'paused' })
    expect(play.decide('skip')).toMatchObject({ accepted: true, status: 'completed' })
  })

  test('facts are asked before a condition that needs them, and are on record', () => {
    const play = new Play(sopOf({ steps: [{ if: 'business_hours' }] })).start()
    expect([...play.works.values()]).toMatchObject([{ kind: 'facts', names: ['business_hours'] }])
    play.facts({ business_hours: true })
    expect(play.types).toEqual(['run_created', 'run_started', 'facts_resolved', 'step_started'])
  })

  test('a false precondition refuses the run', () => {
    const play = new Play(sopOf({ conditions: { requires: [condition('PROD_DOWN')] }, steps: [{}] })).start()
    expect(play.types).toEqual(['run_created', 'run_refused', 'run_cancelled'])
    const forced = new Play(sopOf({ conditions: { requires: [condition('PROD_DOWN')] }, steps: [{}] }), {
      force: true,
    }).start()
    expect(forced.state).toBe('running')
  })
})

describe('transition() answers failures', () => {
  test('a failed step fails an auto run and pauses a supervised one', () => {
    expect(new Play(sopOf({ steps: [{}] })).start().ends(failed()).state).toBe('failed')
    const play = new Play(sopOf({ mode: 'supervised', steps: [{}, {}] })).start()
    play.decide('approve')
    expect(play.ends(failed()).state).toBe('paused')
    expect(play.decide('retry')).toMatchObject({ accepted: true, status: 'running' })
    expect([...play.works.keys()]).toEqual(['step:1#2'])
    expect(play.run).toEqual(fold(play.seed, play.events))
  })

  test('retries come with their delay, then the policy applies', () => {
    const play = new Play(
      sopOf({ steps: [{ retries: 2, retryDelayMs: 5000, onFailure: { kind: 'continue' } }] }),
    ).start()
    play.ends(failed())
    expect(play.timers.size).toBe(1)
    expect(play.works.size).toBe(0)
    play.wait(5000).ends(failed()).wait(5000).ends(failed())
    expect(play.state).toBe('completed')
    expect(play.run.steps[0]).toMatchObject({ state: 'failed', attempt: 3 })
  })

  test('goto goes back, asks the gates on the way again, and is bounded', () => {
    const play = new Play(
      sopOf({ steps: [{ requiresApproval: true }, { onFailure: { kind: 'goto', step: 1 } }] }),
    ).start()
    play.decide('approve')
    play.ends(ok()).ends(failed())
    expect(play.state).toBe('awaiting_approval')
    expect(play.run.gates['1-step_1']).toMatchObject({ state: 'open', attempt: 2 })
    for (let round = 0; round < 4; round += 1) {
      play.decide('approve')
      play.ends(ok()).ends(failed())
    }
    expect(play.state).toBe('failed')
    expect(play.last('step_failed').details.error).toMatch(/visited 5 times/)
  })

  test("verify commands run after the step, and their failure is the step's", () => {
    const sop = sopOf({ steps: [{ verify: [command('test -f x')], retries: 1 }] })
    const play = new Play(sop).start().ends(ok({ output: 'done', outputs: { a: '1' } }))
    expect([...play.works.keys()]).toEqual(['verify:1#1'])
    play.ends(failed())
    expect([...play.works.keys()]).toEqual(['step:1#2'])
    play.ends(ok({ outputs: { a: '2' } })).ends(ok())
    expect(play.state).toBe('completed')
    expect(play.run.outputs).toEqual({ a: '2' })
    expect(play.types).toContain('verification_failed')
    expect(play.run).toEqual(fold(play.seed, play.events))
  })
})

describe('transition() waits for people', () => {
  const manual = sopOf({
    steps: [
      {
        action: {
          kind: 'manual',
          checklist: ['Look', 'Act'],
          form: [{ name: 'ticket', type: 'string', required: true }],
          dueMs: HOUR,
        },
      },
      { action: bash('echo "$ticket"') },
    ],
  })

  test('a manual step is ticked off, completed with values, and these become outputs', () => {
    const play = new Play(manual).start()
    expect(play.state).toBe('running')
    expect(play.run.steps[0]?.state).toBe('awaiting_input')
    expect(play.decide('complete', { item: 2 })).toMatchObject({ accepted: true, action: 'ticked' })
    expect(play.decide('complete', { item: 3 })).toMatchObject({ accepted: false, code: 'invalid' })
    const fields = [{ name: 'ticket', reason: 'it is required and was not given' }]
    expect(play.decide('complete')).toMatchObject({ accepted: false, code: 'invalid', fields })
    expect(play.decide('complete', { values: { ticket: 'OPS-1' } })).toMatchObject({ accepted: true })
    expect(play.run.outputs).toEqual({ ticket: 'OPS-1' })
    expect(play.works.size).toBe(1)
  })

  test('a due date that passes is on record once and ends nothing', () => {
    const play = new Play(manual).start().wait(10 * HOUR)
    expect(play.events.filter((event) => event.eventType === 'input_requested')).toHaveLength(2)
    expect(play.run.steps[0]).toMatchObject({ state: 'awaiting_input', overdue: true })
  })

  test('a person may report the step as failed, or skip it', () => {
    const play = new Play(manual).start()
    play.decide('complete', { failed: true, comment: 'broken' })
    expect(play.state).toBe('failed')
    const other = new Play(manual).start()
    expect(other.decide('skip', { step: 1, reason: 'not today' })).toMatchObject({ accepted: true })
    expect(other.run.steps[0]).toMatchObject({ state: 'skipped', reason: 'not today' })
  })
})

describe('transition() ends what is under way', () => {
  test('cancel ends the running step first, and closes when it is gone', () => {
    const play = new Play(sopOf({ steps: [{}, {}] })).start()
    expect(play.decide('cancel', { reason: 'stop' })).toMatchObject({ accepted: true })
    expect(play.cancelled).toEqual(['step:1#1'])
    expect(play.closedAs).toBeUndefined()
    play.ends(failed({ outcome: 'cancelled', error: 'cancelled' }))
    expect(play).toMatchObject({ closedAs: 'cancelled', state: 'cancelled' })
    expect(play.last('run_cancelled')).toMatchObject({ principal: { id: 'bob' }, details: { reason: 'stop' } })
    expect(play.decide('cancel')).toMatchObject({ accepted: false, code: 'conflict' })
  })

  test('the time of the whole run is a limit, also at a gate', () => {
    const play = new Play(sopOf({ timeoutMs: HOUR, steps: [{ requiresApproval: true }] })).start().wait(HOUR)
    expect(play).toMatchObject({ closedAs: 'failed', state: 'failed' })
    expect(play.timers.size).toBe(0)
  })

  test('pause takes effect at the boundary and freezes deadlines', () => {
    const play = new Play(sopOf({ steps: [{}, { requiresApproval: true, approvalTimeoutMs: HOUR }] })).start()
    play.decide('pause')
    expect(play.state).toBe('running')
    play.ends(ok())
    expect(play.state).toBe('paused')
    play.decide('resume')
    play.wait(HOUR / 2)
    play.decide('pause')
    expect(play.timers.size).toBe(0)
    play.wait(10 * HOUR)
    expect(play.decide('approve')).toMatchObject({ accepted: false })
    play.decide('resume')
    play.wait(HOUR / 2 - 1)
    expect(play.state).toBe('awaiting_approval')
    play.wait(1)
    expect(play.state).toBe('running')
  })
})

test('transition() refuses what stands in the way of a run, on record', () => {
  const play = new Play(sopOf({ steps: [{}] }), { problems: ['Step 1 sets "needs"'] }).start()
  expect(play.types).toEqual(['run_created', 'run_refused', 'run_cancelled'])
})

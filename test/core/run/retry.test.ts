import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/core/run/evolve.ts'
import { withDependents } from '../../../src/core/run/again.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { command, sopOf, type SopSketch, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const PAUSE = { onFailure: { kind: 'pause' } } as const

const start = (steps: readonly StepSketch[], sop: Partial<SopSketch> = {}, seed = {}) =>
  new Play(sopOf({ ...sop, steps }), seed).start()

const isFolded = (play: Play) => expect(play.run).toEqual(fold(play.seed, play.events))
const states = (play: Play) => play.run.steps.map((step) => step.state)

describe('retry of the step that stopped the run', () => {
  test('begins it again, and asks no gate again that was passed', () => {
    const play = start([{ requiresApproval: true, ...PAUSE }])
    play.decide('approve')
    play.ends(failed())
    expect(play.decide('retry', { comment: 'disk freed' })).toMatchObject({ accepted: true, stepNumber: 1 })
    expect([...play.works.keys()]).toEqual(['step:1#2'])
    expect(play.last('run_retried').details).toEqual({ fromStep: 1, comment: 'disk freed' })
    isFolded(play)
  })

  test('is meant by its number, too, and refuses an attempt that is over', () => {
    const play = start([PAUSE]).ends(failed())
    expect(play.decide('retry', { step: 1, attempt: 1 })).toMatchObject({ accepted: true })
    play.ends(failed())
    expect(play.decide('retry', { step: 1, attempt: 1 })).toMatchObject({ accepted: false, code: 'conflict' })
    expect(play.last('decision_refused').details.reason).toBe('attempt 1 of step 1 is over; it is at attempt 2')
  })

  test('twice at once: one begins it, the other is told', () => {
    const play = start([PAUSE]).ends(failed())
    expect(play.decide('retry')).toMatchObject({ accepted: true })
    expect(play.decide('retry')).toMatchObject({ accepted: false, code: 'conflict' })
    expect(play.last('decision_refused').details.reason).toMatch(/the run is not paused: name the step/)
  })
})

describe('retry from an earlier step', () => {
  const steps = [
    { title: 'Build', verify: [command('true')] },
    { requiresApproval: true },
    { ...PAUSE },
    {},
  ] satisfies StepSketch[]

  const atThree = () => {
    const play = start(steps)
      .ends(ok({ outputs: { a: 1 } }))
      .ends(ok())
    play.decide('approve')
    return play.ends(ok({ outputs: { b: 2 } })).ends(failed())
  }

  test('does it and everything after it again, and asks the gates between again', () => {
    const play = atThree()
    expect(states(play)).toEqual(['success', 'success', 'failed', 'pending'])
    expect(play.decide('retry', { step: 1 })).toMatchObject({ accepted: true, stepNumber: 1, status: 'running' })
    expect(play.last('run_retried').details).toEqual({ fromStep: 1, again: [1, 2, 3, 4], gates: ['2-step_2'] })
    expect(states(play)).toEqual(['running', 'pending', 'pending', 'pending'])
    expect(play.run.outputs).toEqual({})
    expect([...play.works.keys()]).toEqual(['step:1#2'])
    play.ends(ok({ outputs: { a: 3 } })).ends(ok())
    expect(play.state).toBe('awaiting_approval')
    expect(play.run.gates['2-step_2']).toMatchObject({ attempt: 2, state: 'open' })
    expect(play.decide('approve', { step: 2, attempt: 1 })).toMatchObject({ accepted: false, code: 'conflict' })
    expect(play.decide('approve', { step: 2, attempt: 2 })).toMatchObject({ accepted: true })
    play.ends(ok()).ends(ok()).ends(ok())
    expect(play.state).toBe('completed')
    expect(play.run.outputs).toEqual({ a: 3 })
    isFolded(play)
  })

  test('keeps what earlier steps handed on', () => {
    const play = atThree()
    play.decide('retry', { step: 2 })
    expect(play.run.outputs).toEqual({ a: 1 })
    expect(play.state).toBe('awaiting_approval')
    expect(states(play)).toEqual(['success', 'awaiting_approval', 'pending', 'pending'])
    isFolded(play)
  })

  test('begins the named step again from a pause by a person, from a gate, and from a manual step', () => {
    const paused = start([{}, { action: { kind: 'manual' } }]).ends(ok())
    paused.decide('pause')
    expect(paused.decide('retry', { step: 1 })).toMatchObject({ accepted: true, status: 'running' })
    expect([...paused.works.keys()]).toEqual(['step:1#2'])
    const atGate = start([{}, { requiresApproval: true, approvalTimeoutMs: 1000 }]).ends(ok())
    expect(atGate.timers.size).toBe(1)
    expect(atGate.decide('retry', { step: 1 })).toMatchObject({ accepted: true, status: 'running' })
    expect(atGate.timers.size).toBe(0)
    expect(atGate.run.steps[1]?.state).toBe('pending')
    const manual = start([{}, { action: { kind: 'manual', dueMs: 1000 } }]).ends(ok())
    expect(manual.decide('retry', { step: 1 })).toMatchObject({ accepted: true })
    expect(manual.timers.size).toBe(0)
    for (const play of [paused, atGate, manual]) isFolded(play)
  })

  test('asks a gate again that was rejected', () => {
    const play = start([{}, { requiresApproval: true }]).ends(ok())
    play.decide('reject')
    play.decide('retry', { step: 1 })
    play.ends(ok())
    expect(play.run.gates['2-step_2']).toMatchObject({ attempt: 2, state: 'open' })
    isFolded(play)
  })

  test('does a skipped step again, whose condition is asked anew', () => {
    const play = start([{}, { if: 'go' }, PAUSE])
      .ends(ok())
      .ends(failed())
    expect(states(play)).toEqual(['success', 'skipped', 'failed'])
    play.decide('retry', { step: 1 })
    play.ends(ok({ outputs: { go: true } }))
    expect(states(play)).toEqual(['success', 'running', 'pending'])
    isFolded(play)
  })

  test.each([
    ['a step that the run has not been at', { step: 4 }, 'invalid', /has not been at step 4 yet/],
    ['a step that is not there', { step: 9 }, 'not_found', /the SOP has no step 9/],
    ['an attempt that is over', { step: 1, attempt: 5 }, 'conflict', /attempt 5 of step 1 is over/],
  ] as const)('refuses %s', (_, decision, code, reason) => {
    const play = atThree()
    expect(play.decide('retry', decision)).toMatchObject({ accepted: false, code, status: 'paused' })
    expect(play.last('decision_refused').details.reason).toMatch(reason)
    isFolded(play)
  })

  test('refuses while a command is under way that would be left behind', () => {
    const play = start([{}, {}]).ends(ok())
    expect(play.decide('retry', { step: 1 })).toMatchObject({ accepted: false, code: 'conflict' })
    expect(play.last('decision_refused').details.reason).toMatch(/step 2 is under way: pause the run/)
  })

  test('is refused by the rules of a run that began before an upgrade', () => {
    const play = start([{}, PAUSE], {}, { rulesVersion: 1 }).ends(ok()).ends(failed())
    expect(play.decide('retry', { step: 1 })).toMatchObject({ accepted: false, code: 'invalid' })
    expect(play.last('decision_refused').details.reason).toBe('the run stopped at step 2, not 1')
    expect(play.decide('retry', { params: { a: 1 } })).toMatchObject({ accepted: false, code: 'invalid' })
    expect(play.decide('retry')).toMatchObject({ accepted: true })
  })
})

describe('withDependents()', () => {
  test.each([
    [1, [1, 2, 3, 4, 5]],
    [2, [2, 3]],
    [3, [3]],
    [4, [4, 5]],
  ])('of step %i is what needs it, directly or through others', (number, dependents) => {
    const { steps, ...sop } = sopOf({ steps: [{}, {}, {}, { needs: [1] }, {}] })
    expect(withDependents({ ...sop, steps }, number)).toEqual(dependents)
  })

  test('follows needs that point forward, and ends where they go round', () => {
    expect(withDependents(sopOf({ steps: [{ needs: [3] }, { needs: [1] }, { needs: [2] }] }), 3)).toEqual([1, 2, 3])
    expect(withDependents(sopOf({ steps: [{ needs: [2] }, { needs: [] }, { needs: [] }] }), 2)).toEqual([1, 2])
  })
})

describe('retry with changed params', () => {
  const params = [
    { name: 'version', type: 'string', required: true },
    { name: 'count', type: 'number', default: 1 },
    { name: 'token', type: 'string', secret: true },
  ] as const
  const seed = { params: { version: '1.4.2', count: 1, token: '[secret]' } }
  const failing = (steps: readonly StepSketch[] = [PAUSE], sop = {}) => start(steps, { params, ...sop }, seed)

  test('checks them by their types and goes on with them', () => {
    const play = failing().ends(failed())
    expect(play.decide('retry', { params: { version: '1.4.3', count: '7' } })).toMatchObject({ accepted: true })
    expect(play.last('run_retried').details.params).toEqual({ version: '1.4.3', count: 7 })
    expect(play.run.seed.params).toEqual({ version: '1.4.3', count: 7, token: '[secret]' })
    expect(viewOf(play.run).params).toEqual({ version: '1.4.3', count: 7, token: '[secret]' })
    isFolded(play)
  })

  test('takes a value back to its default, or away', () => {
    const play = failing().ends(failed())
    play.decide('retry', { params: { count: 5 } })
    play.ends(failed())
    play.decide('retry', { params: { count: null } })
    expect(play.run.seed.params).toMatchObject({ count: 1 })
    const free = start([PAUSE], {}, { params: { a: 1, b: 2 } }).ends(failed())
    free.decide('retry', { params: { a: null } })
    expect(free.run.seed.params).toEqual({ b: 2 })
    isFolded(free)
  })

  test('says that a secret one changed, and never what it is', () => {
    const play = failing().ends(failed())
    play.decide('retry', { params: { token: '[secret:7f]' } })
    expect(play.run.seed.params).toMatchObject({ token: '[secret:7f]' })
    expect(viewOf(play.run).params).toMatchObject({ token: '[secret]' })
    isFolded(play)
  })

  test.each([
    [{ count: 'many' }, /Cannot take param "count" = "many": it must be a number/],
    [{ version: null }, /Cannot do without param "version"/],
    [{ verison: '2' }, /this SOP has no such param.*Did you mean "version"\?/],
    [{ count: 'x', verison: 1 }, /count.*; .*verison/],
    [{ token: 'hunter2' }, /secret params \(token\) cannot be given to Temporal directly/],
  ])('refuses %j', (changed, reason) => {
    const play = failing().ends(failed())
    expect(play.decide('retry', { params: changed })).toMatchObject({ accepted: false, code: 'invalid' })
    expect(play.last('decision_refused').details.reason).toMatch(reason)
    expect(JSON.stringify(play.events)).not.toContain('hunter2')
    expect(play.run.seed.params).toEqual(seed.params)
  })

  test('asks gates again whose step is not finished, and no others', () => {
    const sop = {
      mode: 'supervised',
      gates: [{ key: 'pre_look', type: 'approval', position: { at: 'start' }, required: true }],
    } as const
    const play = failing([{ requiresApproval: true }, { requiresApproval: true, ...PAUSE }], sop)
    for (const gate of ['start', 'pre_look', '1-step_1']) play.decide('approve', { gate })
    play.ends(ok())
    play.decide('approve', { gate: '2-step_2' })
    play.ends(failed())
    expect(play.decide('retry', { params: { version: '2' } })).toMatchObject({ accepted: true })
    expect(play.last('run_retried').details.gates).toEqual(['start', 'pre_look', '2-step_2'])
    for (const gate of ['start', 'pre_look', '2-step_2']) {
      expect(play.works.size).toBe(0)
      expect(viewOf(play.run).openGates).toMatchObject([{ gate, attempt: 2 }])
      expect(play.state).toBe('awaiting_approval')
      play.decide('approve', { gate, attempt: 2 })
    }
    expect([...play.works.keys()]).toEqual(['step:2#2'])
    isFolded(play)
  })

  test('asks an open gate again, since what it shows has changed', () => {
    const play = failing([{ requiresApproval: true }])
    play.decide('pause')
    expect(play.decide('retry', { params: { version: '2' } })).toMatchObject({ accepted: true })
    expect(viewOf(play.run).openGates).toMatchObject([{ gate: '1-step_1', attempt: 2 }])
    expect(play.decide('approve', { gate: '1-step_1', attempt: 1 })).toMatchObject({ accepted: false })
    isFolded(play)
  })

  test('asks no gate again where nothing really changes', () => {
    const play = failing([{ requiresApproval: true, ...PAUSE }])
    play.decide('approve')
    play.ends(failed())
    play.decide('retry', { params: { version: '1.4.2', count: '1' } })
    expect(play.last('run_retried').details).toEqual({ fromStep: 1 })
    expect([...play.works.keys()]).toEqual(['step:1#2'])
  })

  test('looks again at a gate whose condition was false', () => {
    const play = start([{ approveIf: 'risky', ...PAUSE }], {}, { params: { risky: false } }).ends(failed())
    play.decide('retry', { params: { risky: true } })
    expect(play.state).toBe('awaiting_approval')
    isFolded(play)
  })
})

describe('an approval is bound to what was shown', () => {
  const gated = (seed = {}) => start([{}, { requiresApproval: true, ...PAUSE }], {}, seed).ends(ok())
  const coverOf = (play: Play): string => viewOf(play.run).openGates[0]?.covers ?? ''

  test('the request and the grant say what it covers', () => {
    const play = gated()
    const covers = coverOf(play)
    expect(covers).toMatch(/^[0-9a-f]{64}$/)
    expect(play.last('approval_requested').details.covers).toBe(covers)
    expect(play.decide('approve', { covers })).toMatchObject({ accepted: true })
    expect(play.last('approval_granted').details.covers).toBe(covers)
  })

  test('one of something else is refused and says so', () => {
    const play = gated()
    expect(play.decide('approve', { covers: 'f'.repeat(64) })).toMatchObject({ accepted: false, code: 'conflict' })
    expect(play.last('decision_refused').details.reason).toMatch(/^what you saw of gate "2-step_2" has changed since/)
    expect(play.state).toBe('awaiting_approval')
  })

  test('covers differ by params, by definition, by step, and by what the commands read', () => {
    const covers = [
      gated(),
      gated({ params: { version: '2' } }),
      gated({ pinned: { ...gated().seed.pinned, digest: 'other' } }),
    ].map(coverOf)
    expect(new Set(covers).size).toBe(3)
    const reads = (value: string) => {
      const action = { kind: 'http', method: 'GET', url: '$base/x' } as const
      return coverOf(
        start([{}, { action, requiresApproval: true }]).ends(ok({ outputs: { base: value, other: value } })),
      )
    }
    expect(reads('a')).not.toBe(reads('b'))
    expect(coverOf(gated())).toBe(coverOf(gated()))
  })

  test('the timer and the starter approve what was shown, too', () => {
    const timed = start([{ requiresApproval: true, approvalTimeoutMs: 1000 }])
    timed.wait(1000)
    expect(timed.last('approval_timeout').details.covers).toBe(timed.last('approval_requested').details.covers)
    const skipped = start([{ requiresApproval: true }], {}, { skipApproval: true })
    expect(skipped.last('approval_granted').details.covers).toBe(skipped.last('approval_requested').details.covers)
  })

  test('a run of the first rules has none', () => {
    expect(
      start([{ requiresApproval: true }], {}, { rulesVersion: 1 }).last('approval_requested').details,
    ).not.toHaveProperty('covers')
  })
})

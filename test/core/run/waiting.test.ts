import { describe, expect, test } from 'vitest'
import type { Actor } from '../../../src/core/access.ts'
import type { Role } from '../../../src/core/run/principal.ts'
import { byUrgency, type WaitingItem, waitingIn } from '../../../src/core/run/waiting.ts'
import { bash, command, sopOf, type SopSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const AT = '2026-03-01T09:00:00.000Z'
const actor = (id: string, role: Role = 'approver'): Actor => ({ principal: { id, kind: 'user', role }, via: 'web' })
const seen = (play: Play, who: Actor = actor('bob')): readonly WaitingItem[] => waitingIn(play.run, who, AT)
const play = (sop: SopSketch): Play => new Play(sopOf(sop)).start()

const GATE = { requiresApproval: true, action: bash('deploy "$version"'), title: 'Deploy' }

describe('a gate', () => {
  test('shows what its approval covers, and the result before it', () => {
    const steps = [{ action: bash('build') }, { ...GATE, verify: [command('check')], rollback: [command('undo')] }]
    const run = play({ steps }).ends(ok({ output: 'built' }))
    const [item, ...rest] = seen(run)
    expect(rest).toEqual([])
    expect(item).toMatchObject({
      kind: 'gate',
      title: 'Deploy',
      stepNumber: 2,
      totalSteps: 2,
      why: 'It waits for approval, because the step requires approval.',
      then: 'It waits until somebody decides.',
      covered: [{ number: 2, commands: ['deploy "$version"'], verify: ['check'], rollback: ['undo'] }],
      previous: { number: 1, status: 'success', output: 'built' },
      mine: true,
    })
    expect(item?.actions.map(({ name, allowed }) => [name, allowed])).toEqual([
      ['approve', true],
      ['reject', true],
    ])
    // An approval is bound to what is shown.
    expect(item?.actions[0]?.body.covers).toBe(item?.gate?.covers)
  })

  test.each([
    ['approve', 'Without an answer the timer approves it then.'],
    ['reject', 'Without an answer the timer rejects it then, and the run pauses for a person.'],
    ['escalate', 'Without an answer it is escalated then, and goes on waiting.'],
    ['fail', 'Without an answer the run fails then.'],
  ] as const)('whose timer says %s says so', (onTimeout, then) => {
    const [item] = seen(play({ steps: [{ ...GATE, approvalTimeoutMs: 60_000, onTimeout }] }))
    expect(item).toMatchObject({ until: '2026-03-01T08:01:00.000Z', then })
  })

  test('before the whole run covers all of its steps', () => {
    const [item] = seen(play({ mode: 'supervised', steps: [{}, { pointOfNoReturn: true }, {}] }))
    expect(item?.covered?.map(({ number }) => number)).toEqual([1, 2, 3])
    expect(item?.secondLook).toEqual([
      'Step 2 is a point of no return: nothing before it can be rolled back afterwards.',
    ])
  })

  test('is not for somebody whom its rules exclude, and says why', () => {
    const [item] = seen(play({ steps: [{ ...GATE, approvers: ['carol'] }] }))
    expect(item).toMatchObject({ mine: false, actions: [{ allowed: false }, { allowed: false }] })
    expect(item?.actions[0]?.reason).toContain('carol')
    expect(seen(play({ steps: [GATE] }), actor('eve', 'viewer'))[0]?.mine).toBe(false)
  })

  test.each([
    [{ steps: [GATE] }, undefined],
    [{ steps: [{ ...GATE, tags: ['Production'] }] }, ['It is marked "Production".']],
    [{ steps: [GATE, { pointOfNoReturn: true }] }, undefined],
    [{ priority: 'critical', steps: [GATE] }, ['This procedure has the priority critical.']],
  ] satisfies [SopSketch, unknown][])('wants a second look where a slip cannot be made good', (sop, expected) => {
    expect(seen(play(sop))[0]?.secondLook).toEqual(expected)
  })
})

test('a manual step waits for its assignee, with its checklist and its form', () => {
  const action = {
    kind: 'manual',
    assignee: 'dana',
    checklist: ['One'],
    form: [{ name: 'ticket', type: 'string' }],
  } as const
  const run = play({ steps: [{ action, title: 'Rotate' }] })
  expect(seen(run)[0]).toMatchObject({ kind: 'input', mine: false, why: 'dana has to do this.' })
  expect(seen(run, actor('dana', 'viewer'))[0]).toMatchObject({
    mine: true,
    input: { checklist: [{ item: 1, text: 'One', ticked: false }], form: [{ name: 'ticket' }] },
  })
})

test('a run that a failure paused waits for whoever may go on with it', () => {
  const run = play({ steps: [{ onFailure: { kind: 'pause' } }] }).ends(failed({ output: 'no space left' }))
  const [item] = seen(run, actor('olga', 'operator'))
  expect(item).toMatchObject({ kind: 'paused', mine: true, then: 'The run stands still until somebody decides.' })
  const allowed = item?.actions.filter((action) => action.allowed).map(({ name }) => name)
  expect(allowed).toEqual(expect.arrayContaining(['retry', 'skip', 'cancel']))
  expect(seen(run)[0]?.mine).toBe(false)
})

test('a step of which nobody knows whether it ran asks just that', () => {
  const run = play({ steps: [{}] }).ends({ outcome: 'lost', error: 'the worker is gone' })
  const [item] = seen(run, actor('olga', 'operator'))
  expect(item).toMatchObject({ kind: 'unknown', stepNumber: 1 })
  const names = item?.actions.filter(({ allowed }) => allowed).map(({ name }) => name)
  expect(names).toEqual(['complete', 'fail', 'did_not_run', 'run_again', 'skip', 'roll_back', 'cancel'])
  expect(item?.why.match(/nobody knows/gi)).toHaveLength(1)
})

test('items of which nobody knows whether they ran ask each for itself', () => {
  const run = play({ steps: [{ forEach: '["a", "b", "c"]', title: 'Patch' }] })
  run.ends({ outcome: 'lost', error: 'the worker is gone' }, 'step:1[1]#1')
  run.ends(ok(), 'step:1[2]#1')
  const [item] = seen(run, actor('olga', 'operator'))
  expect(item).toMatchObject({ kind: 'unknown', stepNumber: 1 })
  expect(item?.actions.map(({ label }) => label)).toEqual(
    expect.arrayContaining(['Item 1: It ran', 'Item 1: It did not run: run it', 'Skip item 1']),
  )
  // Whatever else happens in the run, the card is the same, with what was typed on it.
  run.ends(ok(), 'step:1[3]#1')
  expect(seen(run, actor('olga', 'operator'))[0]?.key).toBe(item?.key)
})

test('a run that is over waits for nobody', () => {
  expect(seen(play({ steps: [{}] }).ends(ok()))).toEqual([])
})

test('byUrgency() puts first what one can answer, then what ends soon, then by priority, then what waits longest', () => {
  const item = (key: string, more: Partial<WaitingItem>): WaitingItem =>
    ({ key, mine: true, priority: 'normal', since: '2026-03-01T08:00:00.000Z', ...more }) as WaitingItem
  const sorted = byUrgency(
    [
      item('of others', { mine: false, priority: 'critical' }),
      item('younger', { since: '2026-03-01T08:30:00.000Z' }),
      item('older', {}),
      item('far away', { priority: 'high', until: '2026-03-02T09:00:00.000Z' }),
      item('critical', { priority: 'critical' }),
      item('soon', { priority: 'low', until: '2026-03-01T09:10:00.000Z' }),
      item('sooner', { priority: 'low', until: '2026-03-01T09:05:00.000Z' }),
    ],
    AT,
  )
  expect(sorted.map(({ key }) => key)).toEqual([
    'sooner',
    'soon',
    'critical',
    'far away',
    'older',
    'younger',
    'of others',
  ])
})

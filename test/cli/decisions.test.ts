import { describe, expect, test } from 'vitest'
import type { CompleteRequest, DecisionRequest } from '../../src/client/client.ts'
import type { DecisionReply } from '../../src/core/run/decision.ts'
import { RUN_ID, gate, input, run } from './support/samples.ts'
import { sop } from './support/sop.ts'

const accepted = (more: Partial<DecisionReply> = {}): DecisionReply => ({
  accepted: true,
  runId: RUN_ID,
  status: 'running',
  gate: '2-deploy',
  stepNumber: 2,
  attempt: 1,
  ...more,
})
const ID = expect.stringMatching(/^[0-9a-f-]{36}$/) as string

describe('approve', () => {
  test('sends the step, the comment and an id that makes it count once', async () => {
    const { calls, out, code } = await sop(['approve', RUN_ID, '2', '--comment', 'Looks good'], {
      engine: { approveStep: async () => accepted() },
    })
    expect(calls).toEqual([{ method: 'approveStep', args: [RUN_ID, 2, { comment: 'Looks good', decisionId: ID }] }])
    expect(out).toBe(`Approved gate 2-deploy of run ${RUN_ID}: running\n`)
    expect(code).toBe(0)
  })

  test.each([
    ['--step', '2'],
    ['-s', '2'],
    ['2', '--step', '2'],
  ])('takes the step as %s %s', async (...words) => {
    const { calls } = await sop(['approve', RUN_ID, ...words], { engine: { approveStep: async () => accepted() } })
    expect(calls[0]?.args[1]).toBe(2)
  })

  test('takes a run with blanks in its id', async () => {
    const { calls, err } = await sop(['approve', 'my run'], {
      engine: { approveStep: async () => accepted({ runId: 'my run' }) },
    })
    expect(calls[0]?.args[0]).toBe('my run')
    expect(err).toContain("sop status 'my run' --wait")
  })

  test.each([
    ['conflict', 7],
    ['forbidden', 6 - 1],
    ['not_found', 6],
    ['invalid', 3],
  ] as const)('says why it was refused, with the exit code of %s', async (code, expected) => {
    const reply = accepted({
      accepted: false,
      code,
      reason: 'Cannot approve gate "2-deploy": it is closed',
      decidedBy: 'bob',
    })
    const outcome = await sop(['approve', RUN_ID], { engine: { approveStep: async () => reply } })
    expect(outcome.err).toBe('sop: Cannot approve gate "2-deploy": it is closed (decided by bob)\n')
    expect(outcome.out).toBe('')
    expect(outcome.code).toBe(expected)
    const asJson = await sop(['approve', RUN_ID, '--json'], { engine: { approveStep: async () => reply } })
    expect(asJson.json()).toEqual(reply)
    expect(asJson.code).toBe(expected)
  })

  test('says when the decision is stored and no worker has seen it', async () => {
    const { out } = await sop(['approve', RUN_ID], { engine: { approveStep: async () => accepted({ stored: true }) } })
    expect(out).toContain('stored: no worker is up')
  })

  const asks = {
    getRunStatus: async () => run({ openGates: [gate({ attempt: 3, commands: ['rm -rf "$x"'] })] }),
    approveStep: async () => accepted(),
  }

  test('shows on a terminal what is approved, and binds the answer to it', async () => {
    const { err, calls, io } = await sop(['approve', RUN_ID], { engine: asks, terminal: true, answers: ['y'] })
    expect(err).toContain('rm -rf "$x"')
    expect(io.asked).toEqual(['Approve? [y/N] '])
    expect(calls.at(-1)?.args[2]).toMatchObject({ gate: '2-deploy', attempt: 3 })
  })

  test.each([['n'], [''], ['x']])('approves nothing on a terminal after the answer %j', async (answer) => {
    const { code, calls } = await sop(['approve', RUN_ID], { engine: asks, terminal: true, answers: [answer] })
    expect(calls.map(({ method }) => method)).toEqual(['getRunStatus'])
    expect(code).toBe(1)
  })

  test('approves nothing on a terminal whose input ended', async () => {
    expect((await sop(['approve', RUN_ID], { engine: asks, terminal: true })).code).toBe(1)
  })

  test('asks nothing with --yes, and nothing where no terminal is', async () => {
    const yes = await sop(['approve', RUN_ID, '--yes'], { engine: asks, terminal: true })
    expect(yes.io.asked).toEqual([])
    expect((await sop(['approve', RUN_ID], { engine: asks })).calls.map(({ method }) => method)).toEqual([
      'approveStep',
    ])
  })

  test('asks on a terminal which of several gates is meant', async () => {
    const engine = {
      ...asks,
      getRunStatus: async () => run({ openGates: [gate(), gate({ gate: '3-check', stepNumber: 3 })] }),
    }
    const { calls } = await sop(['approve', RUN_ID], { engine, terminal: true, answers: ['3-check', 'yes'] })
    expect(calls.at(-1)?.args[2]).toMatchObject({ gate: '3-check', attempt: 1 })
  })

  test.each([
    ['approve', RUN_ID, 'two'],
    ['approve', RUN_ID, '2', '--step', '3'],
    ['approve', RUN_ID, '--step', '-1'],
    ['approve'],
    ['approve', 'a', '1', 'b'],
  ])('refuses %s %s %s %s', async (...argv) => {
    expect(await sop(argv, { engine: {} })).toMatchObject({ code: 2, out: '', calls: [] })
  })
})

describe('reject, skip, cancel', () => {
  test.each([
    ['reject', 'rejectStep', [RUN_ID, 2], 'Rejected gate 2-deploy'],
    ['skip', 'skipStep', [RUN_ID, 2], 'Skipped'],
  ] as const)('%s sends step and reason', async (verb, method, args, text) => {
    const { calls, out, code } = await sop([verb, RUN_ID, '2', '--reason', 'no'], {
      engine: { [method]: async () => accepted({ status: 'paused' }) },
    })
    expect(calls).toEqual([{ method, args: [...args, { comment: 'no', reason: 'no', decisionId: ID }] }])
    expect(out).toContain(text)
    expect(code).toBe(0)
  })

  test('cancel sends the reason', async () => {
    const { calls, out } = await sop(['cancel', 'deploy', '--reason', 'wrong'], {
      engine: { cancelRun: async () => ({ accepted: true, runId: RUN_ID, status: 'cancelled' }) },
    })
    expect(calls).toEqual([
      { method: 'cancelRun', args: ['deploy', { comment: 'wrong', reason: 'wrong', decisionId: ID }] },
    ])
    expect(out).toBe(`Cancelled of run ${RUN_ID}: cancelled\n`.replace('Cancelled of run', 'Cancelled run'))
  })

  test('refuses a reason and another comment', async () => {
    expect((await sop(['reject', RUN_ID, '--reason', 'a', '--comment', 'b'], { engine: {} })).code).toBe(2)
  })
})

describe('complete', () => {
  const form = [
    { name: 'ticket', type: 'string', required: true },
    { name: 'count', type: 'number' },
    { name: 'ok', type: 'boolean', default: true },
    { name: 'color', type: 'choice', choices: ['red', 'green'] },
    { name: 'pin', type: 'string', secret: true },
  ] as const
  const engine = {
    getRunStatus: async () => run({ openInputs: [input({ form })] }),
    completeStep: async () => accepted({ gate: undefined as never }),
  }
  const requestOf = (calls: readonly { args: readonly unknown[] }[]) => calls.at(-1)?.args[2] as CompleteRequest

  test('sends the values as the types of the form', async () => {
    const { calls, out } = await sop(
      ['complete', RUN_ID, '--value', 'ticket=007', '--value', 'count=3', '--values', '{"ok": "no"}'],
      { engine },
    )
    expect(calls.at(-1)?.args.slice(0, 2)).toEqual([RUN_ID, 2])
    expect(requestOf(calls).values).toEqual({ ticket: '007', count: 3, ok: false })
    expect(out).toBe(`Completed step 2 of run ${RUN_ID}: running\n`)
  })

  test('says that a check comes first', async () => {
    const checked = {
      ...engine,
      completeStep: async () => ({ ...accepted({ gate: undefined as never }), action: 'checking' }),
    }
    const { out } = await sop(['complete', RUN_ID, '--value', 'ticket=7'], { engine: checked })
    expect(out).toBe(
      `Completed step 2 of run ${RUN_ID}; its check runs now, and the step is completed once that passes: running\n`,
    )
  })

  test('asks on a terminal for what is missing, again where an answer does not fit', async () => {
    const { calls, io, err } = await sop(['complete', RUN_ID, '--value', 'color=red'], {
      engine,
      terminal: true,
      answers: ['', 'OPS-1', 'many', '4', '', 's3cret'],
    })
    expect(requestOf(calls).values).toEqual({ color: 'red', ticket: 'OPS-1', count: 4, ok: true, pin: 's3cret' })
    expect(io.asked).toEqual([
      'ticket (string): ',
      'ticket (string): ',
      'count (number) [optional]: ',
      'count (number) [optional]: ',
      'ok (yes|no) [true]: ',
      'pin (string) [optional]: ',
    ])
    expect(err).toContain('It is required.\n')
    expect(err).toContain('"many" is no number.\n')
  })

  test('sends nothing when the input ends in the middle of the form', async () => {
    const { calls, code } = await sop(['complete', RUN_ID], { engine, terminal: true, answers: [] })
    expect(code).toBe(2)
    expect(calls.map(({ method }) => method)).toEqual(['getRunStatus'])
  })

  test.each([
    [['--item', '2'], { item: 2, ticked: true }],
    [['--item', '2', '--untick'], { item: 2, ticked: false }],
    [['--failed', '--comment', 'smoke'], { failed: true, comment: 'smoke' }],
  ])('%j', async (argv, expected) => {
    const { calls } = await sop(['complete', RUN_ID, '2', ...argv], { engine })
    expect(calls.map(({ method }) => method)).toEqual(['completeStep'])
    expect(requestOf(calls)).toEqual({ ...expected, decisionId: ID } satisfies DecisionRequest)
  })

  test.each([
    [['--untick']],
    [['--item', '0']],
    [['--item', '1', '--failed']],
    [['--item', '1', '--value', 'a=b']],
    [['--value', 'a']],
  ])('refuses %j', async (argv) => {
    expect(await sop(['complete', RUN_ID, ...argv], { engine })).toMatchObject({ code: 2, calls: [] })
  })
})

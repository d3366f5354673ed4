import { describe, expect, test } from 'vitest'
import type { DecisionReply } from '../../src/core/run/decision.ts'
import type { RunView } from '../../src/core/run/view.ts'
import type { PauseView } from '../../src/core/run/view-pause.ts'
import { gate, input, run, RUN_ID, step } from './support/samples.ts'
import { sop } from './support/sop.ts'

const accepted = (more: Partial<DecisionReply> = {}): DecisionReply => ({
  accepted: true,
  runId: RUN_ID,
  status: 'running',
  ...more,
})
const ID = expect.stringMatching(/^[0-9a-f-]{36}$/) as string
const since = '2026-02-25T12:59:00.000Z'

describe('pause and resume', () => {
  test('send the comment, and say what came of it', async () => {
    const paused = await sop(['pause', RUN_ID, '--reason', 'network'], {
      engine: { pauseRun: async () => accepted({ status: 'paused', action: 'paused' }) },
    })
    expect(paused.calls).toEqual([
      { method: 'pauseRun', args: [RUN_ID, { comment: 'network', reason: 'network', decisionId: ID }] },
    ])
    expect([paused.out, paused.code]).toEqual([`Paused run ${RUN_ID}: paused\n`, 0])
    const resumed = await sop(['resume', RUN_ID, '-c', 'back'], {
      engine: { resumeRun: async () => accepted({ action: 'resumed' }) },
    })
    expect(resumed.calls).toEqual([{ method: 'resumeRun', args: [RUN_ID, { comment: 'back', decisionId: ID }] }])
    expect(resumed.out).toBe(`Resumed run ${RUN_ID}: running\n`)
  })

  test('say that a step which is under way goes on to its end', async () => {
    const { out } = await sop(['pause', RUN_ID], {
      engine: { pauseRun: async () => accepted({ action: 'pause requested' }) },
    })
    expect(out).toBe(`Asked for a pause at the next boundary of run ${RUN_ID}: running\n`)
  })

  test.each(['pause', 'resume', 'retry', 'cancel'] as const)('%s says why it was refused', async (verb) => {
    const reply = {
      ...accepted(),
      accepted: false,
      code: 'conflict' as const,
      reason: 'the run is not paused',
      decidedBy: 'bob',
    }
    const outcome = await sop([verb, RUN_ID], { engine: { [`${verb}Run`]: async () => reply } })
    expect([outcome.err, outcome.out, outcome.code]).toEqual(['sop: the run is not paused (decided by bob)\n', '', 7])
    const asJson = await sop([verb, RUN_ID, '--json'], { engine: { [`${verb}Run`]: async () => reply } })
    expect([asJson.json(), asJson.code]).toEqual([reply, 7])
  })
})

describe('retry', () => {
  const engine = { retryRun: async () => accepted({ action: 'retried', stepNumber: 3 }) }
  test.each<[readonly string[], object]>([
    [[], {}],
    [['3'], { step: 3 }],
    [['--step', '3', '-c', 'again'], { step: 3, comment: 'again' }],
    [['3', '--item', '17'], { step: 3, item: 17 }],
    [['--param', 'version=2.1', '--vars', '{"n": 1, "version": "x"}'], { params: { n: 1, version: '2.1' } }],
  ])('%j', async (argv, request) => {
    const { calls, out, err } = await sop(['retry', RUN_ID, ...argv], { engine })
    expect(calls).toEqual([{ method: 'retryRun', args: [RUN_ID, { ...request, decisionId: ID }] }])
    expect(out).toBe(`Retried step 3 of run ${RUN_ID}: running\n`)
    expect(err).toContain(`sop status ${RUN_ID} --wait`)
  })

  test.each([[['--step', 'x']], [['--item', '0']], [['2', '--step', '3']], [['--param', 'a']], [['--vars', '[]']]])(
    'refuses %j',
    async (argv) => {
      expect(await sop(['retry', RUN_ID, ...argv], { engine })).toMatchObject({ code: 2, calls: [] })
    },
  )
})

describe('cancel --rollback', () => {
  const engine = {
    getRunStatus: async () => run({ stepResults: [step(1, 'success'), step(2, 'success'), step(3, 'running')] }),
    cancelRun: async () => accepted({ action: 'rolling back' }),
  }

  test('asks on a terminal, with what would be undone in its order', async () => {
    const { err, io, calls, out } = await sop(['cancel', RUN_ID, '--rollback', '-r', 'wrong'], {
      engine,
      terminal: true,
      answers: ['y'],
    })
    expect(err).toContain('  2. Step 2\n  1. Step 1\n')
    expect(err).not.toContain('3. Step 3')
    expect(io.asked).toEqual(['Undo them and end the run? [y/N] '])
    expect(calls.at(-1)).toEqual({
      method: 'cancelRun',
      args: [RUN_ID, { comment: 'wrong', reason: 'wrong', decisionId: ID, rollback: true }],
    })
    expect(out).toContain('Undoing the finished steps, then ending run')
  })

  test.each([['n'], [''], ['x']])('undoes nothing after the answer %j', async (answer) => {
    const { code, calls } = await sop(['cancel', RUN_ID, '--rollback'], { engine, terminal: true, answers: [answer] })
    expect([code, calls.map(({ method }) => method)]).toEqual([1, ['getRunStatus']])
  })

  test('asks nothing with --yes, with --json, where no terminal is, and without rollback', async () => {
    for (const [argv, terminal] of [
      [['--rollback', '--yes'], true],
      [['--rollback', '--json'], true],
      [['--rollback'], false],
      [[], true],
    ] as const) {
      const { io, calls } = await sop(['cancel', RUN_ID, ...argv], { engine, terminal })
      expect([io.asked, calls.map(({ method }) => method)]).toEqual([[], ['cancelRun']])
    }
  })
})

describe('resolve', () => {
  const unknown = run({
    status: 'paused',
    stepResults: [step(1, 'success'), step(2, 'unknown', { attempt: 4, error: 'its worker was lost' })],
  })
  const engine = {
    getRunStatus: async () => unknown,
    completeStep: async () => accepted({ stepNumber: 2 }),
    retryRun: async () => accepted({ stepNumber: 2, action: 'retried' }),
  }
  const bound = { step: 2, attempt: 4, decisionId: ID }

  test.each<[readonly string[], string, readonly unknown[]]>([
    [['--ran'], 'completeStep', [RUN_ID, 2, bound]],
    [
      ['2', '--ran', '--value', 'id=7', '-c', 'looked'],
      'completeStep',
      [RUN_ID, 2, { ...bound, comment: 'looked', values: { id: '7' } }],
    ],
    [['--ran', '--failed'], 'completeStep', [RUN_ID, 2, { ...bound, failed: true }]],
    [['--did-not-run'], 'retryRun', [RUN_ID, { ...bound, outcome: 'did_not_run' }]],
    [['--retry', '--step', '2'], 'retryRun', [RUN_ID, bound]],
  ])('%j is bound to the attempt that is unknown', async (argv, method, args) => {
    const { calls, code } = await sop(['resolve', RUN_ID, ...argv], { engine })
    expect(calls.at(-1)).toEqual({ method, args })
    expect(code).toBe(0)
  })

  describe('of a step that runs once for each', () => {
    const items = (...unknown: readonly number[]) => ({
      total: 9,
      pending: 0,
      running: 0,
      success: 9 - unknown.length,
      failed: 0,
      skipped: 0,
      unknown: unknown.length,
      shown: unknown.map((item) => ({ item, value: `host${item}`, status: 'unknown' as const, attempt: 3 })),
    })
    const world = (...unknown: readonly number[]) => ({
      engine: {
        ...engine,
        getRunStatus: async () =>
          run({
            status: 'paused',
            stepResults: [step(1, 'success'), step(2, 'running', { items: items(...unknown) })],
          }),
      },
    })

    test.each<[readonly number[], readonly string[], object]>([
      [[4], ['--ran'], { step: 2, item: 4 }],
      [[4, 7], ['--ran', '--item', '7'], { step: 2, item: 7 }],
      [[4], ['--ran', '--failed'], { step: 2, item: 4, failed: true }],
      [[4], ['--did-not-run'], { step: 2, item: 4, outcome: 'did_not_run' }],
      [[4, 7], ['2', '--retry', '--item', '4'], { step: 2, item: 4 }],
    ])('%j %j is about that item', async (unknown, argv, request) => {
      const { calls, code } = await sop(['resolve', RUN_ID, ...argv], world(...unknown))
      expect(calls.at(-1)?.args.at(-1)).toEqual({ ...request, decisionId: ID })
      expect(code).toBe(0)
    })

    test('asks which of several is meant', async () => {
      const { err, code } = await sop(['resolve', RUN_ID, '--ran'], world(4, 7))
      expect(err).toContain('items 4, 7 of step 2 are unknown; say which with --item')
      expect(code).toBe(2)
    })
  })

  test.each([
    ['yes', 'completeStep'],
    ['no', 'retryRun'],
    ['failed', 'completeStep'],
    ['retry', 'retryRun'],
  ])('shows the step on a terminal, asks, and takes "%s"', async (answer, method) => {
    const { err, calls } = await sop(['resolve', RUN_ID], { engine, terminal: true, answers: ['perhaps', answer] })
    expect(err).toContain('its worker was lost')
    expect(err).toContain('Say yes, no, failed')
    expect(calls.at(-1)?.method).toBe(method)
  })

  test('says nothing of the step on a terminal whose input ended', async () => {
    const { calls, code } = await sop(['resolve', RUN_ID], { engine, terminal: true })
    expect([code, calls.map(({ method }) => method)]).toEqual([1, ['getRunStatus']])
  })

  test.each([[[]], [['--ran', '--retry']], [['--failed']], [['--did-not-run', '--value', 'a=b']], [['x', '--ran']]])(
    'refuses %j where nobody can be asked',
    async (argv) => {
      const { code, calls } = await sop(['resolve', RUN_ID, ...argv], { engine })
      expect([code, calls.filter(({ method }) => method !== 'getRunStatus')]).toEqual([2, []])
    },
  )

  test('never ends a manual step in place of an unknown one', async () => {
    const waiting = run({ stepResults: [step(2, 'awaiting_input')], openInputs: [input()] })
    const world = { engine: { ...engine, getRunStatus: async () => waiting } }
    const { code, err, calls } = await sop(['resolve', RUN_ID, '--ran'], world)
    expect([code, calls.length]).toEqual([7, 1])
    expect(err).toContain('no step of it is unknown')
    expect((await sop(['resolve', RUN_ID, '1', '--ran'], { engine })).err).toContain('step 1 is not unknown')
  })

  test('asks which of several steps is meant', async () => {
    const both = run({ stepResults: [step(2, 'unknown'), step(3, 'unknown')] })
    const world = { engine: { ...engine, getRunStatus: async () => both } }
    expect((await sop(['resolve', RUN_ID, '--ran'], world)).err).toContain('steps 2, 3 are unknown')
    expect((await sop(['resolve', RUN_ID, '3', '--ran'], world)).code).toBe(0)
  })
})

describe('status', () => {
  const shown = async (more: Partial<RunView>) =>
    sop(['status', RUN_ID], { engine: { getRunStatus: async () => run(more) } })
  const paused = (pause: Partial<PauseView>): Partial<RunView> => ({
    status: 'paused',
    paused: { kind: 'failed', since, by: 'engine', stepNumber: 2, ...pause },
  })

  test.each<[Partial<PauseView>, string, readonly string[]]>([
    [{ kind: 'requested', by: 'olga', stepNumber: undefined as never }, 'asked for by olga', ['resume', 'cancel']],
    [{ kind: 'rejected', by: 'bob' }, 'at step 2, rejected by bob', ['retry', 'skip', 'cancel']],
    [{ kind: 'failed' }, 'at step 2, since it failed', ['logs', 'retry', 'skip', 'cancel']],
    [{ kind: 'condition' }, 'at step 2, since a condition cannot be told', ['retry', 'skip', 'cancel']],
    [
      { kind: 'unknown' },
      'at step 2, since nobody knows whether it ran',
      ['logs', 'resolve', 'resolve', 'resolve', 'skip', 'cancel'],
    ],
    [{ kind: 'rollback' }, 'at step 2, in the walk back', ['logs', 'retry', 'skip', 'cancel']],
  ])('of a run that is paused for %j says so, and what to type', async (pause, words, verbs) => {
    const { out, err } = await shown(paused(pause))
    expect(out).toContain(`Paused: 1 min ago`)
    expect(out).toContain(words)
    expect([...err.matchAll(/: +sop (\w+) /g)].map(([, verb]) => verb)).toEqual(verbs)
  })

  test('of a paused run offers no decision that would be refused', async () => {
    const { err } = await shown({ ...paused({ kind: 'requested' }), openGates: [gate()] })
    expect(err).not.toContain('sop approve')
  })

  test.each<[NonNullable<RunView['rollback']>, string]>([
    [
      { because: 'cancel', then: 'cancelled', by: 'olga' },
      'asked for by olga; begins when what is under way has ended; then cancelled',
    ],
    [
      { because: 'failure', then: 'failed', by: 'engine', left: [3, 1], failed: 'exit code 2' },
      'because of a failure; to undo: step 3 (its undo failed: exit code 2), step 1; then failed',
    ],
    [
      { because: 'timeout', then: 'failed', by: 'timer', left: [] },
      'because of a timeout; nothing left to undo; then failed',
    ],
  ])('says how far the walk back %j is', async (rollback, words) => {
    expect((await shown({ rollback })).out).toContain(`Rollback: ${words}\n`)
  })

  test('says that a pause was asked for', async () => {
    expect((await shown({ pauseRequestedBy: 'olga' })).out).toContain(
      'Pausing: at the next boundary, asked for by olga',
    )
  })

  test('lists all open gates, each with the command that means it', async () => {
    const gates = [gate({ covers: 'ab'.repeat(32) }), gate({ gate: '3-check', stepNumber: 3 })]
    const { out, err } = await shown({ openGates: gates })
    expect(out).toContain('  Covers: abababababab\n')
    expect(err).toContain(`Approve: sop approve ${RUN_ID} --gate 2-deploy\n`)
    expect(err).toContain(`Approve: sop approve ${RUN_ID} --gate 3-check\n`)
  })
})

describe('approve', () => {
  const engine = {
    getRunStatus: async () =>
      run({ params: { version: '2.1' }, openGates: [gate({ covers: 'cd'.repeat(32), commands: ['make deploy'] })] }),
    approveStep: async () => accepted({ gate: '2-deploy' }),
  }

  test('shows commands and params on a terminal, and sends the digest of what it showed', async () => {
    const { err, calls } = await sop(['approve', RUN_ID], { engine, terminal: true, answers: ['y'] })
    expect(err).toContain('    make deploy\n')
    expect(err).toContain('  Params: version=2.1\n')
    expect(calls.at(-1)?.args[2]).toMatchObject({ gate: '2-deploy', attempt: 1, covers: 'cd'.repeat(32) })
  })

  test('sends no digest of what it did not show', async () => {
    const { calls } = await sop(['approve', RUN_ID, '--yes'], { engine, terminal: true })
    expect(calls.at(-1)?.args[2]).not.toHaveProperty('covers')
  })
})

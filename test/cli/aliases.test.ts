import { describe, expect, test } from 'vitest'
import { ALIASES } from '../../src/cli/aliases/commands.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { RUN_ID, completed, gate, run, sop as sample, step, summary } from './support/samples.ts'
import { sop } from './support/sop.ts'

const moving = run({ sequence: 1 })
const STANDING = [step(1, 'success'), step(2, 'awaiting_approval')]
const atGate = run({ status: 'awaiting_approval', openGates: [gate()], stepResults: STANDING, sequence: 2 })
const sequenceOf = (...views: ReturnType<typeof run>[]) => {
  const left = [...views]
  return async () => (left.length > 1 ? left.shift() : left[0]) ?? run()
}

describe('sop-execute', () => {
  test('answers when the run has ended, the id first and once', async () => {
    const { out, code, calls } = await sop(['deploy'], {
      only: ALIASES.execute,
      engine: { createRun: async () => moving, getRunStatus: sequenceOf(moving, completed()) },
    })
    expect(out.split('\n')[0]).toBe(`Run ID: ${RUN_ID}`)
    expect(out.split(RUN_ID)).toHaveLength(2)
    expect(out).toContain('\nStatus: completed\n')
    expect(code).toBe(0)
    expect(calls[0]).toEqual({ method: 'createRun', args: ['deploy', {}] })
  })

  test('answers when the run stands at a gate, and says how to approve on stderr', async () => {
    const { out, err, code } = await sop(['deploy'], {
      only: ALIASES.execute,
      engine: { createRun: async () => moving, getRunStatus: sequenceOf(moving, moving, atGate) },
    })
    expect(out).toContain('\nStatus: awaiting_approval\n')
    expect(err).toContain(`Approve: sop approve ${RUN_ID}`)
    expect(code).toBe(0)
  })

  test.each([
    ['failed', EXIT_CODES.run_failed.code],
    ['cancelled', EXIT_CODES.run_cancelled.code],
    ['paused', EXIT_CODES.run_open.code],
  ] as const)('fails when the run is %s', async (status, expected) => {
    expect(
      (await sop(['deploy'], { only: ALIASES.execute, engine: { createRun: async () => run({ status }) } })).code,
    ).toBe(expected)
  })

  test('does not wait for a run that is queued, nor with --no-wait', async () => {
    const queued = run({ status: 'pending', reason: 'waits for a slot' })
    expect((await sop(['deploy'], { only: ALIASES.execute, engine: { createRun: async () => queued } })).code).toBe(0)
    expect(
      (await sop(['deploy', '--no-wait'], { only: ALIASES.execute, engine: { createRun: async () => moving } })).calls,
    ).toHaveLength(1)
  })

  test('goes on waiting while another branch moves', async () => {
    const both = run({ openGates: [gate()], stepResults: [step(1, 'running'), step(2, 'awaiting_approval')] })
    const { calls } = await sop(['deploy'], {
      only: ALIASES.execute,
      engine: { createRun: async () => both, getRunStatus: sequenceOf(both, atGate) },
    })
    expect(calls.length).toBeGreaterThan(2)
  })

  test.each([
    ['--payload', '{"key": "value"}'],
    ['--vars', '{"key": "value"}'],
    ['--param', 'key=value'],
  ])('hands %s on', async (option, text) => {
    const { calls } = await sop(['deploy', option, text], {
      only: ALIASES.execute,
      engine: { createRun: async () => completed() },
    })
    expect(calls[0]?.args[1]).toEqual({ params: { key: 'value' } })
  })

  test('keeps the run going on Ctrl-C; its id is known', async () => {
    const outcome = await sop(['deploy'], {
      only: ALIASES.execute,
      engine: { createRun: async () => moving, getRunStatus: async () => moving },
      onSleep: (_count, io) => void io.interrupt(),
    })
    expect(outcome.out).toContain(`Run ID: ${RUN_ID}\n`)
    expect(outcome.code).toBe(130)
  })

  test('plans with --dry-run', async () => {
    const planRun = async () => ({
      sop: 'deploy',
      digest: 'd',
      mode: 'auto',
      params: {},
      wouldStart: true,
      problems: [],
      warnings: [],
      items: [],
    })
    expect((await sop(['deploy', '--dry-run'], { only: ALIASES.execute, engine: { planRun } })).out).toContain(
      'It would start.',
    )
  })
})

describe('sop-approve', () => {
  const reply = {
    accepted: true,
    runId: RUN_ID,
    status: 'awaiting_approval',
    gate: '2-deploy',
    stepNumber: 2,
    attempt: 1,
  } as const

  test('answers at the next gate, so that a second sop-approve finds it open', async () => {
    const next = run({
      status: 'awaiting_approval',
      openGates: [gate({ gate: '3-check', stepNumber: 3 })],
      stepResults: STANDING,
      sequence: 5,
    })
    const views = sequenceOf(atGate, moving, next)
    const { out, code, calls } = await sop([RUN_ID], {
      only: ALIASES.approve,
      engine: { approveStep: async () => reply, getRunStatus: views },
    })
    expect(out).toContain('Gate: 3-check')
    expect(code).toBe(0)
    expect(calls[0]?.args.slice(0, 2)).toEqual([RUN_ID, undefined])
  })

  test('passes step and comment', async () => {
    const { calls } = await sop([RUN_ID, '--step', '3', '--comment', 'ok'], {
      only: ALIASES.approve,
      engine: { approveStep: async () => reply, getRunStatus: async () => completed() },
    })
    expect(calls[0]?.args).toEqual([RUN_ID, 3, expect.objectContaining({ comment: 'ok' })])
  })

  test('fails when it is refused', async () => {
    const refused = { ...reply, accepted: false, code: 'conflict', reason: 'Cannot approve: no gate is open' } as const
    expect(await sop([RUN_ID], { only: ALIASES.approve, engine: { approveStep: async () => refused } })).toMatchObject({
      code: 7,
      err: 'sop-approve: Cannot approve: no gate is open\n',
    })
  })

  test('asks nothing on a terminal', async () => {
    const { io } = await sop([RUN_ID], {
      only: ALIASES.approve,
      terminal: true,
      engine: { approveStep: async () => reply, getRunStatus: async () => completed() },
    })
    expect(io.asked).toEqual([])
  })
})

describe('sop-reject', () => {
  const cancelled = { accepted: true, runId: RUN_ID, status: 'cancelled' } as const

  test('cancels, with the reason on record', async () => {
    const { calls, code } = await sop([RUN_ID, '--reason', 'Not ready'], {
      only: ALIASES.reject,
      engine: { getRunStatus: async () => atGate, cancelRun: async () => cancelled },
    })
    expect(calls.at(-1)).toEqual({
      method: 'cancelRun',
      args: [RUN_ID, expect.objectContaining({ reason: 'Not ready' })],
    })
    expect(code).toBe(0)
  })

  test('rejects the start, which cancels by itself', async () => {
    const start = run({ status: 'waiting_approval', openGates: [gate({ gate: 'start', stepNumber: 0, attempt: 2 })] })
    const { calls } = await sop([RUN_ID, '--reason', 'Not ready'], {
      only: ALIASES.reject,
      engine: { getRunStatus: async () => start, rejectStep: async () => cancelled },
    })
    expect(calls.map(({ method }) => method)).toEqual(['getRunStatus', 'rejectStep'])
    expect(calls[1]?.args[2]).toMatchObject({ gate: 'start', attempt: 2, reason: 'Not ready' })
  })

  test('cancels when the rejection of the start has only paused the run', async () => {
    const start = run({ status: 'waiting_approval', openGates: [gate({ gate: 'start', stepNumber: 0 })] })
    const engine = {
      getRunStatus: async () => start,
      rejectStep: async () => ({ ...cancelled, status: 'paused' as const }),
      cancelRun: async () => cancelled,
    }
    expect((await sop([RUN_ID], { only: ALIASES.reject, engine })).calls.map(({ method }) => method)).toEqual([
      'getRunStatus',
      'rejectStep',
      'cancelRun',
    ])
  })
})

describe('the other commands of seed 004', () => {
  test('sop-list prints the block', async () => {
    expect((await sop([], { only: ALIASES.list, engine: { listSops: async () => [sample()] } })).out).toContain(
      '=== SOP Engine ===\nAvailable SOPs: 1\n',
    )
  })

  test('sop-status prints a status that can be picked out', async () => {
    const { out } = await sop([RUN_ID], { only: ALIASES.status, engine: { getRunStatus: async () => completed() } })
    expect(out).toMatch(/^Status: completed$/m)
  })

  test('sop-runs filters by SOP', async () => {
    const { calls, out } = await sop(['--sop', 'deploy'], {
      only: ALIASES.runs,
      engine: { listRunPage: async () => ({ runs: [summary()] }) },
    })
    expect(calls[0]?.args).toEqual([{ sop: 'deploy' }])
    expect(out).toContain(RUN_ID)
  })

  test('sop-create writes a single file and asks no engine', async () => {
    const wanted: unknown[] = []
    const create = async (sop: unknown) => {
      wanted.push(sop)
      return { name: 'x', files: ['/s/x.md'] }
    }
    const { out, calls } = await sop(['x', '--description', 'D', '--mode', 'auto', '--priority', 'high'], {
      only: ALIASES.create,
      engine: {},
      ports: { files: async () => ({ create }) as never },
    })
    expect(wanted).toEqual([{ name: 'x', description: 'D', mode: 'auto', priority: 'high', dialect: 'D' }])
    expect(out).toBe('Created /s/x.md\n')
    expect(calls).toEqual([])
  })

  test.each(Object.values(ALIASES))('$name explains itself, and names itself in errors', async (only) => {
    const { out } = await sop(['--help'], { only })
    expect(out).toContain(`Usage: ${only.name} [options]`)
    const { err, code } = await sop(['--nonsense'], { only })
    expect(err).toMatch(new RegExp(`^${only.name}: unknown option '--nonsense'`))
    expect(err).toContain(`See: ${only.name} --help`)
    expect(code).toBe(2)
  })
})

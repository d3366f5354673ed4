import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunPlan, StartRequest } from '../../src/client/client.ts'
import { SopError } from '../../src/core/errors.ts'
import { RUN_ID, completed, gate, run, step } from './support/samples.ts'
import { type World, sop } from './support/sop.ts'

const starts = (view = run()): NonNullable<World['engine']> => ({ createRun: async () => view })
const requestOf = ({ calls }: { calls: readonly { args: readonly unknown[] }[] }) => calls[0]?.args[1] as StartRequest

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sop-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('run', () => {
  test('prints the run id first, and once', async () => {
    const { out, code } = await sop(['run', 'deploy'], { engine: starts() })
    expect(out.split('\n')[0]).toBe(`Run ID: ${RUN_ID}`)
    expect(out.split(RUN_ID)).toHaveLength(2)
    expect(code).toBe(0)
  })

  test('says on stderr how to approve what is open', async () => {
    const view = run({
      status: 'awaiting_approval',
      openGates: [
        gate({
          commands: ['./deploy.sh\nsync'],
          approvers: ['alice', 'group:dba'],
          deadlineAt: '2026-02-25T13:05:00.000Z',
        }),
      ],
    })
    const { out, err } = await sop(['run', 'deploy'], { engine: starts(view) })
    expect(out).toContain(
      'Waiting for approval: Deploy\n  Gate: 2-deploy (step 2, attempt 1, asked for by requires_approval)\n',
    )
    expect(out).toContain(
      '  Deadline: in 5 min, then approve\n  Approvers: alice, group:dba\n  Commands:\n    ./deploy.sh\n    sync\n',
    )
    expect(err).toContain(`Approve: sop approve ${RUN_ID}\n`)
  })

  test('passes what the command line says', async () => {
    const argv = ['run', 'deploy', '--mode', 'Step-by-step', '--force', '--skip-approval', '--idempotency-key', 'k 1']
    const outcome = await sop(argv, { engine: starts() })
    expect(outcome.calls).toEqual([
      {
        method: 'createRun',
        args: ['deploy', { executionMode: 'step_by_step', force: true, skipApproval: true, idempotencyKey: 'k 1' }],
      },
    ])
  })

  test('lets a single param win over --vars, and --vars over --payload', async () => {
    const argv = [
      'run',
      'x',
      '--payload',
      '{"a":1,"b":1,"c":1}',
      '--vars',
      '{"b":2,"c":2}',
      '--param',
      'c=3',
      '--param',
      'd=a=b',
    ]
    expect(requestOf(await sop(argv, { engine: starts() })).params).toEqual({ a: 1, b: 2, c: '3', d: 'a=b' })
  })

  test('reads JSON and pairs from files with BOM and Windows line ends, and from standard input', async () => {
    await writeFile(join(folder, 'vars.json'), '\uFEFF{\r\n  "a": "ü"\r\n}\r\n')
    await writeFile(join(folder, 'pairs'), '\uFEFF# comment\r\nb=2\r\n\r\nname=with blank \r\n')
    const argv = ['run', 'x', '--vars', '@vars.json', '--param', '@pairs', '--payload', '-']
    const outcome = await sop(argv, { engine: starts(), cwd: folder, stdin: '{"c": true}' })
    expect(requestOf(outcome).params).toEqual({ a: 'ü', b: '2', name: 'with blank ', c: true })
  })

  test('keeps a param named __proto__ a param', async () => {
    const outcome = await sop(['run', 'x', '--param', '__proto__=1'], { engine: starts() })
    expect(Object.hasOwn(requestOf(outcome).params ?? {}, '__proto__')).toBe(true)
  })

  test.each([
    [['--param', 'novalue'], /Cannot read --param "novalue": expected key=value/],
    [['--param', '=1'], /expected key=value/],
    [['--vars', '{a}'], /Cannot read --vars: it is not JSON/],
    [['--vars', '[1]'], /expected a JSON object/],
    [['--vars', 'null'], /expected a JSON object/],
    [['--vars', '@missing.json'], /Cannot read --vars from "missing.json": there is no such file/],
    [['--vars', '@.'], /it is a folder/],
    [['--vars', '-', '--payload', '-'], /--payload reads it already|--vars reads it already/],
    [['--mode', 'fast'], /It takes: auto, supervised, step_by_step, priority_based/],
    [['--timeout', 'soon', '--wait'], /Cannot read --timeout "soon": expected a duration/],
    [['--jsn'], /Did you mean --json\?/],
  ])('refuses %j without asking the engine', async (argv, message) => {
    const { code, err, calls, out } = await sop(['run', 'x', ...argv], { engine: starts(), cwd: folder, stdin: '{}' })
    expect(err).toMatch(message)
    expect({ code, out, calls }).toEqual({ code: 2, out: '', calls: [] })
  })

  test('prints the run as JSON, with runId and nothing else', async () => {
    const { json, err } = await sop(['run', 'deploy', '--json'], { engine: starts() })
    expect(json()).toEqual(run())
    expect(err).toBe('')
  })

  test('prints params without letting them play with the terminal', async () => {
    const { out } = await sop(['run', 'deploy'], {
      engine: starts(run({ params: { version: '\u001b]0;pwned\u0007' } })),
    })
    expect(out).toContain('Params: version=\\x1b]0;pwned\\x07\n')
  })
})

const plan = (more: Partial<RunPlan> = {}): RunPlan => ({
  sop: 'deploy',
  digest: 'sha256:abc',
  mode: 'supervised',
  params: { version: '1' },
  wouldStart: true,
  problems: [],
  warnings: ['nothing sets tests_pass'],
  items: [
    {
      kind: 'start_gate',
      id: 'start',
      title: 'Start',
      stepNumber: 0,
      runs: 'yes',
      approvers: ['alice'],
      timeout: '5 min',
    },
    {
      kind: 'step',
      id: '1',
      title: 'Build',
      stepNumber: 1,
      action: 'shell',
      runs: 'unknown',
      condition: 'tests_pass',
      commands: ['make\nmake test\n'],
    },
  ],
  ...more,
})

describe('run --dry-run', () => {
  test('prints the plan and starts nothing', async () => {
    const { out, code, calls } = await sop(['run', 'deploy', '--dry-run', '--param', 'version=1'], {
      engine: { planRun: async () => plan() },
    })
    expect(out).toContain('Gate start: Start\n   approvers: alice\n   timeout: 5 min\n')
    expect(out).toContain(
      '1. Build (shell) - known only during the run\n   if: tests_pass\n   $ make\n   $ make test\n',
    )
    expect(out).toContain('Warning: nothing sets tests_pass\n\nIt would start. Nothing was started.\n')
    expect(code).toBe(0)
    expect(calls.map(({ method }) => method)).toEqual(['planRun'])
  })

  test('shows branches, items, what undoes a step, and the SOP that one runs', async () => {
    const step = { kind: 'step', id: '1', title: 'Patch', stepNumber: 1, action: 'sop', runs: 'yes' } as const
    const { out } = await sop(['run', 'deploy', '--dry-run'], {
      engine: {
        planRun: async () =>
          plan({
            items: [
              {
                ...step,
                needs: [2, 3],
                beside: [4],
                each: { total: 30, items: ['web1', 'web2'], atOnce: 2 },
                rollback: ['yum history undo'],
                pointOfNoReturn: true,
                child: {
                  sop: 'health-check',
                  mode: 'auto',
                  params: { limit: 70 },
                  items: [{ ...step, title: 'Disk', action: 'shell', commands: ['df'] }],
                },
              },
              { ...step, id: '2', each: { note: '"hosts" depends on hosts', atOnce: 5 } },
            ],
          }),
      },
    })
    expect(out).toContain(
      [
        '1. Patch (sop)',
        '   after: steps 2, 3',
        '   beside: step 4',
        '   for each: 30 items, 2 at a time: web1, web2, and 28 more',
        '   undo $ yum history undo',
        '   point of no return: a walk back stops here and asks',
        '   runs SOP health-check (auto) with limit=70:',
        '     1. Disk (shell)',
        '        $ df',
        '2. Patch (sop)',
        '   for each: known only during the run ("hosts" depends on hosts), 5 at a time',
      ].join('\n'),
    )
  })

  test('fails when the run would not start', async () => {
    const engine = { planRun: async () => plan({ wouldStart: false, problems: ['param "version" is missing'] }) }
    const { out, code } = await sop(['run', 'deploy', '--dry-run'], { engine })
    expect(out).toContain('It would not start:\n  - param "version" is missing\n')
    expect(code).toBe(1)
  })
})

/** An engine whose run goes through these views, one at each question. */
const plays = (...views: ReturnType<typeof run>[]): NonNullable<World['engine']> => {
  const left = [...views]
  return {
    createRun: async () => left.shift() ?? run(),
    getRunStatus: async () => (left.length > 1 ? (left.shift() ?? run()) : (left[0] ?? run())),
  }
}

describe('run --wait', () => {
  const GOOD = [
    run({ stepResults: [step(1, 'running'), step(2, 'pending')] }),
    run({ sequence: 2, stepResults: [step(1, 'success', { durationMs: 1_200 }), step(2, 'running')], currentStep: 2 }),
    completed(),
  ]

  test('prints a line for each change elsewhere than on a terminal', async () => {
    const { out, code } = await sop(['run', 'deploy', '--wait'], { engine: plays(...GOOD) })
    expect(
      out
        .split('\n')
        .filter((line) => /step|run /.test(line))
        .map((line) => line.slice(9)),
    ).toEqual([
      'step 1/2 Step 1: running',
      'run running',
      'step 1/2 Step 1: success (1.2 s)',
      'step 2/2 Step 2: running',
      'step 2/2 Step 2: success (800 ms)',
      'run completed',
    ])
    expect(out.trimEnd().split('\n').at(-1)).toBe('completed after 1 min')
    expect(code).toBe(0)
  })

  test('draws over itself on a terminal', async () => {
    const { out } = await sop(['run', 'deploy', '--wait'], { engine: plays(...GOOD), terminal: true, columns: 40 })
    expect(out).toContain('▶ 1. Step 1')
    expect(out).toContain('\u001b[3A\u001b[J')
    expect(out).toContain('✔ 2. Step 2  800 ms')
  })

  test('prints one JSON value, the last state, with --json', async () => {
    const { json, code } = await sop(['run', 'deploy', '--wait', '--json'], { engine: plays(...GOOD), terminal: true })
    expect(json()).toEqual(completed())
    expect(code).toBe(0)
  })

  test.each([
    ['failed', 10],
    ['cancelled', 11],
    ['paused', 12],
  ] as const)('ends when the run is %s, with exit code %i', async (status, expected) => {
    const { code, out } = await sop(['run', 'deploy', '--wait'], {
      engine: plays(run(), run({ status, reason: 'step 1 failed', sequence: 3 })),
    })
    expect(code).toBe(expected)
    expect(out).toContain(`${status}: step 1 failed`)
  })

  test('tells the command to approve when a gate opens, and goes on waiting', async () => {
    const waits = run({ status: 'awaiting_approval', openGates: [gate()], sequence: 2 })
    const { out, err, code } = await sop(['run', 'deploy', '--wait'], { engine: plays(run(), waits, completed()) })
    expect(out).toContain('Waiting for approval: Deploy')
    expect(err).toContain(`Approve: sop approve ${RUN_ID}\n`)
    expect(code).toBe(0)
  })

  test('leaves the run going on Ctrl-C and says so', async () => {
    const { err, code, calls } = await sop(['run', 'deploy', '--wait'], {
      engine: plays(run()),
      onSleep: (count, io) => void (count === 3 && io.interrupt()),
    })
    expect(err).toContain(`Stopped watching. The run goes on.\nFollow it: sop status ${RUN_ID} --wait\n`)
    expect(code).toBe(130)
    expect(calls.map(({ method }) => method)).not.toContain('cancelRun')
  })

  test('stops waiting when --timeout is over', async () => {
    const { err, code, io } = await sop(['run', 'deploy', '--wait', '--timeout', '30s'], { engine: plays(run()) })
    expect(err).toContain('The time to wait is over. The run goes on.')
    expect(code).toBe(12)
    expect(io.sleptMs()).toBe(30_000)
  })

  test('outlasts an engine that restarts meanwhile', async () => {
    let asked = 0
    const away = new SopError('unavailable', 'Cannot reach the engine')
    const engine = {
      createRun: async () => run(),
      getRunStatus: async () => {
        asked += 1
        if (asked < 4) throw away
        return completed()
      },
    }
    const { err, code } = await sop(['run', 'deploy', '--wait'], { engine })
    expect(err).toContain('The engine does not answer; trying for 60 s. The run is not lost.\n')
    expect(err.match(/does not answer/g)).toHaveLength(1)
    expect(code).toBe(0)
  })

  test('gives up on an engine that stays away', async () => {
    const engine = {
      createRun: async () => run(),
      getRunStatus: async () => {
        throw new SopError('unavailable', 'Cannot reach the engine')
      },
    }
    const { code, io } = await sop(['run', 'deploy', '--wait'], { engine })
    expect(code).toBe(8)
    expect(io.sleptMs()).toBeGreaterThan(55_000)
  })
})

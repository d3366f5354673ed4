import { describe, expect, test } from 'vitest'
import type { LogChunk } from '../../src/client/client.ts'
import type { RecordedEvent } from '../../src/core/run/event.ts'
import { createCli } from '../../src/cli/cli.ts'
import { SopError } from '../../src/core/errors.ts'
import { RUN_ID, completed, gate, input, run, sop as sample, step, summary } from './support/samples.ts'
import { createFakeIo } from './support/fake-io.ts'
import { createFakeClient, createFakePorts } from './support/fake-ports.ts'
import { sop } from './support/sop.ts'

describe('status', () => {
  test('shows facts, steps and what waits', async () => {
    const view = run({
      status: 'running',
      currentStep: 2,
      params: { version: '2.1.0', dry: true },
      stepResults: [step(1, 'success', { durationMs: 61_000 }), step(2, 'awaiting_input', { attempt: 2 })],
      openInputs: [
        input({
          assignee: 'bob',
          checklist: [
            { item: 1, text: 'look', ticked: true },
            { item: 2, text: 'smell', ticked: false },
          ],
          form: [{ name: 'ticket', type: 'string', required: true }],
        }),
      ],
    })
    const { out, err } = await sop(['status', RUN_ID], { engine: { getRunStatus: async () => view } })
    expect(out).toContain('Status: running\nStep: 2 of 2\nMode: supervised\n')
    expect(out).toContain(
      'Created: 3 min ago by alice (cli, manual)\nStarted: 2 min ago\nParams: version=2.1.0, dry=true\n',
    )
    expect(out).toContain(
      '#  STEP    STATUS          TOOK       NOTE\n1  Step 1  success         1 min 1 s\n2  Step 2  awaiting_input             attempt 2\n',
    )
    expect(out).toContain('  Assignee: bob\n  [x] 1. look\n  [ ] 2. smell\n  Field ticket: string, required\n')
    expect(err).toBe(`Complete: sop complete ${RUN_ID} 2\n`)
  })

  test('gives times in UTC with --long', async () => {
    const { out } = await sop(['status', RUN_ID, '--long'], { engine: { getRunStatus: async () => completed() } })
    expect(out).toContain('Created: 2026-02-25 12:57:00 UTC by alice')
    expect(out).toContain('Took: 1 min\n')
  })

  test('shows one step with its output', async () => {
    const view = run({
      stepResults: [
        step(1, 'failed', { exitCode: 2, error: 'exit code 2', output: 'no\u001b[2Jway\n' }),
        step(2, 'pending'),
      ],
    })
    const { out } = await sop(['status', RUN_ID, '--step', '1'], { engine: { getRunStatus: async () => view } })
    expect(out).toContain('Step: 1 of 2: Step 1\nStatus: failed\n')
    expect(out).toContain('Exit code: 2\nError: exit code 2\n\nOutput:\nno\\x1b[2Jway\n')
  })

  test('says so when the run has no such step', async () => {
    const { err, code } = await sop(['status', RUN_ID, '--step', '9'], { engine: { getRunStatus: async () => run() } })
    expect(err).toBe(`sop: Cannot show step 9 of run "${RUN_ID}": it has 2 steps\n`)
    expect(code).toBe(6)
  })

  test('lists the open runs without a run', async () => {
    const { out, calls } = await sop(['status'], {
      engine: { listRuns: async () => [summary({ status: 'awaiting_approval', openGates: ['start'] })] },
    })
    expect(calls[0]?.args).toEqual([
      { states: ['pending', 'waiting_approval', 'running', 'awaiting_approval', 'paused'] },
    ])
    expect(out).toBe(
      `RUN ID               SOP           STATUS             STEP  CREATED    TOOK  BY     WAITS FOR\n${RUN_ID}    deploy 1.0.0  awaiting_approval  1/2   3 min ago  -     alice  start\n`
        .replace(`${RUN_ID}    `, `${RUN_ID}  `)
        .replace('RUN ID               ', `${'RUN ID'.padEnd(RUN_ID.length)}  `),
    )
  })

  test('says how to begin when nothing is open', async () => {
    expect((await sop(['status'], { engine: { listRuns: async () => [] } })).out).toBe(
      'No open runs. Start one: sop run NAME\n',
    )
  })

  test('needs a run for --step and --wait', async () => {
    expect((await sop(['status', '--step', '1'], { engine: {} })).code).toBe(2)
    expect((await sop(['status', '--wait'], { engine: {} })).code).toBe(2)
  })

  test('waits with --wait as run does', async () => {
    const views = [run(), completed()]
    const { code } = await sop(['status', RUN_ID, '--wait'], {
      engine: { getRunStatus: async () => views.shift() ?? completed() },
    })
    expect(code).toBe(0)
  })

  test('says that a view comes from the record', async () => {
    const { out } = await sop(['status', RUN_ID], { engine: { getRunStatus: async () => run({ stale: true }) } })
    expect(out).toContain('Note: from the record: no worker answers now')
  })
})

describe('runs and history', () => {
  test('passes the filter on; open and closed mean several states', async () => {
    const { calls } = await sop(['runs', '--sop', 'deploy', '--state', 'closed', '--state', 'paused', '--limit', '5'], {
      engine: { listRunPage: async () => ({ runs: [] }) },
    })
    expect(calls[0]?.args).toEqual([
      { sop: 'deploy', states: ['completed', 'failed', 'cancelled', 'paused'], limit: 5 },
    ])
  })

  test.each([
    [['runs'], 'No runs yet. Start one: sop run NAME\n'],
    [['runs', '--sop', 'x'], 'No runs of "x" yet. Start one: sop run x\n'],
    [['runs', '--state', 'failed'], 'No runs in state failed. All runs: sop runs\n'],
    [['runs', '--state', 'failed', '--text', 'disk'], 'No runs fit. All runs: sop runs\n'],
    [['runs', '--sop', 'x', '--cursor', 'c'], 'No more runs. From the beginning: sop runs --sop x\n'],
  ])('%j says how to begin when there are none', async (argv, text) => {
    expect((await sop(argv, { engine: { listRunPage: async () => ({ runs: [] }) } })).out).toBe(text)
  })

  test('passes priority, trigger, times, text and cursor on', async () => {
    const argv = 'runs --priority high --priority low --trigger cron --from 7d --to 2026-03-01 --text'.split(' ')
    const { calls } = await sop([...argv, 'disk full', '--cursor', 'c'], {
      engine: { listRunPage: async () => ({ runs: [] }) },
    })
    expect(calls[0]?.args).toEqual([
      {
        priorities: ['high', 'low'],
        triggers: ['cron'],
        from: '7d',
        to: '2026-03-01',
        text: 'disk full',
        cursor: 'c',
      },
    ])
  })

  test('says how many there are, and how to go on', async () => {
    const page = { runs: [summary()], next: '2026~a', total: 10_000, more: true } as const
    const { out } = await sop(['runs'], { engine: { listRunPage: async () => page } })
    expect(out).toContain("\n1 of 10000 or more runs. Go on with the same filters and --cursor '2026~a'\n")
    const { out: json } = await sop(['runs', '--json'], { engine: { listRunPage: async () => page } })
    expect(JSON.parse(json)).toHaveLength(1)
  })

  test.each([
    [['runs', '--state', 'running!']],
    [['runs', '--priority', 'urgent']],
    [['runs', '--trigger', 'moon']],
    [['runs', '--limit', '0']],
    [['runs', '--limit', '1001']],
    [['runs', '--limit', '1e3']],
    [['history']],
  ])('refuses %j', async (argv) => {
    expect(await sop(argv, { engine: {} })).toMatchObject({ code: 2, calls: [] })
  })

  test('history asks for ten runs of the SOP', async () => {
    const { calls, out } = await sop(['history', 'deploy'], { engine: { listRuns: async () => [summary()] } })
    expect(calls[0]?.args).toEqual([{ sop: 'deploy', limit: 10 }])
    expect(out).toContain(RUN_ID)
  })

  test('history tells an SOP without runs from one that does not exist', async () => {
    const none = { listRuns: async () => [] }
    expect((await sop(['history', 'deploy'], { engine: { ...none, getSop: async () => sample() } })).out).toContain(
      'No runs of "deploy" yet.',
    )
    const missing = async () => {
      throw new SopError('not_found', 'Cannot find SOP "x"')
    }
    expect((await sop(['history', 'x'], { engine: { ...none, getSop: missing } })).code).toBe(6)
  })
})

const event = (more: Partial<RecordedEvent>): RecordedEvent =>
  ({
    sequence: 1,
    timestamp: '2026-02-25T12:57:00.000Z',
    eventType: 'approval_granted',
    runId: RUN_ID,
    stepNumber: 2,
    principal: { id: 'alice', kind: 'user' },
    via: 'cli',
    details: { gate: '2-deploy', attempt: 1, comment: 'fine' },
    previousHash: 'p',
    hash: 'h',
    ...more,
  }) as RecordedEvent

describe('audit', () => {
  const log = {
    runId: RUN_ID,
    events: [
      event({}),
      event({ sequence: 2, principal: { id: 'unverified', kind: 'user', verified: false }, via: 'signal' }),
    ],
    sentences: ['alice approved it.', 'Somebody approved it.'],
  }

  test('names who, what, when and how it came', async () => {
    const { out } = await sop(['audit', RUN_ID], { engine: { getAuditLog: async () => log } })
    expect(out).toContain('1  2026-02-25 12:57:00 UTC  alice approved it.\n')
    expect(out).toContain('2  2026-02-25 12:57:00 UTC  Somebody approved it.')
  })

  test('shows every detail and the hash with --long, and all of it with --json', async () => {
    const { out } = await sop(['audit', RUN_ID, '--long'], { engine: { getAuditLog: async () => log } })
    expect(out).toContain('1  2026-02-25 12:57:00 UTC  approval_granted  2     alice                    cli\n')
    expect(out).toContain('unverified (unverified)  signal')
    expect(out).toContain('     gate: 2-deploy\n     attempt: 1\n     comment: fine\n     hash: h\n')
    expect((await sop(['audit', RUN_ID, '--json'], { engine: { getAuditLog: async () => log } })).json()).toEqual(log)
  })
})

/** An engine with one log of two steps, handed out in pieces of `size` characters. */
const logsOf = (texts: Readonly<Record<number, string>>, size = 1_000) => ({
  readLog: async (runId: string, at: { step?: number; attempt?: number; offset?: number }): Promise<LogChunk> => {
    const text = texts[at.step ?? 0]
    if (text === undefined) throw new SopError('not_found', 'no log')
    const offset = at.offset ?? 0
    const part = text.slice(offset, offset + size)
    return {
      runId,
      stepNumber: at.step ?? 0,
      attempt: at.attempt ?? 1,
      source: 'step',
      offset,
      next: offset + part.length,
      text: part,
      complete: offset + part.length >= text.length,
    }
  },
})

describe('logs', () => {
  const done = completed({
    stepResults: [step(1, 'success'), step(2, 'success', { kind: 'manual' }), step(3, 'success'), step(4, 'skipped')],
    totalSteps: 4,
  })
  const engine = { getRunStatus: async () => done, ...logsOf({ 1: 'one\ntwo', 3: 'three\n' }, 4) }

  test('prints all steps that printed something, each under its title', async () => {
    const { out } = await sop(['logs', RUN_ID], { engine })
    expect(out).toBe('==> step 1: Step 1 <==\none\ntwo\n\n==> step 3: Step 3 <==\nthree\n')
  })

  test('prints one step without a title', async () => {
    expect((await sop(['logs', RUN_ID, '--step', '3'], { engine })).out).toBe('three\n')
  })

  test('prints every item of a for_each step, or the one that is asked for', async () => {
    const items = { total: 2, pending: 0, running: 0, success: 2, failed: 0, skipped: 0, unknown: 0, shown: [] }
    const wide = {
      getRunStatus: async () => completed({ stepResults: [step(1, 'success', { items })], totalSteps: 1 }),
      listLogs: async (runId: string, { item: only }: { readonly item?: number } = {}) => {
        const logs = [1, 2].filter((item) => only === undefined || item === only)
        return {
          runId,
          logs: logs.map((item) => ({ stepNumber: 1, attempt: 1, source: 'step', item })),
          total: logs.length,
        }
      },
      readLog: async (runId: string, at: { readonly item?: number; readonly offset?: number }): Promise<LogChunk> => {
        const text = (at.offset ?? 0) > 0 ? '' : `web${at.item}\n`
        const place = { stepNumber: 1, attempt: 1, source: 'step', item: at.item ?? 0 }
        return { runId, ...place, offset: at.offset ?? 0, next: 5, text, complete: true }
      },
    }
    const { out } = await sop(['logs', RUN_ID], { engine: wide })
    expect(out).toBe('==> item 1 of step 1: Step 1 <==\nweb1\n\n==> item 2 of step 1: Step 1 <==\nweb2\n')
    expect((await sop(['logs', RUN_ID, '--step', '1', '--item', '2'], { engine: wide })).out).toBe('web2\n')
    const { err, code } = await sop(['logs', RUN_ID, '--item', '2'], { engine: wide })
    expect([err, code]).toEqual([expect.stringContaining('Cannot choose an item: --item needs --step'), 2])
  })

  test('prints every attempt', async () => {
    const twice = {
      ...engine,
      getRunStatus: async () => completed({ stepResults: [step(1, 'success', { attempt: 2 })], totalSteps: 1 }),
    }
    const { out } = await sop(['logs', RUN_ID], { engine: twice })
    expect(out.match(/==> .*/g)).toEqual(['==> step 1: Step 1 <==', '==> step 1: Step 1, attempt 2 <=='])
    expect((await sop(['logs', RUN_ID, '--step', '1', '--attempt', '2'], { engine: twice })).out).toBe('one\ntwo\n')
  })

  test.each([1, 2, 3, 5, 100])(
    'writes control characters out, keeps colours, in pieces of %i characters',
    async (size) => {
      const text = 'a\u001b[31mred\u001b[0m\u001b[2Jgone\u001b]0;title\u0007 50%\r100%\r\n\u009b2J\tb\n'
      const of = { getRunStatus: async () => done, ...logsOf({ 1: text }, size) }
      const clean = 'a\u001b[31mred\u001b[0m\\x1b[2Jgone\\x1b]0;title\\x07 50%\n100%\n\\x9b2J\tb\n'
      expect((await sop(['logs', RUN_ID, '--step', '1'], { engine: of, terminal: true })).out).toBe(clean)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is dropped.
      expect((await sop(['logs', RUN_ID, '--step', '1'], { engine: of })).out).toBe(clean.replace(/\u001b\[\d+m/g, ''))
      expect((await sop(['logs', RUN_ID, '--step', '1', '--raw'], { engine: of, terminal: true })).out).toBe(text)
    },
  )

  test('joins the pieces with --json', async () => {
    const { json } = await sop(['logs', RUN_ID, '--json'], { engine })
    expect(json()).toEqual([
      { runId: RUN_ID, stepNumber: 1, attempt: 1, source: 'step', text: 'one\ntwo', complete: true },
      { runId: RUN_ID, stepNumber: 3, attempt: 1, source: 'step', text: 'three\n', complete: true },
    ])
  })

  test('gives with --raw the bytes as they came', async () => {
    const bytes = Buffer.from([0, 255, 10, 27])
    const of = {
      getRunStatus: async () => done,
      readLog: async () => ({
        ...(await logsOf({ 1: 'x' }).readLog(RUN_ID, { step: 1 })),
        text: '',
        base64: bytes.toString('base64'),
      }),
    }
    const { out, calls } = await sop(['logs', RUN_ID, '--step', '1', '--raw'], { engine: of })
    expect(Buffer.from(out, 'latin1')).toEqual(bytes)
    expect(calls.at(-1)?.args[1]).toMatchObject({ encoding: 'base64' })
  })

  test('says since when and why logs are gone', async () => {
    const readLog = async () => {
      throw new SopError('not_found', 'Cannot read the log: its logs were removed on 2026-01-01', { removedAt: 'x' })
    }
    const { err, code } = await sop(['logs', RUN_ID], { engine: { ...engine, readLog } })
    expect([err, code]).toEqual(['sop: Cannot read the log: its logs were removed on 2026-01-01\n', 6])
  })

  test('says so when nothing was printed', async () => {
    const { out, err, code } = await sop(['logs', RUN_ID], { engine: { ...engine, ...logsOf({}) } })
    expect({ out, err, code }).toEqual({ out: '', err: `No output in run "${RUN_ID}".\n`, code: 0 })
  })

  test('refuses a step that the run does not have, and an attempt without a step', async () => {
    expect((await sop(['logs', RUN_ID, '--step', '9'], { engine })).code).toBe(6)
    expect((await sop(['logs', RUN_ID, '--attempt', '2'], { engine })).code).toBe(2)
  })

  test('follows steps as they begin, until the run ends', async () => {
    const views = [
      run({ stepResults: [step(1, 'running'), step(2, 'pending')] }),
      run({ stepResults: [step(1, 'success'), step(2, 'running')] }),
      completed(),
    ]
    const texts: Record<number, string> = { 1: 'one\n' }
    const of = { ...logsOf(texts), getRunStatus: async () => views.shift() ?? completed() }
    const { out, code } = await sop(['logs', RUN_ID, '-f'], { engine: of, onSleep: () => void (texts[2] = 'two\n') })
    expect(out).toBe('==> step 1: Step 1 <==\none\n\n==> step 2: Step 2 <==\ntwo\n')
    expect(code).toBe(0)
  })

  test('follows a step whose log is not there yet', async () => {
    const texts: Record<number, string> = {}
    const views = [run(), run(), completed()]
    const of = { ...logsOf(texts), getRunStatus: async () => views.shift() ?? completed() }
    const { out } = await sop(['logs', RUN_ID, '--step', '1', '-f'], {
      engine: of,
      onSleep: () => void (texts[1] = 'late\n'),
    })
    expect(out).toBe('late\n')
  })

  test('stops following a log that nobody writes any more', async () => {
    const chunk: LogChunk = {
      runId: RUN_ID,
      stepNumber: 1,
      attempt: 1,
      source: 'step',
      offset: 3,
      next: 3,
      text: '',
      complete: false,
    }
    const of = {
      getRunStatus: async () => run({ status: 'failed', stepResults: [step(1, 'unknown')] }),
      readLog: async () => chunk,
    }
    expect((await sop(['logs', RUN_ID, '-f'], { engine: of })).code).toBe(0)
  })

  test('stops following on Ctrl-C, even while the engine holds its answer back', async () => {
    const io = createFakeIo()
    const of = {
      getRunStatus: async () => run(),
      readLog: () => {
        setImmediate(() => io.interrupt())
        return new Promise<LogChunk>(() => {})
      },
    }
    const ports = createFakePorts(createFakeClient(of).client)
    expect(await createCli({ io, ports }).run(['logs', RUN_ID, '-f'])).toBe(130)
  })
})

describe('show', () => {
  test('shows settings, params, gates and steps', async () => {
    const full = sample({
      params: [
        { name: 'version', type: 'string', required: true, pattern: '\\d+' },
        { name: 'token', type: 'string', secret: true, default: 'hidden' },
      ],
      gates: [{ key: 'pre_patch', type: 'approval', position: { at: 'start' }, required: true, approvers: ['alice'] }],
      steps: [
        {
          number: 1,
          slug: 'x',
          title: 'Patch',
          action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'apt\nreboot\n' }] },
          requiresApproval: true,
          timeoutMs: 60_000,
        },
      ],
    })
    const { out } = await sop(['show', 'deploy'], { engine: { getSop: async () => full } })
    expect(out).toContain('Params:\n  version: string, required, pattern \\d+\n  token: string, secret\n')
    expect(out).not.toContain('hidden')
    expect(out).toContain('Gates:\n  pre_patch: approval, before the first step, by alice\n')
    expect(out).toContain('  1. Patch (shell) [requires approval; timeout 1 min]\n     $ apt\n     $ reboot\n')
  })

  test('prints the source as it is written', async () => {
    const engine = { getSop: async () => ({ ...sample(), source: { 'a.md': '# A\n' } }) }
    expect((await sop(['show', 'a', '--source'], { engine })).out).toBe('# A\n')
    expect((await sop(['show', 'a', '--source', '--json'], { engine })).json()).toEqual({ 'a.md': '# A\n' })
  })
})

test('open gates in a list of several are approved by their id', async () => {
  const view = run({ openGates: [gate(), gate({ gate: 'it is', stepNumber: 3 })] })
  const { err } = await sop(['status', RUN_ID], { engine: { getRunStatus: async () => view } })
  expect(err).toContain(`sop approve ${RUN_ID} --gate 2-deploy\n`)
  expect(err).toContain(`sop approve ${RUN_ID} --gate 'it is'\n`)
})

import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { ERROR_CODES, SopError } from '../../src/core/errors.ts'
import { run, sop as sample } from './support/samples.ts'
import { sop } from './support/sop.ts'

const VERBS = COMMANDS.filter(({ hidden }) => hidden !== true)

describe('the command line', () => {
  test.each([[[]], [['help']], [['--help']], [['-h']]])('%j prints the verbs', async (argv) => {
    const { out, err, code } = await sop(argv)
    for (const { name } of VERBS) expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
    expect(out).not.toContain('__complete')
    expect({ err, code }).toEqual({ err: '', code: 0 })
  })

  test.each(VERBS.map(({ name }) => name))('%s has a help with its examples', async (name) => {
    const { out, code } = await sop(['help', name])
    expect(out).toContain(`Usage: sop ${name}`)
    for (const example of COMMANDS.find((spec) => spec.name === name)?.examples ?? []) expect(out).toContain(example)
    expect((await sop([name, '--help'])).out).toBe(out)
    expect(code).toBe(0)
  })

  test.each([
    ['lst', 'Did you mean list?'],
    ['aprove', 'Did you mean approve?'],
    ['stauts', 'Did you mean status?'],
  ])('answers the unknown verb %s with what was probably meant', async (verb, hint) => {
    const { err, code, out } = await sop([verb])
    expect(err).toContain(`unknown command '${verb}'`)
    expect(err).toContain(hint)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })

  test.each([
    [['approve', '--nonsense'], 'See: sop help approve'],
    [['--json', 'status', '--nonsense'], 'See: sop help status'],
    [['status', 'a', 'b'], 'See: sop help status'],
    [['frobnicate'], 'See: sop help'],
    [['--nonsense'], 'See: sop help'],
  ])('%j names the help that explains it', async (argv, help) => {
    const { err, code } = await sop(argv)
    expect(err.trimEnd().split('\n').at(-1)).toBe(help)
    expect(code).toBe(2)
  })

  test('suggests nothing for a verb that is like none', async () => {
    const { err, code } = await sop(['frobnicate'])
    expect(err).not.toContain('Did you mean')
    expect(code).toBe(2)
  })

  test('shows control characters of a wrong word', async () => {
    expect((await sop(['\u001b[2J'])).err).toContain('\\x1b[2J')
  })

  test('help for an unknown topic names the nearest', async () => {
    const { err, code } = await sop(['help', 'exit-code'])
    expect(err).toContain('Did you mean "exit-codes"?')
    expect(code).toBe(2)
  })

  test('takes --json before the verb too', async () => {
    const { json } = await sop(['--json', 'list'], { engine: { listSops: async () => [sample()] } })
    expect(json()).toEqual([sample()])
  })

  test.each([['version'], ['--version'], ['-V']])('%s prints the version', async (word) => {
    expect((await sop([word])).out).toBe('sop-engine 9.8.7\n')
    expect((await sop([word, '--json'])).json()).toEqual({ name: 'sop-engine', version: '9.8.7' })
  })

  test('hands --url to the connection', async () => {
    const urls: unknown[] = []
    await sop(['list', '--url', 'http://127.0.0.1:9'], { ports: { connect: async (at) => urls.push(at.url) as never } })
    expect(urls).toEqual(['http://127.0.0.1:9'])
  })
})

describe('errors', () => {
  test.each(ERROR_CODES)('%s has its own exit code, and is JSON with --json', async (code) => {
    const engine = {
      listSops: async () => {
        throw new SopError(code, 'Cannot list SOPs: because', { hint: 1 })
      },
    }
    const plain = await sop(['list'], { engine })
    expect(plain).toMatchObject({ code: EXIT_CODES[code].code, out: '', err: 'sop: Cannot list SOPs: because\n' })
    const { json, ...asJson } = await sop(['list', '--json'], { engine })
    expect(json()).toEqual({ error: { code, message: 'Cannot list SOPs: because', details: { hint: 1 } } })
    expect(asJson.code).toBe(EXIT_CODES[code].code)
  })

  test('no engine says how to start one', async () => {
    const { err, code } = await sop(['status'])
    expect(err).toContain('Start one with "sop serve"')
    expect(code).toBe(8)
  })

  test('a defect is internal, and shows where only with SOP_LOG_LEVEL=debug', async () => {
    const engine = {
      listSops: async () => {
        throw new TypeError('x is not a function')
      },
    }
    const plain = await sop(['list'], { engine })
    expect(plain.err).toBe(
      'sop: Cannot finish: x is not a function. This is a defect; SOP_LOG_LEVEL=debug shows where\n',
    )
    expect(plain.code).toBe(9)
    expect((await sop(['list'], { engine, env: { SOP_LOG_LEVEL: 'debug' } })).err).toContain('at ')
  })

  test('every outcome has a number of its own, and help shows them all', async () => {
    const numbers = Object.values(EXIT_CODES).map(({ code }) => code)
    expect(new Set(numbers).size).toBe(numbers.length)
    const { out } = await sop(['help', 'exit-codes'])
    for (const { code, meaning } of Object.values(EXIT_CODES))
      expect(out).toMatch(new RegExp(`^${code}\\s+${meaning.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm'))
  })
})

describe('open', () => {
  const engine = {
    createSessionLink: async () => ({ url: 'http://127.0.0.1:7780/login#code=x', code: 'x', expiresAt: 'soon' }),
    getRunStatus: async () => run({ runId: 'sop_run_1' }),
  }

  test('prints the link alone on stdout, and says what it is worth', async () => {
    const { out, err } = await sop(['open'], { engine })
    expect(out).toBe('http://127.0.0.1:7780/login#code=x\n')
    expect(err).toContain('Who has it acts as you')
  })

  test('leads to a run', async () => {
    const { out } = await sop(['open', 'deploy', '--json'], { engine })
    expect(JSON.parse(out)).toEqual({
      url: 'http://127.0.0.1:7780/login?next=%2Fruns%2Fsop_run_1#code=x',
      expiresAt: 'soon',
    })
  })
})

describe('token', () => {
  const info = {
    name: 'alice',
    role: 'approver',
    kind: 'user',
    groups: ['dba', 'sre'],
    createdAt: '2026-02-25T12:00:00.000Z',
    createdBy: 'root',
  } as const
  const engine = {
    createToken: async () => ({ ...info, token: 'sop_secret' }),
    listTokens: async () => [info],
    revokeToken: async () => {},
  }

  test('create prints the token alone on stdout', async () => {
    const { out, err, calls } = await sop(
      ['token', 'create', 'alice', '--role', 'approver', '--group', 'dba', '--group', 'sre'],
      { engine },
    )
    expect(calls[0]?.args).toEqual([{ name: 'alice', role: 'approver', groups: ['dba', 'sre'] }])
    expect(out).toBe('sop_secret\n')
    expect(err).toContain('Token of user "alice", role approver, groups dba, sre. It is shown only now')
  })

  test('list and revoke', async () => {
    expect((await sop(['token', 'list'], { engine })).out).toContain('alice  approver  user  dba, sre  1 h ago  root\n')
    expect((await sop(['token', 'list'], { engine: { listTokens: async () => [] } })).out).toContain(
      'No tokens yet. Create one: sop token create NAME',
    )
    const { out, calls } = await sop(['token', 'revoke', 'alice'], { engine })
    expect(calls[0]).toEqual({ method: 'revokeToken', args: ['alice'] })
    expect(out).toBe('Revoked the token of "alice".\n')
  })

  test.each([
    [['create']],
    [['revoke']],
    [['list', 'x']],
    [['make', 'x']],
    [['create', 'x', '--role', 'boss']],
    [['create', 'x', '--kind', 'timer']],
    [['revoke', 'x', '--role', 'admin']],
  ])('refuses %j', async (argv) => {
    expect(await sop(['token', ...argv], { engine })).toMatchObject({ code: 2, calls: [] })
  })
})

describe('config', () => {
  const ports = {
    settings: async () => [
      { key: 'temporal.port', value: 7233, origin: 'default' },
      { key: 'temporal.ui', value: true, origin: 'env SOP_TEMPORAL_UI' },
      { key: 'data_dir', value: '/x', origin: 'sop.config.toml:3' },
    ],
  }

  test('shows every value and where it came from', async () => {
    expect((await sop(['config'], { ports })).out).toBe(
      'SETTING        VALUE  FROM\ntemporal.port  7233   default\ntemporal.ui    true   env SOP_TEMPORAL_UI\ndata_dir       /x     sop.config.toml:3\n',
    )
  })

  test('shows one setting, or those below it', async () => {
    expect((await sop(['config', 'temporal', '--json'], { ports })).json()).toHaveLength(2)
    expect((await sop(['config', 'data_dir', '--json'], { ports })).json()).toEqual([
      { key: 'data_dir', value: '/x', origin: 'sop.config.toml:3' },
    ])
    expect((await sop(['config', 'nothing'], { ports })).code).toBe(6)
  })
})

describe('serve and worker', () => {
  test.each([
    [['serve'], { welcome: false, worker: true, json: false }],
    [['serve', '--welcome', '--json'], { welcome: true, worker: true, json: true }],
    [['serve', '--no-worker'], { welcome: false, worker: false, json: false }],
  ])('%j hands over to the engine and returns its exit code', async (argv, expected) => {
    const given: unknown[] = []
    const serve = async (options: unknown) => given.push(options) + 2
    expect((await sop(argv, { ports: { serve } })).code).toBe(3)
    expect(given).toEqual([expected])
  })

  test('worker returns its exit code', async () => {
    expect((await sop(['worker'], { ports: { worker: async () => 1 } })).code).toBe(1)
  })
})

describe('create', () => {
  const created = async () => ({ name: 'x', files: ['/s/x/SOP.toml', '/s/x/SOP.md'] })

  test('asks the engine', async () => {
    const { calls, out } = await sop(['create', 'x', '--description', 'D', '--mode', 'auto', '--priority', 'medium'], {
      engine: { createSop: created },
    })
    expect(calls).toEqual([
      { method: 'createSop', args: [{ name: 'x', description: 'D', mode: 'auto', priority: 'normal', dialect: 'A' }] },
    ])
    expect(out).toBe('Created SOP "x":\n  /s/x/SOP.toml\n  /s/x/SOP.md\n')
  })

  test('writes the files itself without an engine, unless the engine is elsewhere', async () => {
    const ports = { files: async () => ({ create: created }) as never }
    expect((await sop(['create', 'x'], { ports })).out).toContain('Created SOP "x"')
    expect((await sop(['create', 'x'], { ports, env: { SOP_URL: 'http://example.com' } })).code).toBe(8)
    expect((await sop(['create', 'x', '--url', 'http://example.com'], { ports })).code).toBe(8)
  })

  test('asks on a terminal for what is missing', async () => {
    const { calls, io } = await sop(['create'], {
      engine: { createSop: created },
      terminal: true,
      answers: ['x', 'For tests', 'step-by-step', ''],
    })
    expect(io.asked).toHaveLength(4)
    expect(calls[0]?.args).toEqual([{ name: 'x', description: 'For tests', mode: 'step_by_step', dialect: 'A' }])
  })

  test('asks nothing elsewhere', async () => {
    expect(await sop(['create'], { engine: {} })).toMatchObject({ code: 2, calls: [] })
    expect((await sop(['create', 'x', '--single-file'], { engine: { createSop: created } })).calls[0]?.args).toEqual([
      { name: 'x', dialect: 'D' },
    ])
  })
})

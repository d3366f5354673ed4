import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { localPrincipal, openLocalToken, readLocalToken } from '../../src/client/local-token.ts'
import { openTokenStore } from '../../src/client/tokens.ts'
import type { Role } from '../../src/core/run/principal.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sop-tokens-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
const LOCAL = { id: 'me', kind: 'user', role: 'admin' } as const
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

describe('openTokenStore()', () => {
  test('makes a token that speaks for its principal, and keeps only its hash', async () => {
    const dataDir = await folder()
    const store = openTokenStore({ dataDir, now: () => new Date('2026-02-25T16:00:00Z') })
    const made = await store.create({ name: 'alice', role: 'approver', groups: ['sre', 'dba', 'sre'] }, 'root')

    expect(made).toEqual({
      name: 'alice',
      kind: 'user',
      role: 'approver',
      groups: ['dba', 'sre'],
      createdAt: '2026-02-25T16:00:00.000Z',
      createdBy: 'root',
      token: expect.stringMatching(/^sop_[\w-]{43}$/),
    })
    expect(await store.principalOf(made.token)).toEqual({
      id: 'alice',
      kind: 'user',
      role: 'approver',
      groups: ['dba', 'sre'],
    })
    const file = await readFile(join(dataDir, 'tokens.json'), 'utf8')
    expect(file).not.toContain(made.token)
    expect(file).not.toContain(made.token.slice(4))
    expect(await modeOf(join(dataDir, 'tokens.json'))).toBe('600')
    const { token: _, ...shown } = made
    expect(await store.list()).toEqual([shown])
  })

  test('two tokens are never the same', async () => {
    const store = openTokenStore({ dataDir: await folder() })
    const [a, b] = await Promise.all([
      store.create({ name: 'a', role: 'viewer' }),
      store.create({ name: 'b', role: 'viewer' }),
    ])
    expect(a.token).not.toBe(b.token)
    expect((await store.list()).map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test.each(['', 'x', 'sop_', 'sop_wrong', 'ü'.repeat(300)])('knows nobody by "%s"', async (token) => {
    const dataDir = await folder()
    await openLocalToken(dataDir)
    const store = openTokenStore({ dataDir, localPrincipal: LOCAL })
    await store.create({ name: 'a', role: 'admin' })
    expect(await store.principalOf(token)).toBeUndefined()
  })

  test('a hash from the file is no token', async () => {
    const dataDir = await folder()
    const store = openTokenStore({ dataDir })
    await store.create({ name: 'a', role: 'admin' })
    const hash = /[0-9a-f]{64}/.exec(await readFile(join(dataDir, 'tokens.json'), 'utf8'))?.[0]
    expect(await store.principalOf(hash ?? '')).toBeUndefined()
    expect(hash).toHaveLength(64)
  })

  test('a revoked token opens nothing, in every store of the folder', async () => {
    const dataDir = await folder()
    const [one, other] = [openTokenStore({ dataDir }), openTokenStore({ dataDir })]
    const { token } = await one.create({ name: 'a', role: 'viewer' })
    expect(await other.principalOf(token)).toMatchObject({ id: 'a' })
    await one.revoke('a')
    expect(await other.principalOf(token)).toBeUndefined()
    await expect(one.revoke('a')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('"sop token list"'),
    })
  })

  test('takes a token of another process without a restart', async () => {
    const dataDir = await folder()
    const store = openTokenStore({ dataDir })
    expect(await store.list()).toEqual([])
    const made = await inAnotherProcess(dataDir, ['bob'])
    expect(await store.principalOf(made[0] ?? '')).toMatchObject({ id: 'bob' })
  })

  test('loses none of the tokens that several processes make at once', async () => {
    const dataDir = await folder()
    const names = ['a', 'b', 'c'].map((letter) => [1, 2, 3, 4].map((n) => letter + n))
    await Promise.all(names.map((own) => inAnotherProcess(dataDir, own)))
    expect((await openTokenStore({ dataDir }).list()).map(({ name }) => name)).toEqual(names.flat().sort())
    expect(await readdir(dataDir)).toEqual(['tokens.json'])
  })

  test('goes on after a process that died with the lock', async () => {
    const dataDir = await folder()
    const lock = join(dataDir, 'tokens.json.lock')
    await writeFile(lock, '')
    const longAgo = new Date(Date.now() - 60_000)
    await utimes(lock, longAgo, longAgo)
    await openTokenStore({ dataDir }).create({ name: 'a', role: 'viewer' })
    expect(await readdir(dataDir)).toEqual(['tokens.json'])
  })

  test.each([
    ['an empty name', { name: '', role: 'viewer' }, 'a name is 1 to 100'],
    ['a space', { name: 'a b', role: 'viewer' }, 'a name is 1 to 100'],
    ['a path', { name: '../a', role: 'viewer' }, 'a name is 1 to 100'],
    ['a group as name', { name: 'group:dba', role: 'viewer' }, 'a name is 1 to 100'],
    ['101 letters', { name: 'a'.repeat(101), role: 'viewer' }, 'a name is 1 to 100'],
    ['a name of the record', { name: 'Timer', role: 'viewer' }, 'reserved'],
    ['an unknown role', { name: 'a', role: 'root' as Role }, 'Roles: viewer, approver, operator, admin'],
    [
      'a kind that is the engine’s own',
      { name: 'a', role: 'viewer', kind: 'timer' as 'user' },
      'Kinds: user, agent, service',
    ],
    ['a group with its prefix', { name: 'a', role: 'viewer', groups: ['group:dba'] }, 'Write it without "group:"'],
  ] as const)('refuses %s', async (_name, token, words) => {
    const dataDir = await folder()
    const store = openTokenStore({ dataDir })
    await expect(store.create(token as never)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(words),
    })
    expect(await readdir(dataDir)).toEqual([])
  })

  test('accepts an e-mail address as name', async () => {
    const store = openTokenStore({ dataDir: await folder() })
    expect((await store.create({ name: 'alice+ops@example.com', role: 'viewer' })).name).toBe('alice+ops@example.com')
  })

  test('refuses a name that is taken, and changes nothing', async () => {
    const store = openTokenStore({ dataDir: await folder() })
    const { token } = await store.create({ name: 'a', role: 'viewer' })
    await expect(store.create({ name: 'a', role: 'admin' })).rejects.toMatchObject({ code: 'conflict' })
    expect(await store.principalOf(token)).toMatchObject({ role: 'viewer' })
  })

  test.each([
    ['is not JSON', '{"tokens": ['],
    ['is empty', ''],
    ['has no list', '{}'],
    ['is null', 'null'],
    [
      'has an entry with an unknown role',
      JSON.stringify({ tokens: [{ name: 'a', kind: 'user', role: 'god', groups: [], sha256: 'a'.repeat(64) }] }),
    ],
    [
      'has an entry with half a hash',
      JSON.stringify({ tokens: [{ name: 'a', kind: 'user', role: 'admin', groups: [], sha256: 'aa' }] }),
    ],
  ])('a token file that %s opens nothing and says what to do', async (_name, text) => {
    const dataDir = await folder()
    const { token } = await openLocalToken(dataDir)
    await writeFile(join(dataDir, 'tokens.json'), text)
    const store = openTokenStore({ dataDir, localPrincipal: LOCAL })
    await expect(store.principalOf('sop_x')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Restore it, or delete it'),
    })
    await expect(store.create({ name: 'b', role: 'viewer' })).rejects.toMatchObject({ code: 'unavailable' })
    expect(await store.principalOf(token)).toEqual(LOCAL)
    expect(await readFile(join(dataDir, 'tokens.json'), 'utf8')).toBe(text)
  })
})

describe('openLocalToken()', () => {
  test('makes a private token once, and gives it again', async () => {
    const dataDir = join(await folder(), 'new', 'data')
    const first = await openLocalToken(dataDir)
    expect(first.path).toBe(join(dataDir, 'token'))
    expect(await modeOf(first.path)).toBe('600')
    expect(await openLocalToken(dataDir)).toEqual(first)
    expect(await readdir(dataDir)).toEqual(['token'])
  })

  test('makes one token when it is opened many times at once', async () => {
    const dataDir = await folder()
    const opened = await Promise.all(Array.from({ length: 20 }, () => openLocalToken(dataDir)))
    expect(new Set(opened.map(({ token }) => token)).size).toBe(1)
    expect(await readLocalToken(dataDir)).toBe(opened[0]?.token)
  })

  test('makes a token file private again that others could read', async () => {
    const dataDir = await folder()
    await writeFile(join(dataDir, 'token'), 'mine\n', { mode: 0o644 })
    expect((await openLocalToken(dataDir)).token).toBe('mine')
    expect(await modeOf(join(dataDir, 'token'))).toBe('600')
  })

  test('replaces an empty file', async () => {
    const dataDir = await folder()
    await writeFile(join(dataDir, 'token'), '\n')
    const { token } = await openLocalToken(dataDir)
    expect(token).toMatch(/^sop_/)
    expect(await readLocalToken(dataDir)).toBe(token)
  })

  test('says so when the file is a folder', async () => {
    const dataDir = await folder()
    await mkdir(join(dataDir, 'token'))
    await expect(openLocalToken(dataDir)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('EISDIR'),
    })
  })

  test('speaks for the user of the operating system, as admin', async () => {
    const dataDir = await folder()
    const { token } = await openLocalToken(dataDir)
    const store = openTokenStore({ dataDir, localPrincipal: localPrincipal() })
    expect(await store.principalOf(token)).toEqual({ id: expect.stringMatching(/./), kind: 'user', role: 'admin' })
    expect(await openTokenStore({ dataDir }).principalOf(token)).toBeUndefined()
  })
})

/** Makes tokens of these names from a process of its own; gives them back. */
function inAnotherProcess(dataDir: string, names: readonly string[]): Promise<string[]> {
  const script = `
    import { openTokenStore } from '../../src/client/tokens.ts'
    const store = openTokenStore({ dataDir: ${JSON.stringify(dataDir)} })
    for (const name of ${JSON.stringify(names)}) console.log((await store.create({ name, role: 'viewer' })).token)
  `
  const loader = join(import.meta.dirname, '../support/register-ts.mjs')
  const child = spawn(process.execPath, [
    '--import',
    loader,
    '--input-type=module',
    '-e',
    script.replace('../../src', join(import.meta.dirname, '../../src')),
  ])
  return new Promise((resolve, reject) => {
    let out = ''
    let problems = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      problems += chunk.toString()
    })
    child.on('close', (code) => (code === 0 ? resolve(out.trim().split('\n')) : reject(new Error(problems))))
  })
}

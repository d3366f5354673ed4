import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openLocalToken } from '../../src/client/local-token.ts'
import { createSessions, LINK_MS, SESSION_MS } from '../../src/client/sessions.ts'
import { openTokenStore } from '../../src/client/tokens.ts'

const open = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sop-sessions-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const { token: local } = await openLocalToken(dataDir)
  const tokens = openTokenStore({ dataDir, localPrincipal: { id: 'os-user', kind: 'user', role: 'admin' } })
  const clock = { at: Date.parse('2026-02-25T16:00:00Z') }
  const key = new Uint8Array(32).fill(7)
  const sessions = createSessions({ key, tokens, now: () => clock.at })
  const { token } = await tokens.create({ name: 'alice', role: 'approver', groups: ['dba'] })
  return { dataDir, tokens, sessions, key, clock, local, token }
}
const alice = { id: 'alice', kind: 'user', role: 'approver', groups: ['dba'] }

describe('createSessions()', () => {
  test('opens a session for the holder of a token, and for nobody else', async () => {
    const { sessions, token, local } = await open()
    const opened = await sessions.open(token)
    expect(opened).toMatchObject({ principal: alice, expiresAt: '2026-02-26T04:00:00.000Z' })
    expect(await sessions.read(opened?.value ?? '')).toMatchObject({ principal: alice })
    expect((await sessions.open(local))?.principal.id).toBe('os-user')
    expect(await sessions.open('sop_wrong')).toBeUndefined()
  })

  test('says nothing of the token', async () => {
    const { sessions, token } = await open()
    const { value = '' } = (await sessions.open(token)) ?? {}
    expect(value).not.toContain(token.slice(4, 20))
    expect(value).not.toContain('alice')
  })

  test('a session outlives the process, and holds wherever the key is', async () => {
    const { sessions, tokens, key, clock, token } = await open()
    const value = (await sessions.open(token))?.value ?? ''
    expect(await createSessions({ key, tokens, now: () => clock.at }).read(value)).toMatchObject({ principal: alice })
    expect(await createSessions({ key: new Uint8Array(32), tokens, now: () => clock.at }).read(value)).toBeUndefined()
  })

  test('a session ends with its time', async () => {
    const { sessions, clock, token } = await open()
    const value = (await sessions.open(token))?.value ?? ''
    clock.at += SESSION_MS - 1
    expect(await sessions.read(value)).toBeDefined()
    clock.at += 1
    expect(await sessions.read(value)).toBeUndefined()
  })

  test('a session ends with its token, and a new token of the same name does not revive it', async () => {
    const { sessions, tokens, token } = await open()
    const value = (await sessions.open(token))?.value ?? ''
    await tokens.revoke('alice')
    expect(await sessions.read(value)).toBeUndefined()
    await tokens.create({ name: 'alice', role: 'admin' })
    expect(await sessions.read(value)).toBeUndefined()
  })

  test('a session of the local token ends when the file has another one', async () => {
    const { sessions, dataDir, local } = await open()
    const value = (await sessions.open(local))?.value ?? ''
    await writeFile(join(dataDir, 'token'), 'sop_another\n')
    expect(await sessions.read(value)).toBeUndefined()
  })

  test('no change to a value is believed', async () => {
    const { sessions, tokens, token } = await open()
    const value = (await sessions.open(token))?.value ?? ''
    const bob = await sessions.open((await tokens.create({ name: 'bob', role: 'admin' })).token)
    const [version, , expiry, nonce, mac] = value.split('.')
    const forged = [
      '',
      'x',
      `${value}x`,
      value.slice(0, -1),
      [version, bob?.identity, expiry, nonce, mac].join('.'),
      [version, bob?.identity, expiry, nonce, ''].join('.'),
      value.replace(String(expiry), String(Number(expiry) + 1)),
    ]
    for (const each of forged) expect(await sessions.read(each), each).toBeUndefined()
  })

  test('a link signs in once, for ten minutes', async () => {
    const { sessions, clock, token } = await open()
    const identity = (await sessions.open(token))?.identity ?? ''
    const { code } = sessions.link(identity)
    expect((await sessions.redeem(code))?.principal).toEqual(alice)
    expect(await sessions.redeem(code)).toBeUndefined()
    const late = sessions.link(identity)
    clock.at += LINK_MS
    expect(await sessions.redeem(late.code)).toBeUndefined()
    expect(await sessions.redeem('nonsense')).toBeUndefined()
  })

  test('a link of a token that was revoked signs nobody in', async () => {
    const { sessions, tokens, token } = await open()
    const { code } = sessions.link((await sessions.open(token))?.identity ?? '')
    await tokens.revoke('alice')
    expect(await sessions.redeem(code)).toBeUndefined()
  })
})

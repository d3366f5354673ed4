import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, describe, expect, test } from 'vitest'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { createFileVault } from '../../src/adapters/file-vault.ts'
import { createWorkerDoor } from '../../src/client/worker-door.ts'
import type { RecordedLog } from '../../src/client/records.ts'
import type { Actor } from '../../src/core/access.ts'
import { viewOf } from '../../src/core/run/view.ts'
import { sopOf } from '../support/definitions.ts'
import { ok, Play } from '../support/play.ts'

const actor = (groups: readonly string[] = [], role: 'worker' | 'admin' | 'operator' = 'worker'): Actor => ({
  principal: { id: 'host-1', kind: 'service', role, groups },
  via: 'http',
})
const LOG: RecordedLog = { runId: 'r', executableId: 'step:1', attempt: 1 }
const sum = (text: string) => ({
  bytes: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
})

const open = () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sop-door-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  const play = new Play(sopOf({ steps: [{ runsOn: 'dba[eu]' }, {}] })).start()
  const logs = createFileLogs({ dataDir })
  const vault = createFileVault({ dataDir })
  const warnings: string[] = []
  const asked: string[] = []
  const door = createWorkerDoor({
    readRun: async (runId) => {
      asked.push(runId)
      return viewOf(play.run)
    },
    logs,
    vault,
    warn: (message) => warnings.push(message),
    welcome: { version: '1', authority: 'A', taskQueue: 'sop', temporal: { address: 'a:1', namespace: 'n' } },
  })
  const put = (offset: number, text: string, log = LOG) => door.putLog(actor(), log, offset, Buffer.from(text))
  const stored = async () => Buffer.from((await logs.read(LOG, 0, 1000)).bytes).toString()
  return { door, play, put, stored, logs, vault, warnings, asked }
}

describe('a log', () => {
  test('is kept stretch by stretch; the same stretch twice is one, whatever it overlaps', async () => {
    const { put, stored, asked } = open()
    expect(await put(0, 'one ')).toEqual({ next: 4 })
    expect(await put(0, 'one ')).toEqual({ next: 4 })
    expect(await put(2, 'e two')).toEqual({ next: 7 })
    expect(await put(7, '')).toEqual({ next: 7 })
    expect(await stored()).toBe('one two')
    expect(asked).toHaveLength(1)
  })

  test('of which ten calls at once bring the same bytes has them once', async () => {
    const { put, stored } = open()
    await Promise.all(Array.from({ length: 10 }, () => put(0, 'once')))
    expect(await stored()).toBe('once')
  })

  test('with a gap is refused, and told where to go on', async () => {
    const { put } = open()
    await put(0, 'abc')
    await expect(put(5, 'x')).rejects.toMatchObject({ code: 'conflict', details: { expected: 3 } })
  })

  test('is never changed', async () => {
    const { put, stored } = open()
    await put(0, 'abc')
    const refused = await put(1, 'XX').catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'conflict', details: {} })
    expect(await stored()).toBe('abc')
  })

  test('is open until its length and sum are those that were sent', async () => {
    const { door, put, logs, warnings } = open()
    await put(0, 'abc')
    await expect(door.endLog(actor(), LOG, sum('abcd'))).rejects.toMatchObject({ details: { expected: 3 } })
    expect(warnings).toEqual([])
    await expect(door.endLog(actor(), LOG, sum('abX'))).rejects.toMatchObject({ code: 'conflict' })
    await expect(door.endLog(actor(), LOG, sum('ab'))).rejects.toMatchObject({ code: 'conflict' })
    expect(warnings).toHaveLength(2)
    expect(await logs.read(LOG, 0, 1)).not.toHaveProperty('isClosed')
    await door.endLog(actor(), LOG, { ...sum('abc'), cutBytes: 5 })
    await door.endLog(actor(), LOG, sum('abc'))
    expect(await logs.read(LOG, 0, 1)).toMatchObject({ isClosed: true, cutBytes: 5 })
    await expect(put(3, 'more')).rejects.toMatchObject({ code: 'conflict' })
    expect(await put(0, 'abc')).toEqual({ next: 3 })
  })

  test('without a byte is a log', async () => {
    const { door, logs } = open()
    await door.endLog(actor(), LOG, sum(''))
    expect(await logs.list('r')).toEqual([LOG])
  })

  test('may come after its run has ended, but not once the logs of the run were removed', async () => {
    const { put, play, logs, stored } = open()
    play.ends(ok()).ends(ok())
    await put(0, 'late')
    expect(await stored()).toBe('late')
    const other = open()
    await other.logs.remove('r', { removedAt: '2026-01-01T00:00:00Z', bytes: 1, reason: 'they were old' })
    await expect(other.put(0, 'x')).rejects.toMatchObject({ code: 'not_found' })
    expect(await logs.removal('r')).toBeUndefined()
  })

  test.each([
    ['a step of no pool', { ...LOG, executableId: 'step:2' as const }, []],
    ['a step that is not there', { ...LOG, executableId: 'step:9' as const }, []],
    ['a gate', { ...LOG, executableId: 'gate:1' as const }, []],
    ['an attempt that has not begun', { ...LOG, attempt: 2 }, []],
    ['another pool', LOG, ['web']],
  ])('of %s is refused', async (_, log, groups) => {
    const { door, logs } = open()
    const refused = door.putLog(actor(groups), log, 0, Buffer.from('x'))
    await expect(refused).rejects.toMatchObject({ code: 'forbidden' })
    expect(await logs.list('r')).toEqual([])
  })
})

describe('a secret param', () => {
  test('is read while its run is open, by a worker of a pool of its steps', async () => {
    const { door, play, vault } = open()
    await vault.put('r', 'password', 'hunter2')
    expect(await door.secretParam(actor(['dba']), 'r', 'password')).toEqual({ value: 'hunter2' })
    await expect(door.secretParam(actor(['dba']), 'r', 'other')).rejects.toMatchObject({ code: 'not_found' })
    await expect(door.secretParam(actor(['web']), 'r', 'password')).rejects.toMatchObject({ code: 'forbidden' })
    play.ends(ok()).ends(ok())
    await expect(door.secretParam(actor(['dba']), 'r', 'password')).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('is read by nobody else', async () => {
    const { door, vault } = open()
    await vault.put('r', 'password', 'hunter2')
    const operator = actor([], 'operator')
    await expect(door.secretParam(operator, 'r', 'password')).rejects.toMatchObject({ code: 'forbidden' })
    expect(() => door.welcome(operator)).toThrow(/Cannot carry out steps of a pool/)
  })
})

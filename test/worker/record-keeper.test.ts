import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AuditStore, HeadStore } from '../../src/activities/deps.ts'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { createFileHeads } from '../../src/adapters/file-heads.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { openFileRunIndex } from '../../src/adapters/file-run-index.ts'
import { createFileVault } from '../../src/adapters/file-vault.ts'
import { createFlatFiles } from '../../src/adapters/flat-files.ts'
import type { Head } from '../../src/core/heads.ts'
import type { PinnedSop } from '../../src/core/run/run.ts'
import { createLog } from '../../src/log.ts'
import { createRecordKeeper } from '../../src/worker/record-keeper.ts'
import { SIGNER } from '../adapters/contract/head-store.ts'
import { runOf, tempDir, wholeRun } from '../adapters/support/records.ts'

// record-keeper.test.ts: records go when their time is up, and only with a tombstone.

const DAY = 86_400_000
const START = Date.parse('2026-02-25T13:00:00.000Z')

const openWorld = async (dataDir = tempDir()) => {
  const index = await openFileRunIndex({ dataDir })
  const [stateDir, auditDir] = [join(dataDir, 'sop-state'), join(dataDir, 'sop-audit')]
  const flat = createFlatFiles({ stateDir, auditDir })
  const audit = createFileAudit({ dataDir, listeners: [index, flat] })
  const heads = createFileHeads({ dataDir, signer: SIGNER })
  const logs = createFileLogs({ dataDir })
  const vault = createFileVault({ dataDir })
  const time = { now: START }
  const lines: string[] = []
  const keep = (days = 90, broken: { audit?: Partial<AuditStore>; heads?: Partial<HeadStore> } = {}) =>
    createRecordKeeper({
      audit: { ...audit, ...broken.audit },
      index,
      heads: { ...heads, ...broken.heads },
      logs,
      vault,
      removeFiles: flat.remove,
      days,
      now: () => new Date(time.now),
      log: { info: (message) => void lines.push(message), warn: createLog({ level: 'error' }).warn },
    })
  const log = async (runId: string): Promise<void> => {
    const writer = await logs.open({ runId, executableId: 'step:1', attempt: 1 })
    await writer.write(Buffer.from('printed\n'))
    await writer.close()
  }
  const tombstones = async (): Promise<readonly Head[]> => {
    const found: Head[] = []
    for await (const piece of heads.scan())
      found.push(...piece.flatMap(({ head }) => (head?.kind === 'removed' ? [head] : [])))
    return found
  }
  return { dataDir, index, audit, heads, logs, vault, time, lines, keep, log, tombstones, stateDir, auditDir }
}
const old = { runId: 'sop_run_old', sop: 'deploy' }
const open = { runId: 'sop_run_open', sop: 'deploy' }
const young = { runId: 'sop_run_young', sop: 'deploy' }

/** A run that ended 91 days ago, one of that time that is still open, and one that ended yesterday. */
const threeRuns = async () => {
  const world = await openWorld()
  const { audit, time, log, vault } = world
  await audit.append(old, wholeRun(old.runId, START))
  await audit.append(open, wholeRun(open.runId, START).slice(0, 4))
  await audit.append(young, wholeRun(young.runId, START + 90 * DAY))
  for (const { runId } of [old, open, young]) await log(runId)
  await vault.put(old.runId, 'token', 's3cret')
  time.now = START + 91 * DAY
  return world
}

describe('createRecordKeeper().sweep()', () => {
  test('removes the record of a run that ended too long ago, with all that hangs on it, and no other', async () => {
    const { keep, audit, index, logs, vault, tombstones, stateDir, auditDir, lines, dataDir } = await threeRuns()
    await audit.flush()
    expect(await keep().sweep()).toEqual([old.runId])
    expect(await audit.read(old.runId)).toEqual([])
    expect(await index.get(old.runId)).toBeUndefined()
    expect((await index.list({})).map(({ runId }) => runId).sort()).toEqual([open.runId, young.runId])
    expect(await logs.list(old.runId)).toEqual([])
    expect((await logs.removal(old.runId))?.reason).toContain('audit_retention_days')
    expect(await vault.get(old.runId, 'token')).toBeUndefined()
    for (const folder of [stateDir, auditDir, join(dataDir, 'audit', 'deploy')])
      expect(readdirSync(folder).filter((name) => name.startsWith(old.runId))).toEqual([])
    const removal = await audit.removal(old.runId)
    expect(removal).toMatchObject({ events: 8, sop: 'deploy', reason: expect.stringContaining('90 days') })
    expect(await tombstones()).toMatchObject([
      {
        runId: old.runId,
        sequence: 8,
        eventHash: removal?.lastHash,
        removal: { reason: removal?.reason, by: 'engine' },
      },
    ])
    for (const { runId } of [open, young]) {
      expect((await audit.read(runId)).length).toBeGreaterThan(0)
      expect(await logs.list(runId)).toHaveLength(1)
    }
    expect(lines).toEqual(['Removed the records of 1 runs that ended more than 90 days ago'])
    expect(await keep().sweep()).toEqual([])
  })

  test('removes nothing where records are kept for ever', async () => {
    const { keep, time, audit } = await threeRuns()
    time.now = START + 36_500 * DAY
    expect(await keep(0).sweep()).toEqual([])
    expect(await audit.read(old.runId)).toHaveLength(8)
  })

  test('removes nothing while the chain of heads cannot be written: no record goes without its tombstone', async () => {
    const { keep, audit, logs, index } = await threeRuns()
    const full = () => Promise.reject(new Error('no space left'))
    await expect(keep(90, { heads: { append: full } }).sweep()).rejects.toThrow('no space')
    expect(await audit.read(old.runId)).toHaveLength(8)
    expect(await logs.list(old.runId)).toHaveLength(1)
    expect(await index.get(old.runId)).toBeDefined()
  })

  test('finishes after a crash at any point what another began, with one tombstone', async () => {
    const world = await threeRuns()
    const crash = () => Promise.reject(new Error('killed'))
    await expect(world.keep(90, { audit: { remove: crash } }).sweep()).rejects.toThrow('killed')
    await world.index.flush()
    const again = await openWorld(world.dataDir)
    again.time.now = world.time.now
    expect(await again.keep().sweep()).toEqual([old.runId])
    expect(await again.tombstones()).toHaveLength(1)

    // The record is gone, and the list has yet to hear of it.
    const late = await threeRuns()
    const events = await late.audit.read(old.runId)
    await late.audit.remove({
      ...old,
      removedAt: '2026-05-27T00:00:00.000Z',
      reason: 'first',
      events: 8,
      lastHash: events.at(-1)?.hash ?? '',
    })
    await late.index.flush()
    const after = await openWorld(late.dataDir)
    after.time.now = late.time.now
    expect(await after.keep().sweep()).toEqual([old.runId])
    expect(await after.audit.removal(old.runId)).toMatchObject({ reason: 'first', events: 8 })
    await after.index.flush()
    const last = await openWorld(late.dataDir)
    expect(await last.index.get(old.runId)).toBeUndefined()
  })

  test('leaves a run alone that was opened again meanwhile', async () => {
    const { keep, audit } = await threeRuns()
    const say = runOf(old.runId, START + 91 * DAY)
    for (let count = 0; count < 8; count += 1) say('run_started', { totalSteps: 2 })
    const reopened = say('run_retried', { from: 1 } as never)
    const read: AuditStore['read'] = async (runId) => {
      const events = await audit.read(runId)
      await audit.append(old, [reopened])
      return events
    }
    expect(await keep(90, { audit: { read } }).sweep()).toEqual([])
    expect(await audit.read(old.runId)).toHaveLength(9)
  })

  test('removes definitions that no run needs any more, but not those of SOPs that a run of the list runs as steps', async () => {
    const { keep, audit, dataDir } = await threeRuns()
    const folder = join(dataDir, 'definitions')
    const child = 'c'.repeat(64)

    await audit.keepDefinition({ digest: 'd1', children: { part: { digest: child } } } as unknown as PinnedSop)
    mkdirSync(folder, { recursive: true })
    for (const digest of [child, 'e'.repeat(64)]) {
      await audit.keepDefinition({ digest } as unknown as PinnedSop)
    }
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.json')))
      utimesSync(join(folder, name), START / 1000, START / 1000)
    await keep().sweep()
    expect(readdirSync(folder).sort()).toEqual([`${child}.json`, 'd1.json'])
  })

  test('takes page after page, and none twice', async () => {
    const { audit, keep, time, index } = await openWorld()
    for (let count = 0; count < 60; count += 1) {
      const runId = `sop_run_${count}`
      await audit.append({ runId, sop: 'deploy' }, wholeRun(runId, START + (count < 20 ? 0 : 80 * DAY)))
    }
    time.now = START + 91 * DAY
    expect(await keep().sweep()).toHaveLength(20)
    expect(await index.list({ limit: 100 })).toHaveLength(40)
  })
})

test('files that somebody put beside records stay', async () => {
  const { keep, dataDir } = await threeRuns()
  const other = join(dataDir, 'audit', 'deploy', 'notes.txt')
  writeFileSync(other, 'mine')
  await keep().sweep()
  expect(existsSync(other)).toBe(true)
})

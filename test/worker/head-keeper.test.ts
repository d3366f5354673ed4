import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { HeadStore } from '../../src/activities/deps.ts'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { createFileHeads } from '../../src/adapters/file-heads.ts'
import { openFileRunIndex } from '../../src/adapters/file-run-index.ts'
import { createHeadKeeper } from '../../src/worker/head-keeper.ts'
import { scanned, SIGNER } from '../adapters/contract/head-store.ts'
import { tempDir, wholeRun } from '../adapters/support/records.ts'

// The keeper on real files. Nothing here waits for its timers: what they would do is asked for.

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

const RUN = { runId: 'run-1', sop: 'deploy' }
const EVENTS = wholeRun(RUN.runId)

const open = async (dataDir: string, more: { heads?: HeadStore; isOnlyWriter?: boolean } = {}) => {
  const warnings: string[] = []
  const log = { warn: (message: string) => void warnings.push(message), info: () => {} }
  const index = await openFileRunIndex({ dataDir })
  const heads = more.heads ?? createFileHeads({ dataDir, signer: SIGNER })
  const keeper = createHeadKeeper({ heads, index, log, isOnlyWriter: more.isOnlyWriter ?? true })
  const audit = createFileAudit({ dataDir, listeners: [index, keeper] })
  keeper.start(audit)
  return { audit, index, heads, keeper, warnings }
}
const said = async (dataDir: string): Promise<readonly string[]> =>
  (await scanned(createFileHeads({ dataDir }))).map(({ head }) =>
    head === undefined ? '?' : `${head.runId} ${head.kind} ${head.sequence}${head.late === true ? ' late' : ''}`,
  )

describe('createHeadKeeper()', () => {
  test('writes heads of what it hears, one for several events', async () => {
    const dataDir = tempDir()
    const { audit, keeper } = await open(dataDir)
    await audit.append(RUN, EVENTS.slice(0, 1))
    await keeper.flush()
    await audit.append(RUN, EVENTS.slice(0, 3))
    await audit.append(RUN, EVENTS.slice(0, 5))
    await keeper.flush()
    await audit.append(RUN, EVENTS)
    await keeper.flush()
    expect(await said(dataDir)).toEqual(['run-1 opened 1', 'run-1 checkpoint 5', 'run-1 closed 8'])
    const hashes = (await audit.read(RUN.runId)).map(({ hash }) => hash)
    const lines = await scanned(createFileHeads({ dataDir }))
    expect(lines.map(({ head }) => head?.eventHash)).toEqual([hashes[0], hashes[4], hashes[7]])
  })

  test('lets no append wait for a head', async () => {
    const dataDir = tempDir()
    const heads: HeadStore = { ...createFileHeads({ dataDir, signer: SIGNER }), append: () => new Promise(() => {}) }
    const { audit, keeper } = await open(dataDir, { heads })
    void audit.append(RUN, EVENTS.slice(0, 1)).then(() => keeper.flush())
    expect(await audit.append(RUN, EVENTS)).toBe(8)
  })

  test('keeps what cannot be written, and writes it later', async () => {
    const dataDir = tempDir()
    const real = createFileHeads({ dataDir, signer: SIGNER })
    let isDown = true
    const heads: HeadStore = {
      ...real,
      append: (drafts) => (isDown ? Promise.reject(new Error('disk full')) : real.append(drafts)),
    }
    const { audit, keeper, warnings } = await open(dataDir, { heads })
    await audit.append(RUN, EVENTS.slice(0, 3))
    await keeper.flush()
    await audit.append(RUN, EVENTS)
    await keeper.flush()
    expect(warnings).toHaveLength(1)
    isDown = false
    await keeper.flush()
    expect(await said(dataDir)).toEqual(['run-1 opened 1', 'run-1 closed 8'])
  })

  test('writes after a crash what was not written before it, and says that it is late', async () => {
    const dataDir = tempDir()
    const dying = await open(dataDir)
    await dying.audit.append(RUN, EVENTS.slice(0, 3))
    await dying.keeper.flush()
    await dying.audit.append(RUN, EVENTS)
    await dying.audit.append({ runId: 'run-2', sop: 'deploy' }, wholeRun('run-2').slice(0, 4))
    await dying.index.flush()
    const { keeper } = await open(dataDir)
    await keeper.flush()
    expect([...(await said(dataDir))].sort()).toEqual([
      'run-1 checkpoint 3',
      'run-1 closed 8 late',
      'run-1 opened 1',
      'run-2 opened 4 late',
    ])
    await (await open(dataDir)).keeper.flush()
    expect(await said(dataDir)).toHaveLength(4)
  })

  test('takes in the records of an engine that kept no heads, before anything new', async () => {
    const dataDir = tempDir()
    const old = createFileAudit({ dataDir })
    for (let i = 0; i < 20; i++) await old.append({ runId: `old-${i}`, sop: 'deploy' }, wholeRun(`old-${i}`))
    const { audit, keeper } = await open(dataDir)
    await audit.append(RUN, EVENTS.slice(0, 1))
    await keeper.flush()
    const all = await said(dataDir)
    expect(all).toHaveLength(21)
    expect(all.at(-1)).toBe('run-1 opened 1')
    expect(all.slice(0, 20).every((line) => /^old-\d+ closed 8 late$/.test(line))).toBe(true)
  })

  test('leaves to other processes what they may be about to write, and writes it when they do not', async () => {
    const dataDir = tempDir()
    const dead = createFileAudit({ dataDir })
    await dead.append(RUN, EVENTS)
    const { keeper } = await open(dataDir, { isOnlyWriter: false })
    await keeper.flush()
    expect(await said(dataDir)).toEqual([])
    await keeper.heal()
    expect(await said(dataDir)).toEqual(['run-1 closed 8 late'])
  })

  test('brings no removed record back', async () => {
    const dataDir = tempDir()
    const { audit, keeper, heads } = await open(dataDir)
    await audit.append(RUN, EVENTS)
    await keeper.flush()
    await heads.append([
      { kind: 'removed', runId: 'run-1', sop: 'deploy', sequence: 8, eventHash: 'x', removal: { reason: 'old' } },
    ])
    await (await open(dataDir)).keeper.flush()
    expect((await said(dataDir)).at(-1)).toBe('run-1 removed 8')
  })
})

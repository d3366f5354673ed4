import { appendFileSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { followFileRunIndex, openFileRunIndex } from '../../src/adapters/file-run-index.ts'
import { describeRunIndex } from './contract/run-index.ts'
import { created, parsed, runOf, tempDir, wholeRun } from './support/records.ts'

const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 1)

const setUp = async (dataDir = tempDir()) => {
  const warnings: string[] = []
  const warn = (message: string) => void warnings.push(message)
  const index = await openFileRunIndex({ dataDir, warn })
  const audit = createFileAudit({ dataDir, listeners: [index], warn })
  const rows = (): string[] =>
    readFileSync(join(dataDir, 'runs', 'index.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
  /** Runs a, b, c… one hour apart, each with so many of its events. */
  const record = async (...lengths: readonly number[]) => {
    for (const [i, length] of lengths.entries()) {
      const runId = String.fromCharCode(97 + i)
      await audit.append({ runId, sop: 'deploy' }, wholeRun(runId, START_MS + i * HOUR_MS).slice(0, length))
    }
  }
  return { dataDir, warnings, index, audit, rows, record }
}
const ids = (runs: readonly { readonly runId: string }[]): string => runs.map(({ runId }) => runId).join('')

describeRunIndex('openFileRunIndex()', async () => {
  const { dataDir, index, audit } = await setUp()
  return { index, audit, follow: () => followFileRunIndex({ dataDir }), settle: () => index.flush() }
})

describe('openFileRunIndex()', () => {
  test('is there again after a restart, with one row for each run', async () => {
    const { dataDir, index, record, rows } = await setUp()
    await record(8, 3)
    await record(8, 5)
    await index.flush()
    expect(rows()).toHaveLength(3)
    const again = await setUp(dataDir)
    expect(await again.index.list({})).toEqual(await index.list({}))
    expect(rows()).toHaveLength(2)
    expect(again.warnings).toEqual([])
  })

  test.each<[string, (path: string) => void]>([
    ['is missing', (path) => rmSync(path)],
    ['is empty', (path) => writeFileSync(path, '')],
    ['is half written', (path) => writeFileSync(path, readFileSync(path).subarray(0, -30))],
    [
      'has damaged rows',
      (path) => writeFileSync(path, `{"runId":1}\nnull\nxx\n${readFileSync(path, 'utf8').split('\n')[0]}\n`),
    ],
    [
      'lacks the newest change',
      (path) => writeFileSync(path, `${readFileSync(path, 'utf8').split('\n').slice(0, 2).join('\n')}\n`),
    ],
  ])('is made again of the record where it %s', async (_, damage) => {
    const { dataDir, index, record } = await setUp()
    await record(8, 3, 8)
    await index.flush()
    damage(join(dataDir, 'runs', 'index.jsonl'))
    const again = await setUp(dataDir)
    expect(await again.index.list({})).toEqual(await index.list({}))
  })

  test('does not read records again that its rows are sure of', async () => {
    const { dataDir, index, record } = await setUp()
    await record(8)
    await index.flush()
    const path = join(dataDir, 'audit', 'deploy', 'a.jsonl')
    writeFileSync(path, '')
    utimesSync(path, new Date(0), new Date(0))
    expect(await (await setUp(dataDir)).index.get('a')).toMatchObject({ status: 'completed' })
  })

  test('keeps its file small while a run writes on and on', async () => {
    const { dataDir, index } = await setUp()
    const say = runOf('long')
    const run = { runId: 'long', sop: 'deploy' }
    await index.appended(run, [say('run_created', created())] as never, async () => [])
    const row = statSync(join(dataDir, 'runs', 'index.jsonl')).size
    expect(row).toBe(0)
    for (let i = 0; i < 6000; i++) {
      await index.appended(
        run,
        [say('input_received', { item: 1, ticked: true, text: 'x' }, 1)] as never,
        async () => [],
      )
      if (i % 100 === 0) await index.flush()
    }
    await index.flush()
    const lines = readFileSync(join(dataDir, 'runs', 'index.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
    expect(lines.length).toBeLessThan(5000)
    expect(parsed(lines.at(-1) as string).sequence).toBe(6001)
  })

  test('answers quickly with ten thousand runs', async () => {
    const { index } = await setUp()
    for (let i = 0; i < 10_000; i++) {
      const runId = `run-${i}`
      await index.appended(
        { runId, sop: `sop-${i % 50}` },
        wholeRun(runId, START_MS + i * 1000).slice(0, i % 100 === 0 ? 3 : 8) as never,
        async () => [],
      )
    }
    const times: number[] = []
    for (let i = 0; i < 100; i++) {
      // Of the processor: what else goes on beside the test does not count.
      const from = process.cpuUsage()
      await index.list({ states: ['awaiting_approval'], limit: 100 })
      await index.list({})
      const { user, system } = process.cpuUsage(from)
      times.push((user + system) / 1000)
    }
    expect((await index.list({ states: ['awaiting_approval'], limit: 1000 })).length).toBe(100)
    expect(times.sort((a, b) => a - b)[95]).toBeLessThan(50)
    await index.flush()
  })
})

describe('followFileRunIndex()', () => {
  test('sees what the writer appends, also across a restart of the writer', async () => {
    const { dataDir, index, audit, record } = await setUp()
    const follower = followFileRunIndex({ dataDir })
    expect(await follower.list({})).toEqual([])
    await record(8, 3)
    await index.flush()
    expect(await follower.list({})).toEqual(await index.list({}))
    await audit.append({ runId: 'b', sop: 'deploy' }, wholeRun('b', START_MS + HOUR_MS))
    await index.flush()
    expect(await follower.get('b')).toMatchObject({ status: 'completed' })
    const again = await setUp(dataDir)
    await again.record(8, 8, 4)
    await again.index.flush()
    expect(ids(await follower.list({}))).toBe('cba')
    expect(await follower.list({})).toEqual(await again.index.list({}))
  })

  test('waits for the end of a row that is half written', async () => {
    const { dataDir, index, record, rows } = await setUp()
    await record(3)
    await index.flush()
    const follower = followFileRunIndex({ dataDir })
    const row = JSON.stringify({ ...parsed(rows()[0] as string), status: 'paused' })
    appendFileSync(join(dataDir, 'runs', 'index.jsonl'), row.slice(0, 50))
    expect(await follower.get('a')).toMatchObject({ status: 'awaiting_approval' })
    appendFileSync(join(dataDir, 'runs', 'index.jsonl'), `${row.slice(50)}\n`)
    expect(await follower.get('a')).toMatchObject({ status: 'paused' })
  })

  test('is empty where no engine ever ran', async () => {
    expect(await followFileRunIndex({ dataDir: tempDir() }).list({})).toEqual([])
  })
})

describe('changes()', () => {
  test('begins anew for a cursor of another engine, with all runs', async () => {
    const { dataDir, index, record } = await setUp()
    await record(2, 2)
    const { cursor } = await index.changes()
    await index.flush()
    const again = (await setUp(dataDir)).index
    const { runs, reset } = await again.changes(cursor)
    expect([ids(runs), reset]).toEqual(['ab', true])
    for (const odd of ['', 'x', `${cursor}9`, cursor.replace(/-.*/, '-1e3')])
      expect(await again.changes(odd)).toMatchObject({ reset: true })
  })

  test('passes over nothing while the same few runs change thousands of times', async () => {
    const { index, audit } = await setUp()
    const say = runOf('busy')
    await audit.append({ runId: 'busy', sop: 'deploy' }, [say('run_created', created())])
    let { cursor } = await index.changes()
    for (let turn = 0; turn < 30; turn++) {
      const events = Array.from({ length: 100 }, () => say('decision_refused', { decision: 'skip', reason: 'no' }))
      for (const event of events)
        await index.appended(
          { runId: 'busy', sop: 'deploy' },
          [{ ...event, previousHash: '', hash: '' }],
          async () => [],
        )
      const changes = await index.changes(cursor)
      expect(changes.runs.map(({ sequence }) => sequence)).toEqual([events.at(-1)?.sequence])
      cursor = changes.cursor
    }
  })
})

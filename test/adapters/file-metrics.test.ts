import { appendFileSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { followFileMetrics, openFileMetrics } from '../../src/adapters/file-metrics.ts'
import { metricsReport } from '../../src/core/metrics/report.ts'
import { describeMetricsStore } from './contract/metrics-store.ts'
import { created, runOf, tempDir, wholeRun } from './support/records.ts'

const START = Date.UTC(2026, 1, 20, 12)

const setUp = async (dataDir = tempDir(), nowMs = START) => {
  const warnings: string[] = []
  const warn = (message: string) => void warnings.push(message)
  const metrics = await openFileMetrics({ dataDir, warn, now: () => nowMs })
  const audit = createFileAudit({ dataDir, listeners: [metrics], warn })
  const journal = join(dataDir, 'metrics', 'journal.jsonl')
  const rows = (): string[] => readFileSync(journal, 'utf8').trimEnd().split('\n')
  const record = async (runId: string, length = 8) =>
    audit.append({ runId, sop: 'deploy' }, wholeRun(runId, START).slice(0, length))
  const created = async (): Promise<number> => {
    const report = metricsReport(await metrics.cells({ from: '2026-01-01' }), { days: 90, nowMs })
    return report.total.created
  }
  return { dataDir, warnings, metrics, audit, journal, rows, record, created }
}

describeMetricsStore('openFileMetrics()', async () => {
  const rig = await setUp()
  let writer = rig
  return {
    // A file is put in order as it is opened.
    metrics: { cells: (selection) => writer.metrics.cells(selection) },
    audit: { ...rig.audit, append: (run, events) => writer.audit.append(run, events) },
    follow: () => followFileMetrics({ dataDir: rig.dataDir }),
    settle: () => writer.metrics.flush(),
    tidy: async (nowMs) => {
      await writer.metrics.flush()
      writer = await setUp(rig.dataDir, nowMs)
    },
    restart: () => setUp(rig.dataDir),
  }
})

describe('openFileMetrics()', () => {
  test.each<[string, (path: string) => void]>([
    ['is missing', (path) => rmSync(path)],
    ['is empty', (path) => writeFileSync(path, '')],
    ['is half written', (path) => writeFileSync(path, readFileSync(path).subarray(0, -30))],
    [
      'lacks its last rows',
      (path) => writeFileSync(path, `${readFileSync(path, 'utf8').split('\n').slice(0, 2).join('\n')}\n`),
    ],
    [
      'lacks a row in the middle',
      (path) =>
        writeFileSync(
          path,
          readFileSync(path, 'utf8')
            .split('\n')
            .filter((_, at) => at !== 1)
            .join('\n'),
        ),
    ],
    [
      'has damaged rows',
      (path) =>
        writeFileSync(
          path,
          `{"run":1}\nnull\nxx\n{"cell":null}\n${readFileSync(path, 'utf8').split('\n').slice(1).join('\n')}`,
        ),
    ],
  ])('counts again what its file %s', async (_, damage) => {
    const { dataDir, journal, metrics, record } = await setUp()
    for (const length of [2, 4, 8]) for (const runId of ['a', 'b']) await record(runId, length)
    await metrics.flush()
    const before = await metrics.cells({ from: '2026-01-01' })
    damage(journal)
    const again = await setUp(dataDir)
    const sorted = (cells: typeof before) => [...cells].sort((x, y) => (`${x.step}` < `${y.step}` ? -1 : 1))
    expect(sorted(await again.metrics.cells({ from: '2026-01-01' }))).toEqual(sorted(before))
  })

  test('counts again what a power loss took from the middle, though the journal is newer than the record', async () => {
    const { dataDir, journal, metrics, record, rows } = await setUp()
    for (const length of [2, 4, 8]) await record('a', length)
    await metrics.flush()
    const before = await metrics.cells({ from: '2026-01-01' })
    writeFileSync(
      journal,
      `${rows()
        .filter((_, at) => at !== 1)
        .join('\n')}\n`,
    )
    const later = new Date(Date.now() + 60_000)
    utimesSync(journal, later, later)
    expect(await (await setUp(dataDir)).metrics.cells({ from: '2026-01-01' })).toEqual(before)
  })

  test('keeps what runs added whose records retention has removed, and forgets the runs', async () => {
    const { dataDir, metrics, record, created: count } = await setUp()
    await record('a')
    await record('b')
    await metrics.flush()
    rmSync(join(dataDir, 'audit', 'deploy', 'a.jsonl'))
    const again = await setUp(dataDir)
    expect(await again.created()).toBe(await count())
    const third = await setUp(dataDir)
    expect(await third.created()).toBe(2)
    expect(third.rows().filter((row) => row.includes('"run"'))).toHaveLength(1)
  })

  test('does not read records again that its rows are sure of', async () => {
    const { dataDir, metrics, record } = await setUp()
    await record('a')
    await metrics.flush()
    const path = join(dataDir, 'audit', 'deploy', 'a.jsonl')
    writeFileSync(path, 'nothing that could be read\n')
    utimesSync(path, new Date(0), new Date(0))
    expect(await (await setUp(dataDir)).created()).toBe(1)
  })

  test('keeps its file small while runs come and go', async () => {
    const { metrics, journal, rows } = await setUp()
    for (let i = 0; i < 12_000; i++) {
      const runId = `run-${i}`
      const history = async () => []
      const record = wholeRun(runId, START + i * 1000) as never[]
      await metrics.appended({ runId, sop: 'deploy' }, record.slice(0, 4), history)
      await metrics.appended({ runId, sop: 'deploy' }, record.slice(4), history)
      if (i % 500 === 0) await metrics.flush()
    }
    await metrics.flush()
    expect(rows().length).toBeLessThan(24_000)
    expect(statSync(journal).size).toBeLessThan(8_000_000)
    // What memory holds is what the file holds: a number for each closed run, and sums.
    expect(rows().filter((row) => row.includes('"trace"') && !row.includes('"deltas"'))).toEqual([])
    // Of the processor: what else goes on beside the test does not count.
    const from = process.cpuUsage()
    const report = metricsReport(await metrics.cells({ from: '2026-01-01' }), { days: 90, nowMs: START })
    const { user, system } = process.cpuUsage(from)
    expect((user + system) / 1000).toBeLessThan(500)
    expect(report.total.completed).toBeGreaterThan(11_000)
  })
})

describe('followFileMetrics()', () => {
  test('waits for the end of a row that is half written', async () => {
    const { dataDir, journal, metrics, audit } = await setUp()
    const say = runOf('a', START)
    await audit.append({ runId: 'a', sop: 'deploy' }, [say('run_created', created())])
    await metrics.flush()
    const follower = followFileMetrics({ dataDir })
    const counts = async () => (await follower.cells())[0]?.tally.counts['created']
    const row = JSON.stringify({
      cell: { day: 'total', sop: 'deploy', sign: 1, tally: { counts: { created: 5 }, times: {} } },
    })
    appendFileSync(journal, row.slice(0, 40))
    expect(await counts()).toBe(1)
    appendFileSync(journal, `${row.slice(40)}\n`)
    expect(await counts()).toBe(6)
  })

  test('is empty where no engine ever ran', async () => {
    expect(await followFileMetrics({ dataDir: tempDir() }).cells()).toEqual([])
  })
})

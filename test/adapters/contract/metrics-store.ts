import { describe, expect, test } from 'vitest'
import type { AuditStore, MetricsStore } from '../../../src/activities/deps.ts'
import { type Cell, createLedger, KEPT_DAYS, TOTAL } from '../../../src/core/metrics/ledger.ts'
import { replay } from '../../../src/core/metrics/replay.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { created, runOf, wholeRun } from '../support/records.ts'

/** What a test gets: the sums, the store whose appends they follow, and the sums as another process opens them. */
export interface MetricsRig {
  readonly metrics: MetricsStore
  readonly audit: AuditStore
  readonly follow: () => MetricsStore
  /** Waits until followers can see what was appended. */
  readonly settle: () => Promise<void>
  /** Puts together what was appended one by one, as happens from time to time; `now` is the instant of it. */
  readonly tidy: (nowMs?: number) => Promise<void>
  /** Opens the sums again in another process, after this one was killed. */
  readonly restart: () => Promise<Pick<MetricsRig, 'metrics' | 'audit'>>
}

const START = Date.UTC(2026, 1, 20, 12)
const DAY = 86_400_000
const FROM = '2026-01-01'

/** In one order, whatever it is. */
const inOrder = (cells: readonly Cell[]): readonly Cell[] =>
  [...cells]
    .map(({ day, sop, step, sign, tally }) => ({ day, sop, ...(step !== undefined && { step }), sign, tally }))
    .sort((a, b) =>
      JSON.stringify([a.day, a.sop, a.step ?? 0, a.sign]) < JSON.stringify([b.day, b.sop, b.step ?? 0, b.sign])
        ? -1
        : 1,
    )

/** What the records say, counted anew. */
const expected = (...records: readonly (readonly RunEvent[])[]) => {
  const ledger = createLedger()
  for (const record of records) for (const delta of replay(record, 'deploy').deltas) ledger.add(delta)
  return { days: inOrder(ledger.cells({ from: FROM })), totals: inOrder(ledger.cells()) }
}

const reads = async (metrics: MetricsStore) => ({
  days: inOrder(await metrics.cells({ from: FROM })),
  totals: inOrder(await metrics.cells()),
})

const run = (runId: string) => ({ runId, sop: 'deploy' })

/** A run that failed, and a day later was opened again and came through. */
const reopened = (runId: string): readonly RunEvent[] => {
  const say = runOf(runId, START)
  const next = (event: RunEvent): RunEvent => ({
    ...event,
    timestamp: new Date(Date.parse(event.timestamp) + DAY).toISOString(),
  })
  return [
    say('run_created', created()),
    say('run_started', { totalSteps: 1 }),
    say('step_started', { title: 'Build', attempt: 1, kind: 'shell' }, 1),
    say(
      'step_failed',
      { title: 'Build', attempt: 1, duration: '1s', duration_ms: 1000, error: 'x', outcome: 'failed', then: 'fail' },
      1,
    ),
    say('run_failed', { reason: 'x' }),
    next(say('run_retried', { fromStep: 1, reopens: true })),
    next(say('step_started', { title: 'Build', attempt: 2, kind: 'shell' }, 1)),
    next(say('step_completed', { title: 'Build', attempt: 2, duration: '1s', duration_ms: 1000 }, 1)),
    next(say('run_completed', { duration: '1d', duration_ms: DAY, stepsCompleted: 1, stepsSkipped: 0 })),
  ]
}

/** The laws of every store of metrics; each adapter's test file calls it with its own way to open one. */
export const describeMetricsStore = (name: string, open: () => Promise<MetricsRig>): void => {
  describe(`${name}.cells()`, () => {
    test('has what the records say, batch by batch, here and in another process', async () => {
      const { metrics, audit, follow, settle, tidy } = await open()
      const follower = follow()
      expect(await reads(follower)).toEqual({ days: [], totals: [] })
      const records = [wholeRun('a', START), wholeRun('b', START + DAY), reopened('c')]
      for (let at = 0; at < 9; at += 2) {
        for (const record of records) {
          const piece = record.slice(at, at + 2)
          if (piece[0] !== undefined) await audit.append(run(piece[0].runId), piece)
        }
        if (at === 4) await tidy(START + DAY)
        await settle()
        const told = expected(...records.map((record) => record.slice(0, at + 2)))
        expect(await reads(metrics)).toEqual(told)
        expect(await reads(follower)).toEqual(told)
      }
    })

    test('counts an event once, however often it is told', async () => {
      const { metrics, audit } = await open()
      const record = wholeRun('a', START)
      for (const length of [3, 3, 8, 5, 8]) await audit.append(run('a'), record.slice(0, length))
      expect(await reads(metrics)).toEqual(expected(record))
    })

    test('goes by day and SOP', async () => {
      const { metrics, audit, tidy } = await open()
      const say = runOf('x', START - DAY)
      await audit.append({ runId: 'x', sop: 'backup' }, [say('run_created', created('backup'))])
      await audit.append(run('a'), wholeRun('a', START))
      for (const isTidy of [false, true]) {
        if (isTidy) await tidy(START)
        const places = async (selection: Parameters<MetricsStore['cells']>[0]) =>
          inOrder(await metrics.cells(selection)).map(({ day, sop, step }) => `${day} ${sop}${step ?? ''}`)
        const ofDeploy = ['2026-02-20 deploy', '2026-02-20 deploy1', '2026-02-20 deploy2']
        expect(await places({ from: '2026-02-20' })).toEqual(ofDeploy)
        expect(await places({ from: FROM, sop: 'deploy' })).toEqual(ofDeploy)
        expect(await places({ from: FROM })).toEqual(['2026-02-19 backup', ...ofDeploy])
        expect(await places({})).toEqual([`${TOTAL} backup`, `${TOTAL} deploy`])
        expect(await places({ sop: 'none' })).toEqual([])
      }
    })

    test('lets old days go, and knows them in the sums since the beginning', async () => {
      const { metrics, audit, tidy } = await open()
      const record = wholeRun('a', START)
      await audit.append(run('a'), record)
      await tidy(START + (KEPT_DAYS + 2) * DAY)
      expect(await reads(metrics)).toEqual({ days: [], totals: expected(record).totals })
    })

    test('goes on after a restart, where it had been, with runs that were open and that were closed', async () => {
      const rig = await open()
      const [whole, second] = [wholeRun('a', START), reopened('c')]
      await rig.audit.append(run('a'), whole.slice(0, 4))
      await rig.audit.append(run('c'), second.slice(0, 5))
      await rig.settle()
      const { metrics, audit } = await rig.restart()
      expect(await reads(metrics)).toEqual(expected(whole.slice(0, 4), second.slice(0, 5)))
      await audit.append(run('a'), whole)
      await audit.append(run('c'), second)
      expect(await reads(metrics)).toEqual(expected(whole, second))
    })

    test('takes back what a reset in Temporal made undone', async () => {
      const { metrics, audit } = await open()
      const say = runOf('a', START)
      const record = wholeRun('a', START).slice(0, 8)
      await audit.append(run('a'), record)
      for (let at = 0; at < 8; at++) say('run_created', created())
      const more = [
        say('run_forked', { fromSequence: 5, runSequence: 5, reason: 'reset' }),
        say('step_skipped', { title: 'Build', reason: 'x' }, 1),
      ]
      await audit.append(run('a'), more)
      expect(await reads(metrics)).toEqual(expected([...record, ...more]))
      const counts = (await metrics.cells({ from: FROM })).filter(({ step }) => step === undefined)
      expect(counts.map(({ sign, tally }) => [sign, tally.counts['completed'] ?? 0])).toEqual(
        expect.arrayContaining([
          [1, 1],
          [-1, 1],
        ]),
      )
    })
  })
}

import { expect, test } from 'vitest'
import { chooseRemovals, type LogHolder } from '../../src/core/log-retention.ts'

const NOW = Date.UTC(2026, 5, 1)
const daysAgo = (days: number): string => new Date(NOW - days * 86_400_000).toISOString()
const holder = (runId: string, bytes: number, endedDaysAgo?: number): LogHolder => ({
  runId,
  bytes,
  ...(endedDaysAgo !== undefined && { endedAt: daysAgo(endedDaysAgo) }),
})
const ids = (holders: readonly LogHolder[], totalBytes?: number): readonly string[] =>
  chooseRemovals(holders, { days: 90, ...(totalBytes !== undefined && { totalBytes }) }, NOW).map(({ runId }) => runId)

test('logs go when their run ended longer ago than they are kept, and not on the last day', () => {
  expect(
    ids([holder('young', 1, 89), holder('even', 1, 90), holder('old', 1, 90.01), holder('older', 1, 400)]),
  ).toEqual(['older', 'old'])
})

test('logs of an open run stay, however old and however large they are', () => {
  expect(ids([holder('open', 1_000_000)], 10)).toEqual([])
})

test('over the limit those go first whose runs ended first, until a fifth is free', () => {
  const holders = [holder('c', 40, 1), holder('a', 30, 3), holder('open', 20), holder('b', 20, 2)]
  expect(ids(holders, 110)).toEqual([])
  expect(ids(holders, 100)).toEqual(['a'])
  expect(ids(holders, 60)).toEqual(['a', 'b', 'c'])
})

test('what goes by age counts before anything goes for want of room', () => {
  expect(ids([holder('old', 90, 100), holder('young', 50, 1)], 60)).toEqual(['old'])
})

test('says why', () => {
  const holders = [holder('old', 7, 100), holder('young', 3000, 1)]
  expect(chooseRemovals(holders, { days: 90, totalBytes: 2048 }, NOW)).toEqual([
    { runId: 'old', bytes: 7, reason: 'logs are kept for 90 days after their run (log_retention_days)' },
    { runId: 'young', bytes: 3000, reason: 'all logs together had reached 2 KiB (log_limit_total)' },
  ])
})

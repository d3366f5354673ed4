import { beforeEach, expect, test, vi } from 'vitest'
import { HandOver } from '../../src/workflows/hand-over.ts'

// When an execution hands its run over to a next one. Temporal is played: a history of any length, and a clock by hand.

const temporal = vi.hoisted(() => ({
  info: { historyLength: 0, continueAsNewSuggested: false },
  sleeps: [] as { readonly ms: number; readonly end: () => void }[],
}))
vi.mock('@temporalio/workflow', () => ({
  workflowInfo: () => temporal.info,
  sleep: (ms: number) => new Promise<void>((end) => temporal.sleeps.push({ ms, end })),
}))

const host = { run: <T>(work: () => Promise<T>): Promise<T> => work() }
let handOver: HandOver
const history = (historyLength: number, continueAsNewSuggested = false): void => {
  temporal.info = { historyLength, continueAsNewSuggested }
}
beforeEach(() => {
  temporal.sleeps.length = 0
  history(0)
  handOver = new HandOver(host as never)
})

test.each([
  ['a short history', 4_000, false, false, false, false],
  ['a long one', 4_001, false, false, false, true],
  ['a large one, as Temporal says', 10, true, false, false, true],
  ['a large one of a wide run, which is long enough only by its events', 10, true, true, false, false],
  ['a new build', 10, false, false, true, true],
])('check() with %s', (_, length, isLarge, isWide, hasNewBuild, expected) => {
  history(length, isLarge)
  expect(handOver.check(isWide, hasNewBuild)).toBe(expected)
  expect(handOver.isOn).toBe(expected)
})

test('check() stays with what it said', () => {
  expect(handOver.check(false, true)).toBe(true)
  expect(handOver.check(false, false)).toBe(true)
})

test('held() lets one path wait for the next execution, however long that takes', async () => {
  history(5_000)
  handOver.check(false, false)
  const goOn = vi.fn()
  await handOver.held(false, goOn)
  expect(temporal.sleeps).toEqual([])
  expect(goOn).not.toHaveBeenCalled()
  expect(handOver.isOn).toBe(true)
})

test('held() lets branches wait a minute for the longest command, once, and then go on for as many events again', async () => {
  history(5_000)
  handOver.check(true, false)
  const goOn = vi.fn()
  const waited = handOver.held(true, goOn)
  // More work is held back meanwhile: it waits with the first.
  await handOver.held(true, goOn)
  expect(temporal.sleeps.map(({ ms }) => ms)).toEqual([60_000])
  expect(goOn).not.toHaveBeenCalled()
  history(5_200)
  temporal.sleeps[0]?.end()
  await waited
  expect(goOn).toHaveBeenCalledOnce()
  expect(handOver.isOn).toBe(false)
  history(9_200)
  expect(handOver.check(true, false)).toBe(false)
  history(9_201)
  expect(handOver.check(true, false)).toBe(true)
})

test('held() lets branches wait without a limit once the history is really long', async () => {
  history(24_001)
  handOver.check(true, false)
  const goOn = vi.fn()
  await handOver.held(true, goOn)
  expect([temporal.sleeps, goOn.mock.calls]).toEqual([[], []])
  expect(handOver.isOn).toBe(true)
})

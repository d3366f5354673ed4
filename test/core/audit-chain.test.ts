import { describe, expect, test } from 'vitest'
import { chainEvent, GENESIS_HASH, verifyChain } from '../../src/core/audit-chain.ts'
import { canonicalJson, sha256Hex } from '../../src/core/canonical.ts'
import type { RecordedEvent, RunEvent } from '../../src/core/run/event.ts'

const event = (sequence: number): RunEvent => ({
  sequence,
  timestamp: '2026-02-25T16:30:00.000Z',
  eventType: 'run_paused',
  runId: 'run-1',
  principal: { id: 'alice', kind: 'user' },
  via: 'cli',
  details: { kind: 'requested', reason: `reason ${sequence}` },
})
const chain = (events: readonly RunEvent[]): RecordedEvent[] => {
  const chained: RecordedEvent[] = []
  for (const each of events) chained.push(chainEvent(each, chained.at(-1)?.hash ?? GENESIS_HASH, sha256Hex))
  return chained
}
const CHAIN = chain([1, 2, 3, 4, 5].map(event))
const edit = (index: number, change: (event: RecordedEvent) => object): RecordedEvent[] =>
  CHAIN.map((each, i) => (i === index ? { ...each, ...change(each) } : each))
const kinds = (events: readonly RecordedEvent[], expected = {}) =>
  verifyChain(events, sha256Hex, expected).map(({ kind, sequence }) => `${kind} ${sequence}`)

describe('verifyChain()', () => {
  test('finds nothing in an intact record', () => {
    expect(
      verifyChain(CHAIN, sha256Hex, { runId: 'run-1', lastSequence: 5, lastHash: CHAIN[4]?.hash as string }),
    ).toEqual([])
    expect(verifyChain([], sha256Hex)).toEqual([])
  })

  test.each<[string, () => readonly RecordedEvent[], object, string[]]>([
    ['an edited detail', () => edit(1, () => ({ details: { kind: 'requested', reason: 'other' } })), {}, ['edited 2']],
    ['an edited person', () => edit(1, () => ({ principal: { id: 'bob', kind: 'user' } })), {}, ['edited 2']],
    ['an edited hash', () => edit(1, () => ({ hash: 'f'.repeat(64) })), {}, ['edited 2', 'edited 3']],
    [
      'a replaced event with a fitting hash',
      () => edit(1, (old) => chainEvent({ ...event(2), via: 'http' }, old.previousHash, sha256Hex)),
      {},
      ['edited 3'],
    ],
    ['a missing event', () => CHAIN.filter((_, i) => i !== 2), {}, ['missing 4']],
    ['a missing beginning', () => CHAIN.slice(2), {}, ['missing 3']],
    [
      'two that changed places',
      () => [0, 2, 1, 3, 4].map((i) => CHAIN[i] as RecordedEvent),
      {},
      ['missing 3', 'reordered 2', 'missing 4'],
    ],
    ['one twice', () => [...CHAIN.slice(0, 2), ...CHAIN.slice(1)], {}, ['reordered 2']],
    ['a cut-off end', () => CHAIN.slice(0, 3), { lastSequence: 5 }, ['cut_off 4']],
    ['an empty record', () => [], { lastSequence: 5 }, ['cut_off 1']],
    ['another last event', () => CHAIN, { lastSequence: 5, lastHash: 'f' }, ['edited 5']],
    ['the record of another run', () => CHAIN.slice(0, 1), { runId: 'run-2' }, ['foreign 1']],
  ])('finds %s', (_, events, expected, found) => {
    expect(kinds(events(), expected)).toEqual(found)
  })
})

test('chainEvent() hashes the canonical JSON of the event and of the hash before it', () => {
  const [first] = CHAIN
  const { hash, ...rest } = first as RecordedEvent
  expect(hash).toBe(sha256Hex(canonicalJson(rest)))
  expect(rest.previousHash).toBe('0'.repeat(64))
})

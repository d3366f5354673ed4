import { describe, expect, test } from 'vitest'
import { chainEvent, GENESIS_HASH } from '../../../src/core/audit-chain.ts'
import { sha256Hex } from '../../../src/adapters/shared/native-hash.ts'
import { canonicalJson } from '../../../src/core/canonical.ts'
import { chainHead, type Head, newHead, NO_HEADS } from '../../../src/core/heads.ts'
import { isClosedAfter } from '../../../src/core/run-document.ts'
import type { RecordedEvent, RunEvent } from '../../../src/core/run/event.ts'
import { createChainCheck } from '../../../src/core/verify/chain.ts'
import { checkRun } from '../../../src/core/verify/run.ts'
import { game } from '../../support/games.ts'
import fc from '../../support/laws.ts'
import { Play } from '../../support/play.ts'

// laws.test.ts: whatever run is played, its record is whole; whatever is changed of it, it is not.

const CHAINER = { sha256Hex, key: 'KEY', seal: (text: string) => `sealed(${text})` }
const verify = (key: string, text: string, signature: string): boolean =>
  key === 'KEY' && signature === `sealed(${text})`

const chained = (events: readonly RunEvent[]): RecordedEvent[] => {
  const record: RecordedEvent[] = []
  // As a store that was written and read: JSON has no undefined.
  for (const event of JSON.parse(JSON.stringify(events)) as RunEvent[])
    record.push(chainEvent(event, record.at(-1)?.hash ?? GENESIS_HASH, sha256Hex))
  return record
}

/** Heads as the keeper writes them, for what came in so many batches. */
const headsOf = (record: readonly RecordedEvent[], batches: readonly number[]): readonly Head[] => {
  const heads: Head[] = []
  let from = 0
  for (const size of [...batches, record.length]) {
    const to = Math.min(record.length, from + size)
    const [batch, last] = [record.slice(from, to), record[to - 1]]
    from = to
    if (batch.length === 0 || last === undefined) continue
    const kind = isClosedAfter(false, batch) ? 'closed' : 'checkpoint'
    for (const [each, event] of [['opened', record[0] ?? last] as const, [kind, last] as const]) {
      const told = { kind: each, runId: last.runId, sop: 'x', sequence: event.sequence, eventHash: event.hash }
      const news = newHead(heads.at(-1), told)
      const at = '2030-01-01T00:00:00.000Z'
      if (news !== undefined) heads.push(chainHead(news, heads.at(-1) ?? NO_HEADS, at, CHAINER))
    }
  }
  return heads
}

const check = (record: readonly unknown[], heads: readonly Head[], told?: readonly RunEvent[]) => {
  const chain = createChainCheck({ sha256Hex, keys: ['KEY'], verify })
  const witnesses = heads.flatMap((head, at) => chain.take({ file: 'heads', line: at + 1, head }) ?? [])
  const result = chain.end()
  const run = checkRun(
    { file: 'record', lines: record.map((event, at) => ({ line: at + 1, event })) },
    {
      runId: 'sop_run_test',
      heads: witnesses,
      chain: result,
      history: told === undefined ? 'gone' : { events: told, ackedTo: told.at(-1)?.sequence ?? 0, isAll: true },
      checkDefinition: () => [],
      checkLogs: () => ({ checked: 0, findings: [] }),
    },
    sha256Hex,
  )
  return { ...run, findings: [...run.findings, ...result.findings] }
}

const played = game.map(({ sop, moves, flag, strict }) => {
  const play = new Play(sop, { params: { flag } }, { priorityBasedStrict: strict, maxStepVisits: 3 }).start()
  for (const each of moves) each(play)
  return chained(play.events)
})
const batches = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 })

test('of 1,000 untouched records none is reported', () => {
  let events = 0
  fc.assert(
    fc.property(played, batches, (record, sizes) => {
      events += record.length
      const found = check(record, headsOf(record, sizes), record)
      expect(found).toMatchObject({ ok: true, events: record.length, sealedTo: record.length, findings: [] })
    }),
    { numRuns: 1_000 },
  )
  expect(events).toBeGreaterThan(3_000)
}, 60_000)

/** A copy in which one place of the event is another. */
const changed = (event: RecordedEvent, pick: number): RecordedEvent => {
  const copy = JSON.parse(JSON.stringify(event)) as Record<string, unknown>
  const keys = ['timestamp', 'eventType', 'principal', 'via', 'details', 'stepNumber', 'extra'] as const
  const key = keys[pick % keys.length] ?? 'details'
  copy[key] =
    key === 'details'
      ? { ...event.details, put: 'in' }
      : key === 'principal'
        ? { ...event.principal, id: 'mallory' }
        : `other ${pick}`
  return copy as unknown as RecordedEvent
}
const renumbered = (events: readonly RunEvent[]): RecordedEvent[] =>
  chained(events.map((event, at) => ({ ...event, sequence: at + 1 })))

type Tamper = (record: readonly RecordedEvent[], at: number, pick: number) => readonly unknown[]
const WAYS: Readonly<Record<string, Tamper>> = {
  'an event is edited': (r, at, pick) => r.map((e, i) => (i === at ? changed(e, pick) : e)),
  'an event is taken out': (r, at) => r.filter((_, i) => i !== at),
  'an event stands there twice': (r, at) => r.flatMap((e, i) => (i === at ? [e, e] : [e])),
  'two events change places': (r, at) => {
    const copy = [...r]
    const other = (at + 1) % r.length
    ;[copy[at], copy[other]] = [r[other] as RecordedEvent, r[at] as RecordedEvent]
    return copy
  },
  'the end is cut off': (r, at) => r.slice(0, at),
  'a line is noise': (r, at) => r.map((e, i) => (i === at ? undefined : e)),
  'an event is edited and hashed anew': (r, at, pick) =>
    r.map((e, i) => (i === at ? chainEvent(changed({ ...e }, pick % 5), e.previousHash, sha256Hex) : e)),
  'an event is edited and all hashes are made anew': (r, at, pick) =>
    chained(r.map((e, i) => (i === at ? changed(e, pick % 5) : e))),
  'an event is taken out and all are numbered and hashed anew': (r, at) => renumbered(r.filter((_, i) => i !== at)),
  'an event is put in and all are numbered and hashed anew': (r, at) =>
    renumbered(r.flatMap((e, i) => (i === at ? [e, changed(e, 2)] : [e]))),
}

describe.each(Object.keys(WAYS))('where %s', (way) => {
  test('it is found, whatever the run, the place and the heads', () => {
    fc.assert(
      fc.property(played, batches, fc.nat(), fc.nat(), (record, sizes, place, pick) => {
        fc.pre(record.length > 1)
        const tampered = WAYS[way]?.(record, place % record.length, pick) ?? []
        fc.pre(canonicalJson(tampered) !== canonicalJson(record))
        expect(
          check(tampered, headsOf(record, sizes)).findings.filter(({ severity }) => severity === 'problem'),
        ).not.toEqual([])
        // Without any head, the workflow's history finds what can make hashes.
        const without = check(tampered, [], record)
        const isInstant = way.includes('edited') && pick % 5 === 0
        if (!isInstant) expect(without.ok).toBe(false)
      }),
      { numRuns: 60 },
    )
  })
})

test('where a head is changed in any way, it is found', () => {
  fc.assert(
    fc.property(played, batches, fc.nat(), fc.nat(), (record, sizes, place, pick) => {
      const heads = headsOf(record, sizes)
      const at = place % heads.length
      const keys = [
        'index',
        'at',
        'kind',
        'runId',
        'sop',
        'sequence',
        'eventHash',
        'key',
        'previousHash',
        'hash',
        'signature',
        'late',
      ]
      const key = keys[pick % keys.length] ?? 'hash'
      const edited = heads.map((head, i) =>
        i === at ? { ...head, [key]: typeof head[key as 'index'] === 'number' ? 99 : 'other' } : head,
      )
      expect(check(record, edited).ok && check(record, edited).findings.length === 0).toBe(false)
      const without = heads.filter((_, i) => i !== at)
      if (at < heads.length - 1)
        expect(check(record, without).findings.map(({ kind }) => kind)).toContain('head_missing')
    }),
    { numRuns: 200 },
  )
})

import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/core/canonical.ts'
import {
  chainHead,
  HEAD_KINDS,
  type HeadDraft,
  type HeadKind,
  hashOfHead,
  headText,
  type KnownHead,
  newHead,
  NO_HEADS,
} from '../../src/core/heads.ts'

const draft = (kind: HeadKind, sequence = 1): HeadDraft => ({
  kind,
  runId: 'run-1',
  sop: 'deploy',
  sequence,
  eventHash: 'e'.repeat(64),
})
const CHAINER = { sha256Hex, key: 'KEY', seal: (text: string) => `sealed(${text})` }

describe('chainHead()', () => {
  test('numbers, chains and signs', () => {
    const first = chainHead(draft('opened'), NO_HEADS, '2026-03-01T08:00:00.000Z', CHAINER)
    const second = chainHead(draft('closed', 9), first, '2026-03-01T09:00:00.000Z', CHAINER)
    expect([first.index, second.index]).toEqual([1, 2])
    expect(first.previousHash).toBe('0'.repeat(64))
    expect(second.previousHash).toBe(first.hash)
    expect(second.signature).toBe(`sealed(${headText(second.hash)})`)
    expect(hashOfHead(second, sha256Hex)).toBe(second.hash)
    expect(Object.keys(first)).toEqual(
      'index at kind runId sop sequence eventHash key previousHash hash signature'.split(' '),
    )
  })

  test.each(['index', 'at', 'kind', 'runId', 'sop', 'sequence', 'eventHash', 'late', 'removal', 'key', 'previousHash'])(
    'has a hash over %s',
    (key) => {
      const full: HeadDraft = { ...draft('removed', 4), late: true, removal: { reason: 'older than 90 days' } }
      const head = chainHead(full, NO_HEADS, '2026-03-01T08:00:00.000Z', CHAINER)
      expect(hashOfHead({ ...head, [key]: 'other' }, sha256Hex)).not.toBe(head.hash)
      const without = Object.fromEntries(Object.entries(head).filter(([each]) => each !== key))
      expect(hashOfHead(without as never, sha256Hex)).not.toBe(head.hash)
    },
  )

  test('survives being written and read as JSON', () => {
    const removal = { reason: 'ü', by: 'ops' }
    const head = chainHead({ ...draft('removed'), removal }, NO_HEADS, 'at', CHAINER)
    expect(hashOfHead(JSON.parse(JSON.stringify(head)) as typeof head, sha256Hex)).toBe(head.hash)
  })
})

describe('newHead()', () => {
  const at = (kind: HeadKind, sequence: number): KnownHead => ({ kind, sequence })
  const cases: readonly (readonly [known: KnownHead | undefined, told: HeadDraft, becomes: string])[] = [
    [undefined, draft('opened'), 'opened 1'],
    [undefined, draft('checkpoint', 5), 'opened 5 late'],
    [undefined, draft('closed', 9), 'closed 9 late'],
    [undefined, draft('removed', 9), 'removed 9'],
    [at('opened', 1), draft('opened'), '-'],
    [at('opened', 1), draft('checkpoint', 1), '-'],
    [at('opened', 1), draft('checkpoint', 2), 'checkpoint 2'],
    [at('opened', 1), draft('closed', 1), 'closed 1'],
    [at('checkpoint', 5), draft('opened'), '-'],
    [at('checkpoint', 5), draft('checkpoint', 4), '-'],
    [at('checkpoint', 5), draft('closed', 5), 'closed 5'],
    [at('checkpoint', 5), draft('closed', 4), '-'],
    [at('checkpoint', 5), draft('removed', 5), 'removed 5'],
    [at('closed', 9), draft('closed', 9), '-'],
    [at('closed', 9), draft('checkpoint', 9), '-'],
    [at('closed', 9), draft('checkpoint', 10), 'checkpoint 10'],
    [at('closed', 9), draft('closed', 12), 'closed 12'],
    [at('closed', 9), draft('removed', 9), 'removed 9'],
    [at('removed', 9), draft('removed', 9), '-'],
    [at('removed', 9), draft('closed', 9), '-'],
    [at('removed', 9), draft('opened'), 'opened 1'],
    [at('removed', 9), draft('checkpoint', 3), 'opened 3 late'],
  ]
  test.each(cases)('%j, told %j', (known, told, becomes) => {
    const head = newHead(known, told)
    const words = head === undefined ? '-' : `${head.kind} ${head.sequence}${head.late === true ? ' late' : ''}`
    expect(words).toBe(becomes)
  })

  test.each(HEAD_KINDS)('takes nothing twice: %s', (kind) => {
    const head = newHead(undefined, draft(kind, 7))
    expect(newHead(head, draft(kind, 7))).toBeUndefined()
  })
})

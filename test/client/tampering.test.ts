import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/core/verify/finding.ts'
import {
  DIGEST,
  editEvent,
  editLines,
  eventsOf,
  follow,
  newSigner,
  openVerified,
  read,
  readHead,
  rechain,
  rehash,
  SOP,
  type VerifiedStore,
  verifyWhole,
} from './support/verified-store.ts'

// Each way of changing records behind the engine's back, and where the check says that it was.

const [RUN, OTHER, OPEN] = ['run-b', 'run-a', 'run-c']
const LONG_AGO = Date.UTC(2026, 0, 1)
const FILE = `audit/${SOP}/${RUN}.jsonl`
const HEADS = 'heads/heads.jsonl'

/** Three runs as an engine recorded them: two that ended, and one that goes on and was told of in three pieces. */
const recorded = async (): Promise<VerifiedStore> => {
  const store = await openVerified()
  for (const runId of [OTHER, RUN]) {
    await store.audit.append({ runId, sop: SOP }, eventsOf(runId, LONG_AGO).slice(0, 1))
    await store.keeper.flush()
    await store.audit.append({ runId, sop: SOP }, eventsOf(runId, LONG_AGO).slice(1, 5))
    await store.keeper.flush()
    await store.audit.append({ runId, sop: SOP }, eventsOf(runId, LONG_AGO))
    await store.keeper.flush()
  }
  await store.audit.append({ runId: OPEN, sop: SOP }, eventsOf(OPEN, LONG_AGO).slice(0, 4))
  await store.close()
  return store
}

interface Expected {
  readonly kind: Finding['kind']
  readonly sequence?: number
  readonly file?: string
  readonly line?: number
  readonly runId?: string
}
type Row = readonly [name: string, tamper: (store: VerifiedStore) => unknown, found: Expected]

/** Another person approves. */
const MALLORY = { principal: { id: 'mallory', kind: 'user' } } as const
/** Of the last character of base64 before `==` only two bits count. */
const nextOf = (last: string): string => String.fromCharCode(last.charCodeAt(0) + 1)
const rehashed = (
  store: VerifiedStore,
  change: (events: ReturnType<typeof read>[]) => readonly ReturnType<typeof read>[],
) => editLines(store.path(RUN), (lines) => rehash(change(lines.map(read))))
const dropLine = (line: number) => (lines: readonly string[]) => lines.filter((_, at) => at !== line - 1)

const ROWS: readonly Row[] = [
  // One event
  [
    'who approved is another',
    (s) => editEvent(s.path(RUN), 4, MALLORY),
    { kind: 'edited', sequence: 4, file: FILE, line: 4 },
  ],
  [
    'a comment is another',
    (s) => editEvent(s.path(RUN), 4, { details: { gate: '1-build', attempt: 1, comment: 'no' } }),
    { kind: 'edited', sequence: 4, line: 4 },
  ],
  [
    'an instant is another',
    (s) => editEvent(s.path(RUN), 2, { timestamp: '2020-01-01T00:00:00.000Z' }),
    { kind: 'edited', sequence: 2, line: 2 },
  ],
  [
    'a key was added that no engine writes',
    (s) => editEvent(s.path(RUN), 4, { note: 'approved twice' }),
    { kind: 'edited', sequence: 4, line: 4 },
  ],
  [
    'a key was written twice, for readers that take the first',
    (s) =>
      editLines(s.path(RUN), (lines) =>
        lines.map((text, at) => (at === 3 ? text.replace('{', '{"via":"slack",') : text)),
      ),
    { kind: 'edited', sequence: 4, line: 4 },
  ],
  [
    'the hash of an event is another',
    (s) => editEvent(s.path(RUN), 8, { hash: 'f'.repeat(64) }),
    { kind: 'edited', sequence: 8, line: 8 },
  ],
  [
    'an event was changed and hashed anew',
    (s) =>
      editLines(s.path(RUN), (lines) => {
        const changed = rehash(lines.map((text, at) => (at === 3 ? { ...read(text), ...MALLORY } : read(text))))
        return lines.map((text, at) => (at === 3 ? (changed[3] ?? '') : text))
      }),
    { kind: 'replaced', sequence: 4, line: 4 },
  ],
  ['an event was taken out', (s) => editLines(s.path(RUN), dropLine(4)), { kind: 'missing', sequence: 4, line: 4 }],
  [
    'three events were taken out',
    (s) => editLines(s.path(RUN), (lines) => lines.filter((_, at) => at < 2 || at > 4)),
    { kind: 'missing', sequence: 3, line: 3 },
  ],
  [
    'the first event was taken out',
    (s) => editLines(s.path(RUN), dropLine(1)),
    { kind: 'missing', sequence: 1, line: 1 },
  ],
  [
    'two events changed places',
    (s) => editLines(s.path(RUN), (l) => [l[0], l[1], l[3], l[2], ...l.slice(4)] as string[]),
    { kind: 'reordered', sequence: 3, line: 4 },
  ],
  [
    'an event stands there twice',
    (s) => editLines(s.path(RUN), (l) => [...l.slice(0, 4), l[3], ...l.slice(4)] as string[]),
    { kind: 'duplicated', sequence: 4, line: 5 },
  ],
  [
    'a second approval was put in',
    (s) =>
      editLines(s.path(RUN), (l) => [
        ...l.slice(0, 4),
        JSON.stringify({ ...read(l[3] ?? ''), ...MALLORY, hash: 'e'.repeat(64) }),
        ...l.slice(4),
      ]),
    { kind: 'inserted', sequence: 4, line: 5 },
  ],
  [
    'a line is noise',
    (s) => editLines(s.path(RUN), (l) => l.map((text, at) => (at === 3 ? '\u0000'.repeat(50) : text))),
    { kind: 'unreadable', sequence: 4, line: 4 },
  ],
  [
    'an event came from another run',
    (s) =>
      editLines(s.path(RUN), (l) =>
        l.map((text, at) => (at === 3 ? JSON.stringify({ ...read(text), runId: OTHER }) : text)),
      ),
    { kind: 'foreign', sequence: 4, line: 4 },
  ],
  // The end
  [
    'the last event was cut off',
    (s) => editLines(s.path(RUN), (l) => l.slice(0, -1)),
    { kind: 'cut_off', sequence: 8, line: 7 },
  ],
  [
    'half of the record was cut off',
    (s) => editLines(s.path(RUN), (l) => l.slice(0, 4)),
    { kind: 'cut_off', sequence: 5, line: 4 },
  ],
  [
    'a part of the last line was cut off',
    (s) => truncateSync(s.path(RUN), readFileSync(s.path(RUN)).length - 9),
    { kind: 'cut_off', sequence: 8, line: 7 },
  ],
  ['the record is empty', (s) => writeFileSync(s.path(RUN), ''), { kind: 'record_deleted', file: HEADS }],
  [
    'the end of a run that is open was cut off',
    (s) => editLines(s.path(OPEN), (l) => l.slice(0, 3)),
    { kind: 'cut_off', sequence: 4, runId: OPEN },
  ],
  // Whoever can make hashes
  [
    'an event was changed and all hashes made anew',
    (s) => rehashed(s, (e) => e.map((each, at) => (at === 3 ? { ...each, ...MALLORY } : each))),
    { kind: 'rewritten', sequence: 2, line: 2 },
  ],
  [
    'an event was taken out and all hashes made anew',
    (s) => rehashed(s, (e) => e.filter((_, at) => at !== 6)),
    { kind: 'cut_off', sequence: 8 },
  ],
  [
    'an event was put in and all hashes made anew',
    (s) => rehashed(s, (e) => [...e.slice(0, 6), e[3] as (typeof e)[number], ...e.slice(6)]),
    { kind: 'rewritten', sequence: 6, line: 6 },
  ],
  [
    'the whole record was told anew',
    (s) => rehashed(s, (e) => e.map((each) => ({ ...each, ...MALLORY }))),
    { kind: 'rewritten', sequence: 1, line: 1 },
  ],
  [
    'an event was put in behind the end, and chained rightly',
    (s) => editLines(s.path(RUN), (l) => rehash([...l.map(read), { ...read(l[3] ?? ''), ...MALLORY }])),
    { kind: 'unsealed', sequence: 9, line: 9 },
  ],
  // The record as a whole
  ['the record was deleted', (s) => rmSync(s.path(RUN)), { kind: 'record_deleted', file: HEADS }],
  [
    'the record was deleted and its row in the list of runs as well',
    (s) => {
      rmSync(s.path(RUN))
      rmSync(join(s.dataDir, 'runs'), { recursive: true })
    },
    { kind: 'record_deleted', file: HEADS },
  ],
  [
    'the record of another run was put in its place',
    (s) => copyFileSync(s.path(OTHER), s.path(RUN)),
    { kind: 'foreign', file: FILE },
  ],
  [
    'a second record of the run lies in another folder',
    (s) => {
      const other = join(s.dataDir, 'audit', 'other', `${RUN}.jsonl`)
      mkdirSync(dirname(other))
      copyFileSync(s.path(RUN), other)
    },
    { kind: 'record_doubled', file: `audit/other/${RUN}.jsonl` },
  ],
  // The definition
  ['the definition was deleted', (s) => rmSync(s.definitionPath), { kind: 'definition_missing', sequence: 1 }],
  [
    'the definition has another command',
    (s) => writeFileSync(s.definitionPath, readFileSync(s.definitionPath, 'utf8').replaceAll('build', 'rm -rf /')),
    { kind: 'definition_edited', file: `definitions/${DIGEST}.json` },
  ],
  [
    'the definition is noise',
    (s) => writeFileSync(s.definitionPath, '{'),
    { kind: 'definition_edited', file: `definitions/${DIGEST}.json` },
  ],
  // The chain of heads
  [
    'a head vouches for another event',
    (s) =>
      editLines(s.headsPath, (l) =>
        l.map((text, at) => (at === 5 ? JSON.stringify({ ...readHead(text), sequence: 7 }) : text)),
      ),
    { kind: 'head_edited', file: HEADS, line: 6 },
  ],
  [
    'a head was edited and hashed anew, without the key',
    (s) =>
      editLines(s.headsPath, (l) =>
        rechain(
          l.map((text, at) => (at === 5 ? { ...readHead(text), sequence: 7 } : readHead(text))),
          { authority: s.signer.authority, seal: () => 'A'.repeat(86) + '==' },
        ),
      ),
    { kind: 'head_forged', file: HEADS, line: 6 },
  ],
  [
    'all heads were made anew with another key',
    (s) => editLines(s.headsPath, (l) => rechain(l.map(readHead), newSigner())),
    { kind: 'head_forged', file: HEADS, line: 4 },
  ],
  ['a head was taken out', (s) => editLines(s.headsPath, dropLine(5)), { kind: 'head_missing', file: HEADS, line: 5 }],
  [
    'the heads of the run were taken out and the rest closed up',
    (s) => editLines(s.headsPath, (l) => l.filter((text) => readHead(text).runId !== RUN)),
    { kind: 'head_missing', file: HEADS, line: 4 },
  ],
  [
    'two heads changed places',
    (s) => editLines(s.headsPath, (l) => [l[0], l[1], l[2], l[4], l[3], ...l.slice(5)] as string[]),
    { kind: 'head_reordered', file: HEADS, line: 5 },
  ],
  [
    'a head stands there twice',
    (s) => editLines(s.headsPath, (l) => [...l.slice(0, 5), l[4], ...l.slice(5)] as string[]),
    { kind: 'head_duplicated', file: HEADS, line: 6 },
  ],
  [
    'a head was written anew with white space',
    (s) => editLines(s.headsPath, (l) => l.map((text, at) => (at === 4 ? text.replace('{', '{ ') : text))),
    { kind: 'head_edited', file: HEADS, line: 5 },
  ],
  [
    'a key of a head was written twice, for readers that take the first',
    (s) => editLines(s.headsPath, (l) => l.map((text, at) => (at === 4 ? text.replace('{', '{"sequence":99,') : text))),
    { kind: 'head_edited', file: HEADS, line: 5 },
  ],
  [
    'the signature of a head ends otherwise, though it means the same',
    (s) =>
      editLines(s.headsPath, (l) =>
        l.map((text, at) => (at === 4 ? text.replace(/(.)=="}$/, (_, last) => `${nextOf(last as string)}=="}`) : text)),
      ),
    { kind: 'head_forged', file: HEADS, line: 5 },
  ],
  [
    'a head is noise',
    (s) => editLines(s.headsPath, (l) => l.map((text, at) => (at === 4 ? 'noise' : text))),
    { kind: 'head_unreadable', file: HEADS, line: 5 },
  ],
  [
    'a tombstone was forged for a record that was deleted',
    (s) => {
      rmSync(s.path(RUN))
      appendFileSync(
        s.headsPath,
        `${rechain([...readFileSync(s.headsPath, 'utf8').trimEnd().split('\n').map(readHead), { ...readHead(readFileSync(s.headsPath, 'utf8').split('\n')[5] ?? ''), kind: 'removed' }], newSigner()).at(-1)}\n`,
      )
    },
    { kind: 'record_deleted', file: HEADS },
  ],
]

describe('verifyAudit() finds what somebody did behind the back of the engine', () => {
  test.each(ROWS)('%s', async (_, tamper, expected) => {
    const store = await recorded()
    tamper(store)
    // Another process, long after: nothing of the writer is in memory.
    const { audit, runs } = await verifyWhole(follow(store))
    expect(audit.ok).toBe(false)
    const findings = [...audit.findings, ...runs.flatMap((run) => run.findings)]
    expect(findings.filter(({ severity }) => severity === 'problem')).toContainEqual(
      expect.objectContaining({ severity: 'problem', ...expected }),
    )
    // Nobody else is blamed.
    const blamed = new Set(runs.map(({ runId }) => runId))
    const isShared = expected.kind.startsWith('definition')
    if (!isShared) expect([...blamed].filter((runId) => runId !== (expected.runId ?? RUN))).toEqual([])
  })
})

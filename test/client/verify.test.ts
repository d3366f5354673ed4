import { createHash } from 'node:crypto'
import { appendFileSync, chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LogSummary, RunEvent } from '../../src/core/run/event.ts'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { tempDir } from '../adapters/support/records.ts'
import {
  DIGEST,
  editEvent,
  editLines,
  eventsOf,
  follow,
  newSigner,
  openVerified,
  PINNED,
  read,
  readHead,
  rehash,
  SOP,
  verifyWhole,
} from './support/verified-store.ts'

const RUN = 'run-b'
const at = { runId: RUN, sop: SOP }
const EVENTS = eventsOf(RUN)
const kinds = ({ findings }: { readonly findings: readonly { readonly kind: string }[] }): readonly string[] =>
  findings.map(({ kind }) => kind)

describe('verifyRun() calls no tampering', () => {
  test('a run that goes on, before and after its heads are written', async () => {
    const store = await openVerified()
    for (const event of EVENTS) {
      await store.audit.append(at, [event])
      // Nobody writes the heads here: a process beside the engine looks.
      const beside = await verifyWhole(follow(store))
      expect(beside.audit).toMatchObject({ ok: true, runs: 1, events: event.sequence })
      if (event.sequence % 3 === 0) await store.keeper.flush()
    }
    expect(await store.verify(RUN)).toMatchObject({
      ok: true,
      events: 8,
      sealedTo: 8,
      findings: [],
    })
  })

  test('a last line that a power failure tore', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS.slice(0, 5))
    await store.close()
    appendFileSync(store.path(RUN), '{"sequence":6,"timest')
    const torn = await store.verify(RUN)
    expect(torn.ok).toBe(true)
    expect(kinds(torn)).toEqual(['unfinished_line'])
    const again = await openVerified(store.dataDir, store.signer)
    await again.audit.append(at, EVENTS)
    expect(await again.verify(RUN)).toMatchObject({ ok: true, events: 8, sealedTo: 8, findings: [] })
  })

  test('a head that a crash kept from being written, and one that was torn', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS.slice(0, 3))
    await store.keeper.flush()
    await store.audit.append(at, EVENTS)
    await store.index.flush()
    const crashed = await verifyWhole(follow(store))
    expect(crashed.audit).toMatchObject({ ok: true, notices: { pending_head: 1 } })
    truncateSync(store.headsPath, readFileSync(store.headsPath).length - 30)
    expect((await verifyWhole(follow(store))).audit.ok).toBe(true)
    const again = await openVerified(store.dataDir, store.signer)
    const healed = await again.verify(RUN)
    expect(healed).toMatchObject({ ok: true, sealedTo: 8 })
    expect(kinds(healed)).toEqual(['late_head'])
  })

  test('a record that a reset in Temporal forked', async () => {
    const store = await openVerified()
    await store.audit.append({ ...at, executionId: 'one' }, EVENTS.slice(0, 4))
    const other = EVENTS.map((event, i) =>
      i < 3 ? event : { ...event, timestamp: new Date(Date.parse(event.timestamp) + 3_600_000).toISOString() },
    ) as readonly RunEvent[]
    await store.audit.append({ ...at, executionId: 'two' }, other)
    store.histories.set(RUN, { events: other, ackedTo: 8, isAll: true })
    const check = await store.verify(RUN)
    expect(check).toMatchObject({ ok: true, events: 10, sealedTo: 10, history: 'compared' })
    expect(kinds(check)).toEqual(['forked'])
  })

  test('a run that was opened again', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS)
    await store.keeper.flush()
    const retried = {
      ...EVENTS[1],
      sequence: 9,
      eventType: 'run_retried',
      details: { fromStep: 1, reopens: true },
    } as RunEvent
    const closed = { ...EVENTS[7], sequence: 10 } as RunEvent
    await store.audit.append(at, [retried])
    await store.keeper.flush()
    await store.audit.append(at, [closed])
    store.histories.set(RUN, { events: [retried, closed], ackedTo: 10, isAll: true })
    expect(await store.verify(RUN)).toMatchObject({ ok: true, events: 10, sealedTo: 10, findings: [] })
  })

  test('a run of an engine that kept no heads, before and after the upgrade; it says so', async () => {
    const dataDir = tempDir()
    const old = createFileAudit({ dataDir })
    await old.keepDefinition(PINNED)
    await old.append(at, EVENTS)
    const signer = newSigner()
    const before = await verifyWhole(follow({ dataDir, signer }))
    expect(before.audit).toMatchObject({ ok: true, notices: { no_heads: 1 } })
    const store = await openVerified(dataDir, signer)
    const after = await store.verify(RUN)
    expect(after).toMatchObject({ ok: true, sealedTo: 8 })
    expect(kinds(after)).toEqual(['late_head'])
    // From then on it is vouched for as any other.
    editLines(store.path(RUN), (lines) =>
      rehash(lines.map((line) => ({ ...read(line), timestamp: '2020-01-01T00:00:00.000Z' }))),
    )
    expect(kinds(await store.verify(RUN))).toContain('rewritten')
  })

  test('a record that retention removed with a tombstone, or is about to remove', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS)
    await store.keeper.flush()
    const last = (await store.audit.read(RUN)).at(-1)
    await store.heads.append([
      {
        kind: 'removed',
        ...at,
        sequence: 8,
        eventHash: last?.hash ?? '',
        removal: { reason: 'older than 90 days', by: 'engine' },
      },
    ])
    expect(kinds(await store.verify(RUN))).toEqual(['removal_unfinished'])
    rmSync(store.path(RUN))
    rmSync(join(store.dataDir, 'runs'), { recursive: true })
    const check = await verifyWhole(follow(store))
    expect(check.audit).toMatchObject({ ok: true, runs: 1, notices: { removed: 1 } })
  })

  test('a run of which nobody knows: it is not found', async () => {
    await expect((await openVerified()).verify('nobody')).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('verifyRun() holds a record against the history', () => {
  const closed = async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS)
    await store.keeper.flush()
    return store
  }
  const all = { events: EVENTS, ackedTo: 8, isAll: true }
  /** Without heads, as in a store whose chain was taken away as well. */
  const rewrite = (path: string, change: (events: readonly RunEvent[]) => readonly RunEvent[]) =>
    editLines(path, (lines) => rehash(change(lines.map(read))))
  const mallory = { id: 'mallory', kind: 'user' } as const

  test.each([
    [
      'another approver',
      (e: readonly RunEvent[]) => e.map((each, i) => (i === 3 ? { ...each, principal: mallory } : each)),
      'history_differs',
      4,
    ],
    ['an event less', (e: readonly RunEvent[]) => e.slice(0, 6), 'history_missing', 7],
    ['an event more', (e: readonly RunEvent[]) => [...e, { ...(e[3] as RunEvent) }], 'inserted', 9],
  ])('%s, all hashes and heads made anew', async (_, change, kind, sequence) => {
    const store = await closed()
    rewrite(store.path(RUN), change)
    rmSync(join(store.dataDir, 'heads'), { recursive: true })
    rmSync(join(store.dataDir, 'runs'), { recursive: true })
    const deps = { ...follow(store), histories: store.deps.histories }
    store.histories.set(RUN, all)
    const { audit, runs } = await verifyWhole(deps)
    expect(audit.ok).toBe(false)
    expect(runs[0]?.findings).toContainEqual(expect.objectContaining({ severity: 'problem', kind, sequence }))
    expect((await verifyWhole(deps, { history: false })).audit.ok).toBe(true)
  })

  test('a record that is gone with its heads', async () => {
    const store = await closed()
    for (const folder of ['audit', 'heads', 'runs']) rmSync(join(store.dataDir, folder), { recursive: true })
    store.histories.set(RUN, all)
    const { runs } = await verifyWhole({ ...follow(store), histories: store.deps.histories })
    expect(runs).toMatchObject([{ runId: RUN, ok: false, findings: [{ kind: 'record_deleted' }] }])
  })

  test('what the record has not acknowledged yet is not missed', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS.slice(0, 5))
    store.histories.set(RUN, { events: EVENTS.slice(0, 7), ackedTo: 5, isAll: false })
    expect(await store.verify(RUN)).toMatchObject({ ok: true, history: 'compared', findings: [] })
  })

  test('Temporal that does not answer is said, and no fault of the record', async () => {
    const store = await closed()
    store.temporalSays('unavailable')
    expect(await store.verify(RUN)).toMatchObject({ ok: true, findings: [{ kind: 'history_unavailable' }] })
  })
})

describe('the chain of heads', () => {
  test('shows what was cut off its end while the engine ran', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS.slice(0, 2))
    await store.keeper.flush()
    await store.audit.append(at, EVENTS.slice(0, 5))
    await store.keeper.flush()
    editLines(store.headsPath, (lines) => lines.slice(0, -1))
    await store.audit.append(at, EVENTS)
    await store.keeper.flush()
    const { audit } = await store.verifyAll()
    expect(audit.findings).toMatchObject([{ kind: 'head_missing', file: 'heads/heads.jsonl', line: 3 }])
  })

  test('shows against a head that was noted that its end was cut off, or written anew', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS.slice(0, 5))
    await store.keeper.flush()
    await store.audit.append(at, EVENTS)
    await store.keeper.flush()
    const { audit } = await store.verifyAll()
    const head = audit.heads.end
    expect((await verifyWhole(follow(store), { head })).audit.ok).toBe(true)
    const other = { index: head.index, hash: 'f'.repeat(64) }
    expect((await verifyWhole(follow(store), { head: other })).audit.findings).toMatchObject([
      { kind: 'head_replaced' },
    ])
    // Who asks for one run asks for the head as well.
    expect(await store.verify(RUN, { head })).toMatchObject({ ok: true, findings: [] })
    expect(await store.verify(RUN, { head: other })).toMatchObject({ ok: false, findings: [{ kind: 'head_replaced' }] })
    const later = { index: head.index + 1, hash: head.hash }
    expect(await store.verify(RUN, { head: later })).toMatchObject({ ok: false, findings: [{ kind: 'heads_cut_off' }] })
    // Without the note nobody would see it: the record and its heads were cut off together.
    rmSync(store.path(RUN))
    rmSync(join(store.dataDir, 'runs'), { recursive: true })
    writeFileSync(store.headsPath, '')
    expect((await verifyWhole(follow(store))).audit.ok).toBe(true)
    expect((await verifyWhole(follow(store), { head })).audit.findings).toMatchObject([{ kind: 'heads_cut_off' }])
  })

  test('takes entries of a key that was replaced, once it is named', async () => {
    const first = newSigner()
    const store = await openVerified(tempDir(), first)
    await store.audit.append(at, EVENTS.slice(0, 5))
    await store.close()
    const again = await openVerified(store.dataDir)
    await again.audit.append(at, EVENTS)
    await again.keeper.flush()
    expect((await again.verifyAll()).audit.findings.map(({ kind }) => kind)).toContain('head_forged')
    expect((await again.verifyAll({ keys: [first.authority] })).audit).toMatchObject({ ok: true, findings: [] })
  })

  test('that is damaged elsewhere is told with the check of one run, and blames it not', async () => {
    const store = await openVerified()
    await store.audit.append(at, EVENTS)
    await store.audit.append({ runId: 'other', sop: SOP }, eventsOf('other'))
    await store.keeper.flush()
    editLines(store.headsPath, (lines) =>
      lines.map((line) => (readHead(line).runId === 'other' ? line.replace('"closed"', '"checkpoint"') : line)),
    )
    expect(await store.verify(RUN)).toMatchObject({ ok: true, findings: [{ kind: 'heads_damaged' }] })
    expect(await store.verify('other')).toMatchObject({ ok: false })
  })
})

describe('logs', () => {
  const HELLO = { bytes: 5, sha256: createHash('sha256').update('hello').digest('hex') }
  const withLog = async (bytes: string, log: LogSummary = HELLO) => {
    const store = await openVerified()
    const writer = await store.logs.open({ runId: RUN, executableId: 'step:1', attempt: 1 })
    await writer.write(Buffer.from(bytes))
    await writer.close()
    const events = EVENTS.map((event) =>
      event.eventType === 'step_completed' ? { ...event, details: { ...event.details, log } } : event,
    )
    await store.audit.append({ ...at, executionId: 'first' }, events)
    return store
  }
  test.each([
    ['hello', true, []],
    ['hellO', false, ['log_edited']],
    ['hell', false, ['log_edited']],
    ['hello, world', false, ['log_edited']],
  ])('with a digest on record: %j', async (bytes, ok, found) => {
    const check = await (await withLog(bytes)).verify(RUN)
    expect(check).toMatchObject({ ok, logs: 1 })
    expect(kinds(check)).toEqual(found)
  })

  test('that are gone: deleted by hand, or by the sweep that says so', async () => {
    const store = await withLog('hello')
    const { removedAt, reason } = { removedAt: '2026-03-01T00:00:00.000Z', reason: 'they were old' }
    await store.logs.remove(RUN, { removedAt, bytes: 5, reason })
    expect(await store.verify(RUN)).toMatchObject({ ok: true, findings: [{ kind: 'logs_removed' }] })
    rmSync(join(store.dataDir, 'logs'), { recursive: true })
    expect(kinds(await store.verify(RUN))).toEqual(['log_pending'])
  })

  test('that the store had whole are not on their way any more', async () => {
    const store = await withLog('hello', { ...HELLO, stored: true })
    expect(await store.verify(RUN)).toMatchObject({ ok: true, logs: 1, findings: [] })
    const path = join(store.dataDir, 'logs', RUN, 'step.1-1.log')
    chmodSync(path, 0o600)
    writeFileSync(path, 'hell')
    expect(await store.verify(RUN)).toMatchObject({ ok: false, findings: [{ kind: 'log_edited' }] })
    rmSync(path)
    expect(await store.verify(RUN)).toMatchObject({ ok: false, findings: [{ kind: 'log_missing' }] })
  })

  test('of checks, gates, walks back and items have digests as well', async () => {
    const store = await openVerified()
    const log = { ...HELLO, stored: true }
    const engine = { principal: { id: 'engine', kind: 'service' }, via: 'engine' } as const
    const told = [
      ['verification_passed', 1, {}, 'verify:1'],
      ['verification_failed', 2, { item: 3 }, 'verify:2[3]'],
      ['verification_passed', undefined, { gate: 'pre_check' }, 'gate:pre_check'],
      ['step_rolled_back', 3, {}, 'rollback:3'],
      ['rollback_failed', 4, { item: 1 }, 'rollback:4[1]'],
      ['step_completed', 5, { item: 2 }, 'step:5[2]'],
    ] as const
    const [created] = EVENTS
    const events = told.map(([eventType, stepNumber, details], at) => ({
      sequence: at + 2,
      timestamp: new Date().toISOString(),
      runId: RUN,
      eventType,
      ...(stepNumber !== undefined && { stepNumber }),
      ...engine,
      details: { ...details, attempt: 1, log },
    }))
    await store.audit.append(at, [created, ...events] as unknown as typeof EVENTS)
    for (const [, , , executableId] of told) {
      const writer = await store.logs.open({ runId: RUN, executableId, attempt: 1 })
      await writer.write(Buffer.from('hello'))
      await writer.close()
    }
    expect(await store.verify(RUN)).toMatchObject({ ok: true, logs: 6, findings: [] })
    rmSync(join(store.dataDir, 'logs', RUN), { recursive: true })
    const { findings } = await store.verify(RUN)
    expect(findings.map(({ kind, file }) => [kind, file])).toEqual(
      told.map(([, , , executableId]) => ['log_missing', `logs: ${executableId} #1`]),
    )
  })

  test('that a reset lets a step write on in are not held against what the step had told before', async () => {
    const store = await withLog('hello')
    const writer = await store.logs.open({ runId: RUN, executableId: 'step:1', attempt: 1 })
    await writer.write(Buffer.from(' again'))
    await writer.release()
    expect(kinds(await store.verify(RUN))).toEqual(['log_edited'])
    const started = EVENTS.find(({ eventType }) => eventType === 'step_started')
    const again = { ...started, timestamp: new Date().toISOString() } as (typeof EVENTS)[number]
    await store.audit.append({ ...at, executionId: 'another' }, [again])
    expect(await store.verify(RUN)).toMatchObject({ ok: true, logs: 0, findings: [{ kind: 'forked' }] })
  })
})

test('a definition that two runs share is found changed for both', async () => {
  const store = await openVerified()
  for (const runId of ['a', 'b']) await store.audit.append({ runId, sop: SOP }, eventsOf(runId))
  editEvent(store.definitionPath, 1, { digest: DIGEST, definition: { name: 'other' } })
  const { runs } = await store.verifyAll()
  expect(runs.map((run) => [run.runId, kinds(run)])).toEqual([
    ['a', ['definition_edited']],
    ['b', ['definition_edited']],
  ])
})

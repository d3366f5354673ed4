import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AuditListener, AuditStore } from '../../../src/activities/deps.ts'
import { GENESIS_HASH, verifyChain } from '../../../src/core/audit-chain.ts'
import { sha256Hex as pureSha256Hex } from '../../../src/core/canonical.ts'
import type { PinnedSop } from '../../../src/core/run/run.ts'
import { wholeRun } from '../support/records.ts'

/** What a test gets: a fresh store, and ways to open the same data again, as a later or another process would. */
export interface AuditStoreRig {
  readonly audit: AuditStore
  open(listeners?: readonly AuditListener[]): AuditStore
  /** What the stores of this rig warned of. */
  readonly warnings: readonly string[]
  /** Events that were kept beside the record of the run. */
  forks(runId: string): Promise<readonly unknown[]>
}

const RUN = { runId: 'sop_run_1', sop: 'deploy' }
const EVENTS = wholeRun(RUN.runId)
const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The laws of every audit store; each adapter's test file calls it with its own way to open one. */
export const describeAuditStore = (name: string, rig: () => Promise<AuditStoreRig> | AuditStoreRig): void => {
  describe(`${name}.append()`, () => {
    test('stores the events as a hash chain, keys in their order', async () => {
      const { audit, open } = await rig()
      expect(await audit.append(RUN, EVENTS)).toBe(8)
      const events = await open().read(RUN.runId)
      expect(Object.keys(events[2] as object)).toEqual([
        'sequence',
        'timestamp',
        'eventType',
        'runId',
        'stepNumber',
        'principal',
        'via',
        'details',
        'previousHash',
        'hash',
      ])
      expect(events[0]?.previousHash).toBe(GENESIS_HASH)
      expect(events.map(({ previousHash: _p, hash: _h, ...event }) => event)).toEqual(EVENTS)
      expect(verifyChain(events, sha256Hex)).toEqual([])
      expect(verifyChain(events, pureSha256Hex)).toEqual([])
    })

    test('keeps every text and number as it was', async () => {
      const { audit, open } = await rig()
      const odd = {
        text: 'ü 🚀 \u0000 \ud800 \\u0041 \u2028 "',
        tiny: 1e-7,
        huge: 1e21,
        minus: -0,
        list: [[], {}, null, ''],
      }
      const events = EVENTS.map((event) => ({ ...event, details: { ...event.details, odd } })) as typeof EVENTS
      expect(await audit.append(RUN, events)).toBe(8)
      const stored = await open().read(RUN.runId)
      expect(stored[3]?.details).toMatchObject({ odd: { ...odd, minus: 0 } })
      expect(verifyChain(stored, sha256Hex)).toEqual([])
    })

    test('counts an event once, however often and in whatever pieces it comes', async () => {
      const { audit, open } = await rig()
      expect(await audit.append(RUN, EVENTS.slice(0, 3))).toBe(3)
      expect(await audit.append(RUN, EVENTS.slice(0, 5))).toBe(5)
      expect(await open().append(RUN, EVENTS.slice(2, 6))).toBe(6)
      expect(await open().append(RUN, [])).toBe(6)
      const again = open()
      await Promise.all(Array.from({ length: 20 }, (_, i) => again.append(RUN, EVENTS.slice(0, (i % 8) + 1))))
      const events = await again.read(RUN.runId)
      expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(verifyChain(events, sha256Hex)).toEqual([])
    })

    test('does not take an event that leaves a gap', async () => {
      const { audit, warnings } = await rig()
      expect(await audit.append(RUN, [...EVENTS.slice(0, 2), ...EVENTS.slice(3)])).toBe(2)
      expect(await audit.append(RUN, EVENTS.slice(4))).toBe(2)
      expect(warnings).toHaveLength(2)
      expect(await audit.append(RUN, EVENTS)).toBe(8)
    })

    test('keeps the stored event where another comes under its sequence, and the other beside', async () => {
      const { audit, open, warnings, forks } = await rig()
      await audit.append(RUN, EVENTS.slice(0, 4))
      const other = { ...EVENTS[3], principal: { id: 'mallory', kind: 'user' } } as (typeof EVENTS)[number]
      expect(await open().append(RUN, [...EVENTS.slice(0, 3), other, ...EVENTS.slice(4, 5)])).toBe(5)
      expect(warnings).toEqual(['conflict: the record holds another event under this sequence'])
      const events = await open().read(RUN.runId)
      expect(events[3]).toMatchObject({ principal: { id: 'alice' } })
      expect(verifyChain(events, sha256Hex)).toEqual([])
      expect(await forks(RUN.runId)).toMatchObject([{ sequence: 4, principal: { id: 'mallory' } }])
    })

    test.each(['../../etc/passwd', 'a/b', '.hidden', 'x'.repeat(900), 'ünï cödé', '', "'; DROP TABLE x; --", '%_\\'])(
      'takes any workflow id, such as %j',
      async (runId) => {
        const { audit, open } = await rig()
        const run = { runId, sop: '../escape' }
        expect(await audit.append(run, wholeRun(runId))).toBe(8)
        expect(await audit.append({ runId: `${runId}y`, sop: '../escape' }, wholeRun(`${runId}y`).slice(0, 1))).toBe(1)
        expect(await open().read(runId)).toHaveLength(8)
        expect(await open().read(`${runId}y`)).toHaveLength(1)
      },
    )

    test('keeps many runs at once apart', async () => {
      const { audit } = await rig()
      const ids = Array.from({ length: 40 }, (_, i) => `run-${i}`)
      await Promise.all(
        ids.flatMap((runId) => {
          const events = wholeRun(runId)
          return events.map((_, i) => audit.append({ runId, sop: 'deploy' }, events.slice(0, i + 1)))
        }),
      )
      for (const runId of ids)
        expect(verifyChain(await audit.read(runId), sha256Hex, { runId, lastSequence: 8 })).toEqual([])
    })
  })

  describe(`${name}.read()`, () => {
    test('gives what came after a sequence, again and again, and from any place', async () => {
      const { audit, open } = await rig()
      const reader = open()
      const sequences = async (after?: number): Promise<readonly number[]> =>
        (await reader.read(RUN.runId, after)).map(({ sequence }) => sequence)
      expect(await sequences(1)).toEqual([])
      await audit.append(RUN, EVENTS.slice(0, 3))
      expect(await sequences(1)).toEqual([2, 3])
      expect(await sequences(3)).toEqual([])
      await audit.append(RUN, EVENTS.slice(3))
      expect(await sequences(3)).toEqual([4, 5, 6, 7, 8])
      expect(await sequences(1)).toEqual([2, 3, 4, 5, 6, 7, 8])
      expect(await sequences(8)).toEqual([])
      expect(await sequences()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    })
  })

  describe(`${name} tells its listeners`, () => {
    test('of each event once, in order, and survives their failures', async () => {
      const { open, warnings } = await rig()
      const told: number[] = []
      const broken: AuditListener = { appended: () => Promise.reject(new Error('no')) }
      const listener: AuditListener = {
        appended: async (run, events, history) => {
          expect(run).toEqual(RUN)
          told.push(...events.map(({ sequence }) => sequence))
          expect(await history()).toHaveLength(told.length)
        },
      }
      const audit = open([broken, listener])
      await audit.append(RUN, EVENTS.slice(0, 3))
      await audit.append(RUN, EVENTS)
      await audit.append(RUN, EVENTS)
      expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(warnings).toEqual(['a listener of the record failed', 'a listener of the record failed'])
    })
  })

  describe(`${name} keeps definitions`, () => {
    const pinned = { digest: 'abc123', definition: { name: 'deploy' } } as unknown as PinnedSop

    test('under their digest, once, whoever comes first', async () => {
      const { audit, open } = await rig()
      await Promise.all([audit, open(), open()].map((store) => store.keepDefinition(pinned)))
      expect(await open().readDefinition('abc123')).toEqual(pinned)
      expect(await audit.readDefinition('nope')).toBeUndefined()
      expect(await audit.readDefinition('../audit')).toBeUndefined()
    })

    test('keeps the text of a definition, the first one for good', async () => {
      const { audit, open } = await rig()
      const source = { 'deploy/SOP.md': '# Deploy\n\n<b>über</b>\r\n', 'deploy/SOP.toml': '' }
      expect(await audit.readSource('abc123')).toBeUndefined()
      await Promise.all([audit, open()].map((store) => store.keepSource('abc123', source)))
      await audit.keepSource('abc123', { 'SOP.md': 'other' })
      expect(await open().readSource('abc123')).toEqual(source)
      expect(await audit.readSource('../abc123')).toBeUndefined()
      expect(await audit.readDefinition('sources')).toBeUndefined()
    })
  })
  describe(`${name}.remove()`, () => {
    const removal = (events = EVENTS.length) => ({
      ...RUN,
      removedAt: '2026-06-01T00:00:00.000Z',
      reason: 'records are kept for 90 days',
      events,
      lastHash: 'ab',
    })

    test('takes the whole record away and keeps a line that says so, also for a later process', async () => {
      const { audit, open, forks } = await rig()
      await audit.append(RUN, EVENTS)
      await audit.append({ ...RUN, runId: 'sop_run_2' }, wholeRun('sop_run_2'))
      expect(await audit.removal(RUN.runId)).toBeUndefined()
      expect(await audit.remove(removal())).toBe(true)
      for (const store of [audit, open()]) {
        expect(await store.read(RUN.runId)).toEqual([])
        expect(await store.read(RUN.runId, 3)).toEqual([])
        expect(await store.removal(RUN.runId)).toEqual(removal())
        expect(await store.read('sop_run_2')).toHaveLength(8)
      }
      expect(await forks(RUN.runId).catch(() => [])).toEqual([])
    })

    test('does it once: the first line stays', async () => {
      const { audit } = await rig()
      await audit.append(RUN, EVENTS)
      await audit.remove(removal())
      expect(await audit.remove({ ...removal(0), removedAt: '2027-01-01T00:00:00.000Z' })).toBe(true)
      expect(await audit.removal(RUN.runId)).toMatchObject({ removedAt: '2026-06-01T00:00:00.000Z', events: 8 })
    })

    test('leaves a record alone that has gone on', async () => {
      const { audit } = await rig()
      await audit.append(RUN, EVENTS)
      expect(await audit.remove(removal(7))).toBe(false)
      expect(await audit.read(RUN.runId)).toHaveLength(8)
      expect(await audit.removal(RUN.runId)).toBeUndefined()
    })

    test('lets another run of that id begin anew', async () => {
      const { audit, open } = await rig()
      await audit.append(RUN, EVENTS)
      await audit.remove(removal())
      expect(await audit.append(RUN, EVENTS.slice(0, 3))).toBe(3)
      const events = await open().read(RUN.runId)
      expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
      expect(verifyChain(events, sha256Hex)).toEqual([])
    })
  })

  describe(`${name}.removeDefinitions()`, () => {
    const [used, unused] = ['a'.repeat(64), 'b'.repeat(64)]
    const keep = async (audit: AuditStore): Promise<void> => {
      for (const digest of [used, unused]) {
        await audit.keepDefinition({ digest } as unknown as PinnedSop)
        await audit.keepSource(digest, { 'SOP.md': digest })
      }
    }
    const later = () => new Date(Date.now() + 60_000)

    test('removes those that are not used, with their sources', async () => {
      const { audit, open } = await rig()
      await keep(audit)
      expect(await audit.removeDefinitions((digest) => digest === used, later())).toBe(1)
      const again = open()
      expect(await again.readDefinition(unused)).toBeUndefined()
      expect(await again.readSource(unused)).toBeUndefined()
      expect(await again.readDefinition(used)).toEqual({ digest: used })
      expect(await again.readSource(used)).toEqual({ 'SOP.md': used })
    })

    test('leaves what was kept lately, whose run may have yet to begin', async () => {
      const { audit } = await rig()
      await keep(audit)
      expect(await audit.removeDefinitions(() => false, new Date(Date.now() - 60_000))).toBe(0)
      expect(await audit.readDefinition(unused)).toEqual({ digest: unused })
    })
  })
}

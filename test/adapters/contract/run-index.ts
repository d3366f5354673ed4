import { describe, expect, test } from 'vitest'
import type { AuditStore, RunIndex } from '../../../src/activities/deps.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import type { RunSelection } from '../../../src/core/run/run-filter.ts'
import { created, runOf, wholeRun } from '../support/records.ts'

/** What a test gets: the list of runs, the store whose appends it follows, and the list as another process opens it. */
export interface RunIndexRig {
  readonly index: RunIndex
  readonly audit: AuditStore
  readonly follow: () => RunIndex
  /** Waits until followers can see what was appended. */
  readonly settle: () => Promise<void>
}

const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 1)
const ids = (runs: readonly { readonly runId: string }[]): string => runs.map(({ runId }) => runId).join('')

/** Runs a, b, c… one hour apart, each with so many of its events. */
const record = async (audit: AuditStore, ...lengths: readonly number[]): Promise<void> => {
  for (const [i, length] of lengths.entries()) {
    const runId = String.fromCharCode(97 + i)
    await audit.append({ runId, sop: 'deploy' }, wholeRun(runId, START_MS + i * HOUR_MS).slice(0, length))
  }
}

/** The laws of every list of runs; each adapter's test file calls it with its own way to open one. */
export const describeRunIndex = (name: string, rig: () => Promise<RunIndexRig> | RunIndexRig): void => {
  describe(`${name}.list()`, () => {
    test('lists runs newest first, by SOP, state and limit', async () => {
      const { index, audit } = await rig()
      await record(audit, 8, 3, 5)
      const say = runOf('x', START_MS - HOUR_MS)
      await audit.append({ runId: 'x', sop: 'backup' }, [say('run_created', created('backup'))])
      expect(ids(await index.list({}))).toBe('cbax')
      expect(ids(await index.list({ limit: 2 }))).toBe('cb')
      expect(ids(await index.list({ sop: 'backup' }))).toBe('x')
      expect(ids(await index.list({ states: ['completed', 'pending'] }))).toBe('ax')
      expect(ids(await index.list({ states: [] }))).toBe('cbax')
      expect(ids(await index.list({ sop: 'deploy', states: ['awaiting_approval'], limit: 1 }))).toBe('b')
      expect(ids(await index.list({ sop: 'none' }))).toBe('')
    })

    test('puts runs of one instant in an order that stays', async () => {
      const { index, audit } = await rig()
      for (const runId of ['b', 'a', 'c']) await audit.append({ runId, sop: 'deploy' }, wholeRun(runId).slice(0, 1))
      expect(ids(await index.list({}))).toBe('cba')
    })

    test('knows the SOP of a run whose record does not begin at its beginning', async () => {
      const { index, audit } = await rig()
      const say = runOf('odd')
      await audit.append({ runId: 'odd', sop: 'deploy' }, [say('run_started', { totalSteps: 1 })])
      expect(ids(await index.list({ sop: 'deploy' }))).toBe('odd')
    })
  })

  describe(`${name}.page()`, () => {
    /** Runs a (oldest) to j: SOP, priority, trigger and starter go round, so that each filter takes some of them. */
    const ten = async (audit: AuditStore): Promise<void> => {
      for (const [i, runId] of [...'abcdefghij'].entries()) {
        const sop = i % 2 === 0 ? 'deploy' : 'backup'
        const say = runOf(runId, START_MS + i * HOUR_MS)
        await audit.append({ runId, sop }, [
          say('run_created', {
            ...created(sop),
            digest: `d${i % 3}`,
            priority: ['low', 'high', 'critical'][i % 3] as string,
            trigger: { type: i % 5 === 0 ? 'cron' : 'manual' },
          }),
          ...(i === 4 ? [say('run_queued', { reason: 'waits for 100% of LÖCK_A' })] : []),
        ])
      }
    }
    const at = (hours: number): string => new Date(START_MS + hours * HOUR_MS).toISOString()
    const rows: readonly (readonly [RunSelection, string])[] = [
      [{}, 'jihgfedcba'],
      [{ priorities: ['high'] }, 'heb'],
      [{ priorities: ['high', 'low'] }, 'jhgedba'],
      [{ priorities: [], triggers: [], states: [] }, 'jihgfedcba'],
      [{ triggers: ['cron'] }, 'fa'],
      [{ triggers: ['cron', 'webhook'], sop: 'deploy' }, 'a'],
      [{ from: at(3) }, 'jihgfed'],
      [{ to: at(3) }, 'cba'],
      [{ from: at(3), to: at(5) }, 'ed'],
      [{ from: at(5), to: at(5) }, ''],
      [{ text: 'BACKUP' }, 'jhfdb'],
      [{ text: '  back   alice ' }, 'jhfdb'],
      [{ text: 'backup deploy' }, ''],
      [{ text: '100%' }, 'e'],
      [{ text: '%' }, 'e'],
      [{ text: 'lock_a' }, ''],
      [{ text: 'cron' }, 'fa'],
      [{ text: "'; DROP TABLE sop_runs; --" }, ''],
      [{ sop: 'deploy', states: ['pending'], priorities: ['high', 'critical'], from: at(1), text: 'e' }, 'iec'],
    ]
    test.each(rows)('finds by %j', async (filter, found) => {
      const { index, audit } = await rig()
      await ten(audit)
      expect(ids(await index.list(filter))).toBe(found)
      const page = await index.page(filter)
      expect([ids(page.runs), page.total, page.next, page.more]).toEqual([found, found.length, undefined, undefined])
    })

    test('finds the runs that wait for a person: at a gate, at a manual step or paused, and no closed one', async () => {
      const { index, audit } = await rig()
      const begin = (say: ReturnType<typeof runOf>) => [
        say('run_created', created()),
        say('run_started', { totalSteps: 2 }),
        say('step_started', { title: 'Build', attempt: 1, kind: 'shell' }, 1),
      ]
      const gate = { gate: '2-ship', attempt: 1, title: 'Ship', because: 'requires_approval' } as const
      const more: Readonly<Record<string, (say: ReturnType<typeof runOf>) => readonly RunEvent[]>> = {
        a: (say) => [say('approval_requested', gate, 2)],
        b: (say) => [say('input_requested', { title: 'Build', attempt: 1 }, 1)],
        c: (say) => [say('run_paused', { kind: 'requested', reason: 'lunch' })],
        d: () => [],
        e: (say) => [say('approval_requested', gate, 2), say('run_cancelled', { reason: 'no' })],
      }
      for (const [i, [runId, rest]] of Object.entries(more).entries()) {
        const say = runOf(runId, START_MS + i * HOUR_MS)
        await audit.append({ runId, sop: 'deploy' }, [...begin(say), ...rest(say)])
      }
      expect(ids(await index.list({ waiting: true }))).toBe('cba')
      expect(ids(await index.list({ waiting: false }))).toBe('edcba')
      expect((await index.page({ waiting: true, limit: 2 })).total).toBe(3)
      expect(ids(await index.list({ waiting: true, states: ['running'] }))).toMatch(/^b?a$/)
    })

    test('pages through all of them once, also while new runs come and old ones change', async () => {
      const { index, audit, follow, settle } = await rig()
      await ten(audit)
      await settle()
      const follower = follow()
      const first = await follower.page({ limit: 4 })
      expect([ids(first.runs), first.total]).toEqual(['jihg', 10])
      await audit.append({ runId: 'new', sop: 'deploy' }, wholeRun('new', START_MS + 99 * HOUR_MS))
      await audit.append({ runId: 'f', sop: 'backup' }, wholeRun('f', START_MS + 5 * HOUR_MS))
      await settle()
      const second = await follower.page({ limit: 4, cursor: first.next as string })
      expect(ids(second.runs)).toBe('fedc')
      expect(second).not.toHaveProperty('total')
      const third = await follower.page({ limit: 4, cursor: second.next as string })
      expect([ids(third.runs), third.next]).toEqual(['ba', undefined])
      expect(await index.page({ limit: 4, cursor: second.next as string })).toEqual(third)
    })

    test('goes on between runs of one instant', async () => {
      const { index, audit } = await rig()
      for (const runId of ['b', 'a~x', 'c']) await audit.append({ runId, sop: 'deploy' }, wholeRun(runId).slice(0, 1))
      const first = await index.page({ limit: 1 })
      const second = await index.page({ limit: 1, cursor: first.next as string })
      const third = await index.page({ limit: 1, cursor: second.next as string })
      expect([first, second, third].map(({ runs }) => runs[0]?.runId)).toEqual(['c', 'b', 'a~x'])
      expect(third.next).toBeUndefined()
    })

    test('refuses a cursor that no page gave', async () => {
      const { index } = await rig()
      for (const cursor of ['', 'x', '~a', '2026-01-01T00:00:00.000Z~', "2026' OR true --~a"])
        await expect(index.page({ cursor }), cursor).rejects.toMatchObject({ code: 'invalid' })
    })

    test('tells by which definitions the runs of an SOP ran, the newest first', async () => {
      const { index, audit } = await rig()
      await ten(audit)
      const of = (digest: string, runs: number, first: number, last: number) => ({
        digest,
        version: '1.0.0',
        runs,
        firstAt: at(first),
        lastAt: at(last),
      })
      expect(await index.versions('deploy')).toEqual([of('d2', 2, 2, 8), of('d0', 2, 0, 6), of('d1', 1, 4, 4)])
      expect(await index.versions('none')).toEqual([])
    })
  })

  describe(`${name}.get()`, () => {
    test('gives the line of one run, as another process sees it too', async () => {
      const { index, audit, follow, settle } = await rig()
      expect(await index.get('nope')).toBeUndefined()
      expect(await follow().list({})).toEqual([])
      await record(audit, 8, 3)
      await settle()
      const follower = follow()
      expect(await follower.list({})).toEqual(await index.list({}))
      expect(await follower.get('b')).toEqual({
        runId: 'b',
        sopName: 'deploy',
        version: '1.0.0',
        digest: 'd1',
        status: 'awaiting_approval',
        priority: 'high',
        mode: 'auto',
        currentStep: 1,
        totalSteps: 2,
        createdAt: new Date(START_MS + HOUR_MS).toISOString(),
        startedAt: new Date(START_MS + HOUR_MS + 1000).toISOString(),
        startedBy: 'alice',
        trigger: 'manual',
        openGates: ['1-build'],
        sequence: 3,
      })
      await record(audit, 8, 8)
      await settle()
      expect(await follower.get('b')).toMatchObject({ status: 'completed' })
      await audit.append({ runId: 'empty', sop: 'deploy' }, [])
      await settle()
      expect(await follower.get('empty')).toBeUndefined()
      expect(ids(await follower.list({}))).toBe('ba')
    })
  })

  describe(`${name}.changes()`, () => {
    test.each(['the writer', 'a follower'])('of %s tells each run that changed once, as it is now', async (who) => {
      const { index, audit, follow, settle } = await rig()
      const reader = who === 'the writer' ? index : follow()
      const changes = async (cursor?: string) => {
        await settle()
        return reader.changes(cursor)
      }
      await record(audit, 2, 2)
      const begin = await changes()
      expect(begin).toMatchObject({ runs: [] })
      expect(begin).not.toHaveProperty('reset')
      expect((await changes(begin.cursor)).runs).toEqual([])
      await record(audit, 3, 3)
      await record(audit, 8)
      const next = await changes(begin.cursor)
      expect(next.runs.map(({ runId, status }) => [runId, status])).toEqual([
        ['b', 'awaiting_approval'],
        ['a', 'completed'],
      ])
      expect(next).not.toHaveProperty('reset')
      expect((await changes(next.cursor)).runs).toEqual([])
      expect((await changes(begin.cursor)).runs).toEqual(next.runs)
    })

    test('begins anew, with all runs, for a cursor that it did not give', async () => {
      const { index, audit } = await rig()
      await record(audit, 2, 2)
      const { cursor } = await index.changes()
      for (const odd of ['', 'x', `${cursor.slice(0, -1)}99999999`, '9999999999:9999999999:', '3:1:', '-1:2:'])
        expect(await index.changes(odd), odd).toMatchObject({ runs: [{ runId: 'a' }, { runId: 'b' }], reset: true })
    })
  })
}

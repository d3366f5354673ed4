import { describe, expect, test } from 'vitest'
import type { AuditStore, RunIndex } from '../../../src/activities/deps.ts'
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

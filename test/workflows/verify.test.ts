import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunView } from '../../src/core/run/view.ts'
import type { AuditCheck, RunCheck, VerifyOptions } from '../../src/client/verify-client.ts'
import { checkExport } from '../../src/client/check-export.ts'
import { bash, command, type SopSketch, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

// verify.test.ts: records of real runs against the histories of a real Temporal.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ policy: { longHistory: 60 } })
})
afterAll(() => engine.stop())

const start = async (sketch: SopSketch & { readonly name: string }): Promise<string> => {
  engine.add(sopOf(sketch))
  return (await engine.client.createRun(sketch.name)).runId
}
/** The execution closes last: when the whole record is written. */
const closes = (runId: string) =>
  until(
    () => engine.temporal.workflow.getHandle(runId).describe(),
    ({ status }) => status.name !== 'RUNNING',
    60_000,
  )
const ends = async (runId: string, ...states: readonly RunView['status'][]): Promise<void> => {
  await until(
    () => engine.client.getRunStatus(runId),
    (view) => states.includes(view.status),
    90_000,
  )
  await closes(runId)
}
/** Stands at the gate that it begins with, also on record. */
const parks = (runId: string) =>
  until(
    () => engine.client.getAuditLog(runId),
    ({ events }) => events.some(({ eventType }) => eventType === 'approval_requested'),
    60_000,
  )
const verifyAll = async (options?: VerifyOptions) => {
  const runs: RunCheck[] = []
  let audit: AuditCheck | undefined
  for await (const news of engine.client.verifyAudit(options)) {
    if (news.kind === 'run') runs.push(news.run)
    if (news.kind === 'done') audit = news.audit
  }
  return { audit, runs }
}
const ok = bash('true')
const fails = bash('exit 3')
const record = (sop: string, runId: string): string => join(engine.dataDir, 'audit', sop, `${runId}.jsonl`)

test('runs of every shape are whole, compared with their histories', { timeout: 240_000 }, async () => {
  const closed: readonly (readonly [SopSketch & { readonly name: string }, RunView['status']])[] = [
    [
      {
        name: 'v-plain',
        steps: [{ action: bash('echo "a=1" >> "$SOP_OUTPUT"') }, { if: 'a == 2', action: ok }, { action: ok }],
      },
      'completed',
    ],
    [{ name: 'v-fails', steps: [{ action: fails, retries: 1, retryDelayMs: 1 }] }, 'failed'],
    [
      {
        name: 'v-back',
        steps: [
          { action: ok, rollback: [command('true')] },
          { action: fails, onFailure: { kind: 'rollback' } },
        ],
      },
      'failed',
    ],
    [
      { name: 'v-beside', steps: [{ action: ok }, { action: ok, needs: [] }, { action: ok, needs: [1, 2] }] },
      'completed',
    ],
    [
      {
        name: 'v-items',
        steps: [{ action: ok, forEach: ['a', 'b', 'c'], maxParallel: 2 }],
      },
      'completed',
    ],
    [{ name: 'v-long', steps: Array.from({ length: 40 }, () => ({ action: ok })) }, 'completed'],
  ]
  engine.add(sopOf({ name: 'v-inner', steps: [{ action: ok }] }))
  const ids = await Promise.all(closed.map(([sketch]) => start(sketch)))
  const outer = await start({ name: 'v-outer', steps: [{ action: { kind: 'sop', sop: 'v-inner' } }] })
  const parked = await start({ name: 'v-parked', mode: 'supervised', steps: [{ action: ok }] })
  const killed = await start({ name: 'v-killed', mode: 'supervised', steps: [{ action: ok }] })
  await Promise.all(ids.map((runId, i) => ends(runId, closed[i]?.[1] ?? 'completed')))
  await ends(outer, 'completed')
  await Promise.all([parked, killed].map(parks))
  await engine.temporal.workflow.getHandle(killed).terminate('by hand')
  const reopened = ids[1] ?? ''
  await engine.client.retryRun(reopened)
  await until(
    () => engine.client.getRunStatus(reopened),
    (view) => view.status === 'failed' && view.stepResults.some(({ attempt }) => attempt > 2),
  )
  await closes(reopened)
  const { audit, runs } = await verifyAll()
  expect(runs.map(({ runId, findings }) => [runId, findings])).toEqual([])
  expect(audit).toMatchObject({ ok: true, history: { unavailable: 0 } })
  for (const runId of [...ids, outer, parked, killed]) {
    const check = await engine.client.verifyRun(runId)
    expect(check).toMatchObject({ ok: true, history: 'compared', findings: [] })
    expect(check.sealedTo).toBe(check.events)
  }
})

test('what the history tells otherwise is found, though all hashes, heads and lists were made away with', async () => {
  const runId = await start({ name: 'v-changed', mode: 'supervised', steps: [{ action: ok }] })
  await parks(runId)
  await engine.client.approveStep(runId)
  await ends(runId, 'completed')
  expect((await engine.client.verifyRun(runId)).ok).toBe(true)
  const path = record('v-changed', runId)
  const before = readFileSync(path, 'utf8')
  writeFileSync(path, before.replaceAll('"alice"', '"mallory"'))
  const check = await engine.client.verifyRun(runId)
  expect(check.ok).toBe(false)
  const kinds = check.findings.map(({ kind }) => kind)
  expect(kinds).toContain('edited')
  expect(check.findings.find(({ kind }) => kind === 'history_differs')?.message).toMatch(
    /principal was .*alice.*mallory/,
  )
  rmSync(path)
  expect((await engine.client.verifyRun(runId)).findings).toMatchObject([{ kind: 'record_deleted' }])
  writeFileSync(path, before)
  expect((await engine.client.verifyRun(runId)).ok).toBe(true)
})

test('a run is exported with its log, and checked from the file alone', async () => {
  const runId = await start({ name: 'v-exported', steps: [{ action: bash('seq 1 30000') }] })
  await ends(runId, 'completed')
  const path = join(engine.dataDir, 'export.jsonl')
  const lines: string[] = []
  for await (const line of engine.client.exportRun(runId)) lines.push(line)
  writeFileSync(path, lines.join(''))
  const key = (JSON.parse(lines[0] ?? '') as { key: string }).key
  expect(await checkExport(path, [key])).toMatchObject({ ok: true, runId, findings: [] })
  expect(lines.join('')).toContain(Buffer.from('1\n2\n3\n4\n5\n').toString('base64').slice(0, 12))
})

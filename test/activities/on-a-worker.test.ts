import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { wholeRecord } from '../support/whole-record.ts'
import { liveInGroup } from './support/command-rig.ts'

// What the mock environment cannot show: how a real worker hears that a command has to end.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine()
})
afterAll(() => engine.stop())

const begin = async (name: string): Promise<{ readonly runId: string; readonly pgid: number }> => {
  const script = `(trap '' TERM; while :; do sleep 1; done) & echo $$ > ${name}.tmp; mv ${name}.tmp ${name}; sleep 300`
  engine.add(sopOf({ name, steps: [{ action: bash(script) }] }))
  const { runId } = await engine.client.createRun(name)
  const file = join(engine.dataDir, name)
  await until(() => Promise.resolve(existsSync(file)), Boolean)
  return { runId, pgid: Number(readFileSync(file, 'utf8')) }
}
const closed = (runId: string) =>
  until(
    () => engine.client.getRunStatus(runId),
    (run) => ['completed', 'failed', 'cancelled'].includes(run.status),
  )
const groupEnds = (pgid: number) =>
  until(
    () => Promise.resolve(liveInGroup(pgid)),
    (pids) => pids.length === 0,
  )

test('a cancelled run is cancelled only when its processes are gone, and its record is whole', async () => {
  const { runId, pgid } = await begin('cancelled')
  expect(liveInGroup(pgid).length).toBeGreaterThan(1)
  await engine.client.cancelRun(runId, { reason: 'enough' })
  const run = await closed(runId)
  expect(liveInGroup(pgid)).toEqual([])
  expect(run.status).toBe('cancelled')
  const events = await wholeRecord(engine, runId)
  expect(verifyChain(events, sha256Hex, { runId, lastSequence: run.sequence })).toEqual([])
  // The execution closes last: what is read of the run before may be its record already, and not yet its document.
  await expect(engine.temporal.workflow.getHandle(runId).result()).rejects.toThrow()
  expect(existsSync(join(engine.dataDir, 'audit', 'cancelled', `${runId}.json`))).toBe(true)
})

test('a run that Temporal terminated leaves no process behind', async () => {
  const { runId, pgid } = await begin('terminated')
  await engine.temporal.workflow.getHandle(runId).terminate('by hand')
  await groupEnds(pgid)
})

test('a worker that stops ends its commands, and the run does not repeat them', async () => {
  const { runId, pgid } = await begin('shut-down')
  await engine.stopWorker()
  expect(liveInGroup(pgid)).toEqual([])
  await engine.startWorker()
  const run = await until(
    () => engine.client.getRunStatus(runId),
    ({ status }) => status === 'paused',
    50_000,
  )
  expect(run.stepResults[0]).toMatchObject({ status: 'unknown', attempt: 1 })
})

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

// Who starts a run, and goes on by the name of its SOP, as the calls of the systems before this one do.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({
    sops: [
      sopOf({ name: 'gated', steps: [{ title: 'Deploy', requiresApproval: true }] }),
      sopOf({ name: 'stepping', steps: [{ title: 'Build' }] }),
    ],
  })
  // Wide enough to fall into: whoever is told of a run before it is on record asks within this time.
  const { audit } = engine.stores
  const append = audit.append.bind(audit)
  vi.spyOn(audit, 'append').mockImplementation(async (...events) => {
    await delay(300)
    return append(...events)
  })
})
afterAll(() => engine.stop())

test('createRun() answers when the run is found by the name of its SOP and in the lists', async () => {
  const gated = await engine.client.createRun('gated')
  expect((await engine.client.listRuns({ sop: 'gated' })).map(({ runId }) => runId)).toEqual([gated.runId])
  expect(await engine.client.approveStep('gated', 1)).toMatchObject({ accepted: true, runId: gated.runId })

  const stepping = await engine.client.createRun('stepping')
  expect((await engine.client.getRunStatus('stepping')).runId).toBe(stepping.runId)
})

test('createRun() of somebody who does not wait tells of a run that nobody has seen what is known of it', async () => {
  const params = { region: 'eu' }
  const run = await engine.client.createRun('stepping', { wait: false, params, executionMode: 'step_by_step' })
  const seen = { status: 'pending', mode: 'step_by_step', params, startedBy: { id: 'alice' }, via: 'http' }
  expect(run).toMatchObject({ ...seen, trigger: { type: 'manual' }, openGates: [], sequence: 0 })
  expect(run).not.toHaveProperty('stale')
  expect(run.stepResults).toMatchObject([{ number: 1, title: 'Build', status: 'pending' }])
})

test('createRun() with a known key tells how its first run ended, also to somebody who does not wait', async () => {
  const key = { idempotencyKey: 'one' }
  const { runId } = await engine.client.createRun('stepping', key)
  await until(
    () => engine.client.getRunStatus(runId),
    ({ status }) => status === 'completed',
  )
  expect(await engine.client.createRun('stepping', { ...key, wait: false })).toMatchObject({
    runId,
    status: 'completed',
  })
})

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine } from '../support/engine.ts'

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

import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { executionsOf } from '../support/executions.ts'
import { wholeRecord } from '../support/whole-record.ts'

/** Longer than messages of the test are apart, so that there is always one that is not on record. */
const WRITE_MS = 150

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({
    policy: { longHistory: 60 },
    deps: ({ audit }) => ({
      audit: {
        ...audit,
        append: async (...batch: Parameters<typeof audit.append>) => {
          await new Promise((resolve) => setTimeout(resolve, WRITE_MS))
          return audit.append(...batch)
        },
      },
    }),
  })
})
afterAll(() => engine.stop())

test('messages that come quicker than the record is written keep no run from being handed over', {
  timeout: 180_000,
}, async () => {
  engine.add(sopOf({ name: 'flooded', steps: [{ requiresApproval: true, action: bash('true') }] }))
  const { runId } = await engine.client.createRun('flooded')
  const handle = engine.temporal.workflow.getHandle(runId)
  const first = (await handle.describe()).runId
  const sent: string[] = []
  const isHandedOver = async (): Promise<boolean> => (await handle.describe()).runId !== first
  // Two senders at once, neither of which waits for the record.
  const send = async (): Promise<void> => {
    while (sent.length < 1_000 && !(await isHandedOver())) {
      const decisionId = `told-${sent.length}`
      sent.push(decisionId)
      await handle.signal('approve', { gate: 'nowhere', decisionId })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await Promise.all([send(), send()])
  expect(await isHandedOver()).toBe(true)
  expect(await engine.client.approveStep(runId, 1)).toMatchObject({ accepted: true })
  await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.status === 'completed',
    60_000,
  )
  expect((await executionsOf(engine.temporal, runId, first)).length).toBeGreaterThan(1)
  const events = await wholeRecord(engine, runId)
  expect(verifyChain(events, sha256Hex, { runId })).toEqual([])
  expect(events.filter(({ eventType }) => eventType === 'decision_refused')).toHaveLength(sent.length)
})

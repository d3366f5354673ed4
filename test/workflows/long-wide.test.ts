import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { bash, command, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { executionsOf } from '../support/executions.ts'
import { wholeRecord } from '../support/whole-record.ts'

// long-wide.test.ts: runs whose executions follow each other while items, SOPs and gates are open.

let engine: TestEngine
beforeAll(async () => {
  // A history is long after 150 events here, so that a run of seconds has several executions.
  engine = await startTestEngine({ policy: { longHistory: 150 } })
})
afterAll(() => engine.stop())

const seen = (runId: string, is: (run: RunView) => boolean): Promise<RunView> =>
  until(() => engine.client.getRunStatus(runId), is, 90_000)
const executionOf = async (runId: string) => (await engine.temporal.workflow.getHandle(runId).describe()).runId
const childOf = async (runId: string, step: number): Promise<string> => {
  const run = await seen(runId, ({ stepResults }) => stepResults[step - 1]?.child !== undefined)
  return run.stepResults[step - 1]?.child ?? ''
}
const eventsOf = async (runId: string) => {
  const events = await wholeRecord(engine, runId)
  expect(verifyChain(events, sha256Hex)).toEqual([])
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1))
  return events
}

const ITEMS = 100

const byItem = (a: string, b: string): number => Number(/\[(\d+)/.exec(a)?.[1]) - Number(/\[(\d+)/.exec(b)?.[1])

test('runSop() hands over in the midst of a for_each, with an SOP and a gate open, and loses no decision', {
  timeout: 180_000,
}, async () => {
  engine.add(sopOf({ name: 'inner', steps: [{ requiresApproval: true }] }))
  engine.add(
    sopOf({
      name: 'outer',
      steps: [
        {
          needs: [],
          forEach: Array.from({ length: ITEMS }, (_, index) => `host${index + 1}`),
          maxParallel: 4,
          action: bash('echo "on $item"; echo "$item" >> outer-done; echo "number=$SOP_ITEM_NUMBER" >> "$SOP_OUTPUT"'),
        },
        { needs: [], action: { kind: 'sop', sop: 'inner' } },
        { needs: [], requiresApproval: true, approvalTimeoutMs: 3_600_000 },
        { needs: [1, 2, 3] },
      ],
    }),
  )
  const { runId } = await engine.client.createRun('outer')
  const first = await executionOf(runId)
  const child = await childOf(runId, 2)
  const gate = (await seen(runId, ({ openGates }) => openGates.length === 1)).openGates[0]
  const handle = engine.temporal.workflow.getHandle(runId)
  const sent: string[] = []
  for (let done = 0; done < ITEMS; ) {
    const decisionId = `early-${sent.length}`
    sent.push(decisionId)
    // About a gate that is not there: it is refused, and that is on record whichever execution it reached.
    const reply = await handle.executeUpdate('approve', {
      args: [{ gate: 'nowhere', decisionId }],
      updateId: decisionId,
    })
    expect(reply).toMatchObject({ accepted: false })
    done = (await engine.client.getRunStatus(runId)).stepResults[0]?.items?.success ?? 0
  }
  expect((await executionsOf(engine.temporal, runId, first)).length).toBeGreaterThan(2)

  const parked = await engine.client.getRunStatus(runId)
  // The gate is the one that it was, with its deadline, and the SOP goes on by itself.
  expect(parked.openGates).toEqual([gate])
  expect(parked.stepResults[1]).toMatchObject({ status: 'running', child, attempt: 1 })
  expect(await engine.client.approveStep(child)).toMatchObject({ accepted: true })
  expect(await engine.client.approveStep(runId, 3)).toMatchObject({ accepted: true })
  const run = await seen(runId, ({ status }) => status === 'completed')
  expect(run.outputs['number']).toEqual(Array.from({ length: ITEMS }, (_, index) => String(index + 1)))

  const done = (await readFile(join(engine.dataDir, 'outer-done'), 'utf8')).trim().split('\n')
  expect([...done].sort()).toEqual([...new Set(done)].sort())
  expect(done).toHaveLength(ITEMS)
  const events = await eventsOf(runId)
  const refused = events.flatMap((event) =>
    event.eventType === 'decision_refused' ? [event.details.decisionId ?? ''] : [],
  )
  expect(refused).toEqual(sent)
  const begun = events.flatMap(({ eventType, details }) =>
    eventType === 'step_started' && 'item' in details ? [details.item ?? 0] : [],
  )
  expect([...begun].sort((a, b) => a - b)).toEqual(Array.from({ length: ITEMS }, (_, index) => index + 1))
  const logs = (await engine.stores.logs.list(runId)).map(({ executableId, attempt }) => `${executableId}#${attempt}`)
  expect(logs.filter((name) => name.startsWith('step:1['))).toEqual(
    begun.map((item) => `step:1[${item}]#1`).sort(byItem),
  )
})

test('runSop() hears of the end of a child that it told to end before it handed over', {
  timeout: 240_000,
}, async () => {
  // It walks back until it may end, and decisions make the history of the parent long meanwhile.
  engine.add(
    sopOf({
      name: 'stubborn',
      steps: [
        { rollback: [command('until test -e stubborn-may-end; do sleep 0.1; done; echo undone > stubborn-undone')] },
        { action: bash('echo up > stubborn-up; sleep 600') },
      ],
    }),
  )
  engine.add(sopOf({ name: 'leaving', steps: [{ action: { kind: 'sop', sop: 'stubborn' } }] }))
  const { runId } = await engine.client.createRun('leaving')
  const child = await childOf(runId, 1)
  await until(
    () => readFile(join(engine.dataDir, 'stubborn-up'), 'utf8').catch(() => ''),
    (text) => text !== '',
  )
  const first = await executionOf(runId)
  const handle = engine.temporal.workflow.getHandle(runId)
  expect(await engine.client.cancelRun(runId, { reason: 'enough', rollback: true })).toMatchObject({ accepted: true })
  await Promise.all(Array.from({ length: 300 }, (_, at) => handle.signal('pause', { decisionId: `p${at}` })))
  await until(
    () => executionOf(runId),
    (execution) => execution !== first,
    60_000,
  )
  await writeFile(join(engine.dataDir, 'stubborn-may-end'), '')
  const run = await seen(runId, ({ status }) => status === 'cancelled')
  expect(run.reason).toMatch(/^enough; there was nothing to roll back/)
  expect(await readFile(join(engine.dataDir, 'stubborn-undone'), 'utf8')).toBe('undone\n')
  expect(await seen(child, ({ stale }) => stale !== true)).toMatchObject({ status: 'cancelled' })
  await eventsOf(runId)
})

import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { bash, command, type SopSketch, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { wholeRecord } from '../support/whole-record.ts'

// reopen.test.ts: retry of a closed run, from its record to a new execution under the same id.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine()
})
afterAll(() => engine.stop())

const run = async (sketch: SopSketch & { readonly name: string }, params = {}): Promise<string> => {
  engine.add(sopOf(sketch))
  return (await engine.client.createRun(sketch.name, { params })).runId
}
const ends = (runId: string, status: RunView['status']) =>
  until(
    () => engine.client.getRunStatus(runId),
    (view) => view.status === status,
  )
const events = async (runId: string) => (await engine.client.getAuditLog(runId)).events
/** The run document; it is written after the state is told, and before the workflow closes. */
const document = (sop: string, runId: string): Promise<unknown> =>
  until(
    async () => {
      const text = await readFile(join(engine.dataDir, 'audit', sop, `${runId}.json`), 'utf8').catch(() => undefined)
      return text === undefined ? undefined : (JSON.parse(text) as unknown)
    },
    (found) => found !== undefined,
  )
/** Fails until the file `mend` is there. */
const mendable = bash('test -e "$SOP_RUN_DIR/mended" || { touch "$SOP_RUN_DIR/mended"; exit 3; }')
const executionOf = async (runId: string) => (await engine.temporal.workflow.getHandle(runId).describe()).runId

describe('retry of a closed run', () => {
  test('goes on under the same id where it failed, with one record', async () => {
    const runId = await run({
      name: 'mended',
      steps: [{ action: bash('echo "a=1" >> "$SOP_OUTPUT"') }, { action: mendable }],
    })
    const failed = await ends(runId, 'failed')
    const first = await executionOf(runId)
    expect(await document('mended', runId)).toMatchObject({ status: 'failed' })
    const reply = await engine.as({ id: 'carol', role: 'operator' }).retryRun(runId, { comment: 'mended' })
    expect(reply).toMatchObject({ accepted: true, action: 'retried', stepNumber: 2, status: 'running' })
    const view = await ends(runId, 'completed')
    expect(await executionOf(runId)).not.toBe(first)
    expect(view.stepResults.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'success'],
      [2, 'success'],
    ])
    const record = await wholeRecord(engine, runId)
    expect(verifyChain(record, sha256Hex, { runId, lastSequence: view.sequence })).toEqual([])
    expect(record[failed.sequence]).toMatchObject({
      eventType: 'run_retried',
      principal: { id: 'carol' },
      details: { reopens: true, fromStep: 2, comment: 'mended' },
    })
    expect(record.filter(({ eventType }) => eventType === 'run_created')).toHaveLength(1)
    // The document is for readers: it follows the record.
    await until(
      () => document('mended', runId),
      (read) => (read as { status?: string }).status === 'success',
    )
  })

  test('of a run that was a step of another stays a step of it', async () => {
    engine.add(sopOf({ name: 'inner', steps: [{ action: mendable }] }))
    const parent = await run({ name: 'outer', steps: [{ action: { kind: 'sop', sop: 'inner' } }] })
    await ends(parent, 'failed')
    const child = `${parent}-s1-1`
    expect(await engine.client.retryRun(child)).toMatchObject({ accepted: true })
    expect((await ends(child, 'completed')).parent).toEqual({ runId: parent, stepNumber: 1 })
    // Its parent had its answer already.
    expect((await engine.client.getRunStatus(parent)).status).toBe('failed')
  })

  test('does the items of a list that are not done, and none of the others', async () => {
    const runId = await run({
      name: 'hosts',
      steps: [
        {
          forEach: ['a', 'b', 'c', 'd'],
          maxParallel: 1,
          onFailure: { kind: 'fail' },
          action: bash(
            'test "$item" != c || test -e hosts-mended || exit 3; echo "$item" >> hosts-done; echo "host=$item" >> "$SOP_OUTPUT"',
          ),
        },
      ],
    })
    await ends(runId, 'failed')
    await writeFile(join(engine.dataDir, 'hosts-mended'), '')
    expect(await engine.client.retryRun(runId)).toMatchObject({ accepted: true, stepNumber: 1 })
    const view = await ends(runId, 'completed')
    expect(await readFile(join(engine.dataDir, 'hosts-done'), 'utf8')).toBe('a\nb\nc\nd\n')
    expect(view.outputs).toEqual({ host: ['a', 'b', 'c', 'd'] })
    expect(view.stepResults).toMatchObject([{ attempt: 2, items: { total: 4, success: 4 } }])
    const record = await wholeRecord(engine, runId)
    expect(verifyChain(record, sha256Hex, { runId, lastSequence: view.sequence })).toEqual([])
    const begun = record.flatMap(({ eventType, details }) =>
      eventType === 'step_started' && 'item' in details ? [`${details.item}#${details.attempt}`] : [],
    )
    expect(begun).toEqual(['1#1', '2#1', '3#1', '3#2', '4#1'])
  })

  test('is seen open by whoever looks next, with its gate, and may be cancelled and retried again', async () => {
    const runId = await run({ name: 'cancelled', steps: [{}, { requiresApproval: true }] })
    await until(
      () => engine.client.getRunStatus(runId),
      ({ openGates }) => openGates.length > 0,
    )
    for (const attempt of [2, 3]) {
      await engine.client.cancelRun(runId, { reason: 'not now' })
      await ends(runId, 'cancelled')
      expect(await engine.client.retryRun(runId)).toMatchObject({ accepted: true, status: 'awaiting_approval' })
      expect(await engine.client.getRunStatus(runId)).toMatchObject({
        status: 'awaiting_approval',
        openGates: [{ gate: '2-step_2', attempt }],
      })
      const [listed] = await engine.client.listRuns({ sop: 'cancelled' })
      expect(listed).toMatchObject({ runId, status: 'awaiting_approval', openGates: ['2-step_2'] })
    }
    await engine.client.approveStep(runId)
    await ends(runId, 'completed')
  })

  test('by two at once: one opens it, the other is told; and the same decision twice counts once', async () => {
    const runId = await run({ name: 'twice', steps: [{ action: mendable }, { requiresApproval: true }] })
    await ends(runId, 'failed')
    const who = ['alice', 'bob', 'carol']
    const replies = await Promise.all(
      who.map((id) => engine.as({ id }).retryRun(runId, { decisionId: `retry-by-${id}` })),
    )
    expect(replies.filter(({ accepted }) => accepted)).toHaveLength(1)
    const refused = replies.filter(({ accepted }) => !accepted)
    expect(refused.map(({ code }) => code)).toEqual(['conflict', 'conflict'])
    const winner = who[replies.findIndex(({ accepted }) => accepted)] ?? ''
    const again = await engine.as({ id: winner }).retryRun(runId, { decisionId: `retry-by-${winner}` })
    expect(again).toMatchObject({ accepted: true, duplicate: true })
    expect((await events(runId)).filter(({ eventType }) => eventType === 'run_retried')).toHaveLength(1)
  })

  test('asks for values of secret params anew, since they are gone, and keeps them out of the history', async () => {
    const params = [{ name: 'token', type: 'string', secret: true, required: true }] as const
    const action = bash('test "${token%%-*}" = new')
    const runId = await run({ name: 'secretive', params, steps: [{ action }] }, { token: 'old-secret-value' })
    await ends(runId, 'failed')
    await until(
      () => Promise.resolve(existsSync(join(engine.dataDir, 'vault', runId))),
      (isThere) => !isThere,
    )
    expect(await engine.client.retryRun(runId)).toMatchObject({ accepted: false, code: 'invalid' })
    expect(await engine.client.retryRun(runId, { params: { token: 'new-secret-value' } })).toMatchObject({
      accepted: true,
    })
    await ends(runId, 'completed')
    const history = JSON.stringify(await engine.temporal.workflow.getHandle(runId).fetchHistory())
    expect(history).not.toContain(Buffer.from('new-secret-value').toString('base64').slice(0, 12))
    expect(JSON.stringify(await events(runId))).not.toContain('secret-value')
  })

  test('walks back again after a walk back', async () => {
    const steps = [
      { rollback: [command('true')] },
      { action: bash('exit 3'), onFailure: { kind: 'rollback' } },
    ] as const
    const runId = await run({ name: 'walked', steps })
    await ends(runId, 'failed')
    await engine.client.retryRun(runId)
    const view = await until(
      () => engine.client.getRunStatus(runId),
      ({ status, sequence }) => status === 'failed' && sequence > 15,
    )
    expect(view.stepResults[0]).toMatchObject({ status: 'rolled_back', attempt: 2 })
    const undone = (await wholeRecord(engine, runId)).filter(({ eventType }) => eventType === 'step_rolled_back')
    expect(undone.map(({ details }) => details)).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
  })

  test('is refused for a run that completed', async () => {
    const runId = await run({ name: 'done', steps: [{}] })
    await ends(runId, 'completed')
    expect(await engine.client.retryRun(runId)).toMatchObject({
      accepted: false,
      code: 'conflict',
      status: 'completed',
      reason: expect.stringContaining(`run "${runId}" is already completed`) as string,
    })
  })

  test('cannot be forged: a start that this installation did not seal fails, and the record stays', async () => {
    const runId = await run({ name: 'forged', steps: [{ action: bash('exit 3') }] })
    const { sequence } = await ends(runId, 'failed')
    const handle = engine.temporal.workflow.getHandle(runId)
    await until(
      () => handle.describe(),
      ({ status }) => status.name === 'FAILED',
    )
    const { events: history } = await handle.fetchHistory()
    const payload = history?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data
    const { pinned } = JSON.parse(Buffer.from(payload ?? '').toString()) as { pinned: object }
    const forged = { seed: { runId, pinned }, outcome: { state: 'failed' }, steps: [], gates: {}, sequence: 1 }
    const started = await engine.temporal.workflow.start('runSop', {
      workflowId: runId,
      taskQueue: engine.taskQueue,
      args: [{ sop: 'forged', reopen: { run: forged, decision: {}, seal: 'x'.repeat(88) } }],
    })
    await expect(started.result()).rejects.toMatchObject({ cause: { type: 'InvalidStart' } })
    expect(await engine.client.getRunStatus(runId)).toMatchObject({ status: 'failed', sequence })
    expect(await engine.client.retryRun(runId)).toMatchObject({ accepted: true })
  })
})

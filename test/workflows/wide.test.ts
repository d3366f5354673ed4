import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import { SopError } from '../../src/core/errors.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { bash, command, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { wholeRecord } from '../support/whole-record.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine()
})
afterAll(() => engine.stop())

const PATIENCE = { timeout: 120_000 }

/** A child is named by its parent a moment before it is there. */
const look = (runId: string): Promise<RunView | undefined> =>
  engine.client.getRunStatus(runId).catch((error: unknown) => {
    if (error instanceof SopError && error.code === 'not_found') return undefined
    throw error
  })

const seen = async (runId: string, is: (run: RunView) => boolean): Promise<RunView> =>
  (await until(
    () => look(runId),
    (run) => run !== undefined && is(run),
    100_000,
  )) as RunView

/** As its worker or its whole record has it. */
const settled = (runId: string) => seen(runId, (run) => run.stale !== true)
const over = (runId: string) => seen(runId, (run) => ['completed', 'failed', 'cancelled'].includes(run.status))

/** Of a run that is over. */
const eventsOf = async (runId: string) => {
  const events = await wholeRecord(engine, runId)
  expect(verifyChain(events, sha256Hex)).toEqual([])
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1))
  return events
}

describe('branches', PATIENCE, () => {
  test('run beside each other, and the step that needs both waits for both', async () => {
    // Each of the two ends only once the other has begun.
    const meet = (own: string, other: string) =>
      bash(`touch "$SOP_RUN_DIR/${own}"; until test -e "$SOP_RUN_DIR/${other}"; do sleep 0.05; done`)
    engine.add(
      sopOf({
        name: 'meet',
        steps: [
          { needs: [], action: meet('a', 'b') },
          { needs: [], action: meet('b', 'a') },
          { needs: [1, 2], action: bash('test -e "$SOP_RUN_DIR/a" -a -e "$SOP_RUN_DIR/b"') },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('meet')
    expect(await over(runId)).toMatchObject({ status: 'completed' })
    await eventsOf(runId)
  })

  test('with two open gates are answered each by itself', async () => {
    engine.add(
      sopOf({
        name: 'two-gates',
        steps: [
          { title: 'A', needs: [], requiresApproval: true },
          { title: 'B', needs: [], requiresApproval: true },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('two-gates')
    await seen(runId, (run) => run.openGates.length === 2)
    expect(await engine.client.approveStep(runId)).toMatchObject({ accepted: false, code: 'conflict' })
    expect(await engine.client.approveStep(runId, 2)).toMatchObject({ accepted: true, gate: '2-b' })
    await seen(runId, (run) => run.stepResults[1]?.status === 'success' && run.openGates.length === 1)
    expect(await engine.client.approveStep(runId, 1)).toMatchObject({ accepted: true, gate: '1-a' })
    expect(await over(runId)).toMatchObject({ status: 'completed' })
  })

  test('are all ended, processes included, when the run is cancelled', async () => {
    const sleeps = (name: string) => bash(`echo $$ > "$SOP_RUN_DIR/${name}.pid"; sleep 600`)
    engine.add(
      sopOf({
        name: 'ended',
        steps: [
          { needs: [], action: sleeps('a') },
          { needs: [], action: sleeps('b') },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('ended')
    await seen(runId, (run) => run.stepResults.every((step) => step.status === 'running'))
    await engine.client.cancelRun(runId, { reason: 'enough' })
    expect(await over(runId)).toMatchObject({ status: 'cancelled' })
    const events = await eventsOf(runId)
    expect(events.filter((event) => event.eventType === 'step_failed')).toMatchObject([
      { details: { outcome: 'cancelled' } },
      { details: { outcome: 'cancelled' } },
    ])
  })
})

describe('for_each', PATIENCE, () => {
  test('gives each item to its command, and hands on what they set as a list', async () => {
    engine.add(
      sopOf({
        name: 'each',
        steps: [
          { title: 'Find', action: bash('echo \'hosts=["web1","web2","web3"]\' >> "$SOP_OUTPUT"') },
          {
            title: 'Ask',
            forEach: 'hosts',
            maxParallel: 2,
            action: bash('echo "on $item"; echo "version=$SOP_ITEM_NUMBER:$SOP_ITEM" >> "$SOP_OUTPUT"'),
          },
          { title: 'Tell', action: bash('echo "all=$version" >> "$SOP_OUTPUT"') },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('each')
    const run = await over(runId)
    expect(run).toMatchObject({
      status: 'completed',
      outputs: { version: ['1:web1', '2:web2', '3:web3'], all: '["1:web1","2:web2","3:web3"]' },
      stepResults: [{}, { items: { total: 3, success: 3, failed: 0, running: 0 } }, {}],
    })
    await eventsOf(runId)
  })

  test('undoes its finished items one by one, the last one first, each with what it had handed on', async () => {
    engine.add(
      sopOf({
        name: 'each-back',
        steps: [
          {
            forEach: ['web1', 'web2', 'web3'],
            maxParallel: 1,
            action: bash('test "$item" != web3; echo "id=$item-$SOP_ITEM_NUMBER" >> "$SOP_OUTPUT"'),
            rollback: [command('echo "$item $SOP_ITEM_NUMBER $id" | tee -a each-undone')],
            onFailure: { kind: 'rollback' },
          },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('each-back')
    expect(await over(runId)).toMatchObject({
      status: 'failed',
      stepResults: [{ status: 'rolled_back', items: { total: 3, rolled_back: 2, failed: 1 } }],
    })
    expect(await readFile(join(engine.dataDir, 'each-undone'), 'utf8')).toBe('web2 2 web2-2\nweb1 1 web1-1\n')
    const undone = (await eventsOf(runId)).filter(({ eventType }) => eventType === 'step_rolled_back')
    expect(undone.map(({ details }) => details)).toMatchObject([
      { item: 2, output: 'web2 2 web2-2\n' },
      { item: 1, output: 'web1 1 web1-1\n' },
      { items: 2 },
    ])
  })

  test('hundreds of items, with the record whole', async () => {
    const count = 150
    engine.add(
      sopOf({
        name: 'hundreds',
        steps: [
          {
            forEach: Array.from({ length: count }, (_, n) => n),
            maxParallel: 20,
            action: bash('test "$item" -ne 77'),
            onFailure: { kind: 'continue' },
          },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('hundreds')
    const run = await over(runId)
    expect(run).toMatchObject({
      status: 'completed',
      stepResults: [{ items: { total: count, success: count - 1, failed: 1, shown: [{ item: 78, value: '77' }] } }],
    })
    const events = await eventsOf(runId)
    expect(
      events.filter((event) => event.eventType === 'step_started' && event.details.item !== undefined),
    ).toHaveLength(count)
  })
})

describe('an SOP that runs another', PATIENCE, () => {
  test('waits for it as a run of its own, hands params down and outputs up', async () => {
    engine.add(
      sopOf({
        name: 'restore',
        params: [
          { name: 'host', type: 'string', required: true },
          { name: 'count', type: 'number', default: 1 },
        ],
        steps: [{ requiresApproval: true, action: bash('echo "said=$host-$count" >> "$SOP_OUTPUT"') }],
      }),
    )
    engine.add(
      sopOf({
        name: 'drill',
        steps: [
          { action: bash('echo "target=db7" >> "$SOP_OUTPUT"') },
          { title: 'Restore', action: { kind: 'sop', sop: 'restore', with: { host: '$target', count: 3 } } },
          { action: bash('echo "told=$said" >> "$SOP_OUTPUT"') },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('drill')
    const parent = await seen(runId, (run) => run.stepResults[1]?.child !== undefined)
    const child = parent.stepResults[1]?.child ?? ''
    expect(await seen(child, (run) => run.openGates.length === 1)).toMatchObject({
      sopName: 'restore',
      params: { host: 'db7', count: 3 },
      parent: { runId, stepNumber: 2 },
      trigger: { type: 'sop' },
    })
    await engine.client.approveStep(child)
    expect(await over(runId)).toMatchObject({ status: 'completed', outputs: { said: 'db7-3', told: 'db7-3' } })
    // Also as its record tells it.
    expect(await settled(child)).toMatchObject({
      status: 'completed',
      parent: { runId, stepNumber: 2 },
    })
    await eventsOf(child)
  })

  test('fails its step with the reason of the child, and a retry runs it anew', async () => {
    engine.add(
      sopOf({
        name: 'flaky',
        steps: [{ action: bash('test -e "$HOME_MARK"') }],
        params: [{ name: 'home_mark', type: 'string' }],
      }),
    )
    engine.add(
      sopOf({
        name: 'tries',
        steps: [{ title: 'Flaky', action: { kind: 'sop', sop: 'flaky' }, onFailure: { kind: 'pause' } }],
      }),
    )
    const { runId } = await engine.client.createRun('tries')
    const paused = await seen(runId, (run) => run.status === 'paused')
    const first = paused.stepResults[0]?.child ?? ''
    expect(paused.reason).toBe(
      `step 1 "Flaky" failed: SOP "flaky" failed: step 1 "Step 1" failed: The command ended with exit code 1 (run ${first})`,
    )
    await engine.client.retryRun(runId)
    const again = await seen(runId, (run) => run.status === 'paused' && run.stepResults[0]?.attempt === 2)
    expect(again.stepResults[0]?.child).not.toBe(first)
  })

  test('cancels it with itself, and is over only when it is', async () => {
    engine.add(sopOf({ name: 'long', steps: [{ action: bash('sleep 600') }] }))
    engine.add(sopOf({ name: 'around', steps: [{ action: { kind: 'sop', sop: 'long' } }] }))
    const { runId } = await engine.client.createRun('around')
    const child = (await seen(runId, (run) => run.stepResults[0]?.child !== undefined)).stepResults[0]?.child ?? ''
    await seen(child, (run) => run.stepResults[0]?.status === 'running')
    await engine.client.cancelRun(runId, { reason: 'enough' })
    expect(await over(runId)).toMatchObject({ status: 'cancelled' })
    const ended = await settled(child)
    expect(ended).toMatchObject({ status: 'cancelled', reason: `its parent run "${runId}" is ending: enough` })
    const [parentEnd, childEnd] = [await eventsOf(runId), await eventsOf(child)].map(
      (events) => events.at(-1)?.timestamp ?? '',
    )
    expect(childEnd! <= parentEnd!).toBe(true)
  })

  test('ends it when the time of its step is over, and fails the step then', async () => {
    engine.add(sopOf({ name: 'slow', steps: [{ action: bash('echo $$ > slow.pid; sleep 600') }] }))
    engine.add(
      sopOf({
        name: 'hurried',
        steps: [
          { title: 'Slow', action: { kind: 'sop', sop: 'slow' }, timeoutMs: 3_000, onFailure: { kind: 'continue' } },
          { title: 'After', action: bash('! kill -0 "$(cat slow.pid)"') },
        ],
      }),
    )
    const { runId } = await engine.client.createRun('hurried')
    const run = await over(runId)
    const child = run.stepResults[0]?.child ?? ''
    expect(run).toMatchObject({
      status: 'completed',
      stepResults: [
        { status: 'failed', error: `SOP "slow" was ended: it took longer than 3s (run ${child})` },
        { status: 'success' },
      ],
    })
    expect(await settled(child)).toMatchObject({
      status: 'cancelled',
      reason: `step 1 of its parent run "${runId}" is ended: it took longer than 3s`,
    })
    const events = await eventsOf(runId)
    expect(events.map(({ eventType }) => eventType)).toContain('step_timeout')
  })

  test('notices that it was terminated', async () => {
    engine.add(sopOf({ name: 'killed', steps: [{ requiresApproval: true }] }))
    engine.add(sopOf({ name: 'keeper', steps: [{ title: 'Keep', action: { kind: 'sop', sop: 'killed' } }] }))
    const { runId } = await engine.client.createRun('keeper')
    const child = (await seen(runId, (run) => run.stepResults[0]?.child !== undefined)).stepResults[0]?.child ?? ''
    await seen(child, (run) => run.openGates.length === 1)
    await engine.temporal.workflow.getHandle(child).terminate('by hand')
    expect(await over(runId)).toMatchObject({ status: 'failed' })
  })
})

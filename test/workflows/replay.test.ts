import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { SopError } from '../../src/core/errors.ts'
import { fold } from '../../src/core/run/evolve.ts'
import type { RunEvent } from '../../src/core/run/event.ts'
import type { RunSeed } from '../../src/core/run/run.ts'
import { type RunView, viewOf } from '../../src/core/run/view.ts'
import { bash, command, condition, type SopSketch, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

// replay.test.ts: runs of earlier versions, parked or closed, go on under the code of today (guarantee 6). Each fixture
// is a history as Temporal kept it, with the events and the view that it led to. They are wire format: one that no longer
// replays means that parked runs break. New ones are added with UPDATE=1, which never rewrites those that are there.

const FOLDER = join(import.meta.dirname, '../fixtures/history')

interface Fixture {
  readonly history: unknown
  readonly seed: RunSeed
  readonly events: readonly RunEvent[]
  readonly view: RunView
}

const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
const read = (name: string): Fixture => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Fixture

describe('a history of the corpus', () => {
  test.each(names)('%s replays on the code of today', async (name) => {
    const { history, seed } = read(name)
    await Worker.runReplayHistory({ workflowBundle: { codePath: inject('workflowBundlePath') } }, history, seed.runId)
  })

  test.each(names)('%s leads to the view that it led to', (name) => {
    const { seed, events, view } = read(name)
    expect(viewOf(fold(seed, events))).toEqual(view)
  })
})

test('the corpus is not empty', () => expect(names.length).toBeGreaterThanOrEqual(10))

interface Scenario extends SopSketch {
  readonly name: string
  readonly until: (run: RunView) => boolean
  readonly play?: (engine: TestEngine, runId: string) => Promise<unknown>
}

/** A refused run is on record under the id that the refusal names. */
const refusedRunId = (error: unknown): string => {
  if (error instanceof SopError && typeof error.details['runId'] === 'string') return error.details['runId']
  throw error
}

const isOver = (run: RunView): boolean => ['completed', 'failed', 'cancelled'].includes(run.status)
const isParked = (run: RunView): boolean =>
  run.openGates.length > 0 || run.openInputs.length > 0 || run.status === 'paused'

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'auto-two-steps',
    until: isOver,
    steps: [{ action: bash('echo "a=1" >> "$SOP_OUTPUT"') }, { action: bash('echo "$a"') }],
  },
  {
    name: 'supervised-approved',
    mode: 'supervised',
    until: isOver,
    steps: [{}],
    play: (engine, runId) => engine.client.approveStep(runId),
  },
  { name: 'parked-at-start', mode: 'supervised', approvalTimeoutMs: 86_400_000, until: isParked, steps: [{}] },
  { name: 'parked-at-step-gate', until: isParked, steps: [{}, { requiresApproval: true, approvers: ['carol'] }] },
  {
    name: 'parked-at-table-gate',
    until: isParked,
    gates: [{ key: 'post_look', type: 'approval', position: { at: 'end' }, required: true }],
    steps: [{}],
  },
  { name: 'timer-approved', until: isOver, steps: [{ requiresApproval: true, approvalTimeoutMs: 500 }] },
  {
    name: 'rejected-and-parked',
    until: (run) => run.status === 'paused',
    steps: [{ requiresApproval: true }],
    play: (engine, runId) => engine.client.rejectStep(runId, 1, { reason: 'no' }),
  },
  {
    name: 'manual-parked',
    until: isParked,
    steps: [
      {
        action: { kind: 'manual', checklist: ['look'], form: [{ name: 'ticket', type: 'string' }], dueMs: 86_400_000 },
      },
    ],
  },
  {
    name: 'manual-completed',
    until: isOver,
    steps: [{ action: { kind: 'manual', form: [{ name: 'ticket', type: 'string' }] } }, { if: 'ticket == "OPS-1"' }],
    play: (engine, runId) => engine.client.completeStep(runId, 1, { values: { ticket: 'OPS-1' } }),
  },
  { name: 'wait', until: isOver, steps: [{ action: { kind: 'wait', durationMs: 300 } }] },
  { name: 'retry-then-fail', until: isOver, steps: [{ action: bash('exit 3'), retries: 1, retryDelayMs: 200 }] },
  {
    name: 'goto',
    until: isOver,
    steps: [
      { action: bash('echo x >> "$SOP_RUN_DIR/n"') },
      { action: bash('test "$(wc -l < "$SOP_RUN_DIR/n")" -ge 2'), onFailure: { kind: 'goto', step: 1 } },
    ],
  },
  { name: 'verified', until: isOver, steps: [{ verify: [command('true')] }] },
  {
    name: 'verification-gate',
    until: isOver,
    gates: [
      { key: 'post_check', type: 'verification', position: { at: 'end' }, required: true, command: command('true') },
    ],
    steps: [{}],
  },
  { name: 'facts', until: isOver, steps: [{ if: 'weekday || !weekday' }] },
  { name: 'refused', until: isOver, conditions: { requires: [condition('PROD_DOWN')] }, steps: [{}] },
  {
    name: 'cancelled-at-gate',
    until: isOver,
    steps: [{ requiresApproval: true }],
    play: (engine, runId) => engine.client.cancelRun(runId, { reason: 'enough' }),
  },
  { name: 'cooldown-admitted', until: isOver, cooldownMs: 1000, maxConcurrent: 1, steps: [{}] },
]

// Defined only where asked for, so that a usual run has no skipped tests.
if (process.env['UPDATE'] === '1')
  describe('the corpus', () => {
    let engine: TestEngine
    beforeAll(async () => {
      engine = await startTestEngine()
      await mkdir(FOLDER, { recursive: true })
    })
    afterAll(() => engine.stop())

    test.each(SCENARIOS.filter(({ name }) => !names.includes(`${name}.json`)))(
      'gains $name',
      async ({ name, until: is, play, ...sketch }) => {
        engine.add(sopOf({ ...sketch, name }))
        const { runId } = await engine.client
          .createRun(name)
          .catch((error: unknown) => ({ runId: refusedRunId(error) }))
        await play?.(engine, runId)
        await until(() => engine.client.getRunStatus(runId), is)
        const handle = engine.temporal.workflow.getHandle(runId)
        const view = await until(
          () => engine.client.getRunStatus(runId),
          (run) => run.sequence > 0,
        )
        const events = await until(
          async () => (await engine.client.getAuditLog(runId)).events,
          (found) => found.length >= view.sequence,
        )
        const history = JSON.parse(historyToJSON(await handle.fetchHistory())) as {
          events: { workflowExecutionStartedEventAttributes?: { input: { payloads: { data: string }[] } } }[]
        }
        const payload = history.events[0]?.workflowExecutionStartedEventAttributes?.input.payloads[0]?.data ?? ''
        const input = JSON.parse(Buffer.from(payload, 'base64').toString()) as Pick<
          RunSeed,
          'pinned' | 'params' | 'trigger' | 'startedBy' | 'via' | 'rulesVersion'
        >
        const { pinned, params, trigger, startedBy, via, rulesVersion } = input
        const seed: RunSeed = { runId, rulesVersion, pinned, params, trigger, startedBy, via }
        await writeFile(
          join(FOLDER, `${name}.json`), // Stack traces name files of the machine that recorded them.
          `${JSON.stringify({ history, seed, events, view }, null, 1).replaceAll(`${process.cwd()}/`, '')}\n`,
        )
      },
    )
  })

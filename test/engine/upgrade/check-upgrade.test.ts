import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { checkUpgrade, type UpgradeReport } from '../../../src/engine/upgrade/check-upgrade.ts'
import type { Finding, Findings } from '../../../src/engine/upgrade/compare.ts'
import { readRun } from '../../../src/engine/upgrade/open-runs.ts'
import { RUN_WORKFLOW } from '../../../src/workflows/messages.ts'
import { bash, sopOf } from '../../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../../support/engine.ts'
import { buildPlanted, type PlantedBuild } from '../../support/planted-build.ts'
import { replayCorpus } from '../../workflows/corpus/replay.ts'
import { FAULTS } from './faults.ts'

// Open runs of a live cluster, checked against builds of today's code, with and without a fault.

// What others want of the processor meanwhile counts many times where so much is played anew.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const DAY_MS = 86_400_000

let engine: TestEngine
let planted: PlantedBuild
const runs = new Map<string, string>()
beforeAll(async () => {
  planted = await buildPlanted(FAULTS)
  engine = await startTestEngine({
    sops: [
      sopOf({ name: 'plain-gate', steps: [{}, { requiresApproval: true }] }),
      sopOf({ name: 'timed-gate', steps: [{ requiresApproval: true, approvalTimeoutMs: DAY_MS }] }),
      sopOf({ name: 'under-way', steps: [{ action: bash('sleep 3600') }] }),
      sopOf({ name: 'long', steps: [{ requiresApproval: true }] }),
    ],
  })
  for (const name of ['plain-gate', 'timed-gate', 'under-way', 'long']) {
    runs.set(name, (await engine.client.createRun(name)).runId)
  }
})
afterAll(async () => {
  try {
    await engine?.client.cancelRun('under-way', { reason: 'the test is over' })
  } finally {
    await engine?.stop()
    await planted?.remove()
  }
})

const check = (bundlePath: string, progress: number[] = []): Promise<UpgradeReport> =>
  checkUpgrade({
    client: engine.temporal,
    taskQueue: engine.taskQueue,
    bundle: { codePath: bundlePath },
    concurrency: 2,
    readRecord: async (runId) => (await engine.client.getAuditLog(runId)).events,
    onProgress: (done) => progress.push(done),
  })

/** Temporal's list comes a moment later than the runs, and a run that is slow to answer is held against its record. */
const checkAll = (bundlePath: string): Promise<UpgradeReport> =>
  until(
    () => check(bundlePath),
    ({ checked, comparedWith }) => checked === runs.size && comparedWith.run === runs.size,
    120_000,
  )

test('a build that changes nothing can take over runs at gates, in mid-step and with a long history', async () => {
  const handle = engine.temporal.workflow.getHandle(runs.get('long') ?? '')
  await Promise.all(Array.from({ length: 800 }, () => handle.signal('approve', { gate: 'no-such-gate' })))
  await until(
    () => engine.client.getRunStatus('long'),
    ({ sequence }) => sequence > 800,
    200_000,
  )
  expect((await handle.fetchHistory()).events?.length).toBeGreaterThan(800)
  expect(await checkAll(inject('workflowBundlePath'))).toMatchObject({
    checked: 4,
    closed: 0,
    fine: 4,
    broken: [],
    noted: [],
    comparedWith: { run: 4, record: 0, nothing: 0 },
  })
})

test('a build that acts otherwise is refused, with the runs for which it does', async () => {
  let progress: number[] = []
  const report = await until(
    () => check(planted.bundlePath, (progress = [])),
    // Until it answers in time.
    ({ broken }) => broken.some(({ sop, comparedWith }) => sop === 'timed-gate' && comparedWith === 'run'),
    120_000,
  )
  const broken = new Map(report.broken.map((run) => [run.sop, run]))
  expect(report).toMatchObject({ checked: 4, fine: 1 })
  expect([...broken.keys()].sort()).toEqual(['plain-gate', 'timed-gate', 'under-way'])
  expect(broken.get('timed-gate')).toMatchObject({
    runId: runs.get('timed-gate'),
    status: 'awaiting_approval',
    comparedWith: 'run',
    breaks: [
      {
        kind: 'argument',
        message: 'timer 1 would be another',
        differences: [{ path: 'durationMs', was: `${DAY_MS}` }],
      },
    ],
  })
  expect(progress).toEqual([1, 2, 3, 4])
})

test('without a worker the record is compared, and nothing waits for an answer', async () => {
  await engine.stopWorker()
  try {
    expect(
      await until(
        () => check(inject('workflowBundlePath')),
        ({ comparedWith }) => comparedWith.run === 0,
      ),
    ).toMatchObject({
      checked: 4,
      broken: [],
      comparedWith: { run: 0, record: 4 },
    })
  } finally {
    await engine.startWorker()
  }
})

test('a run that closes while the check goes on is passed over', async () => {
  const { runId } = await engine.client.createRun('plain-gate')
  await engine.client.cancelRun(runId, { reason: 'gone' })
  await until(
    () => engine.temporal.workflow.getHandle(runId).describe(),
    ({ status }) => status.name !== 'RUNNING',
  )
  const cluster = { client: engine.temporal, taskQueue: engine.taskQueue }
  expect(await readRun(cluster, { workflowId: runId, type: RUN_WORKFLOW }, true)).not.toHaveProperty('history')
  expect(await readRun(cluster, { workflowId: 'sop_run_never', type: RUN_WORKFLOW }, true)).not.toHaveProperty(
    'history',
  )
})

describe('on histories of the corpus', () => {
  let found: ReadonlyMap<string, Findings>
  beforeAll(async () => {
    found = await replayCorpus(
      planted.bundlePath,
      ['timeout-and-step', 'parked-at-start', 'auto-two-steps', 'refused'].map((name) => `${name}.json`),
    )
  })

  const breaksOf = (name: string): readonly Finding[] => found.get(`${name}.json`)?.breaks ?? []

  test('a changed order of effects is found', () =>
    expect(breaksOf('timeout-and-step')).toContainEqual(
      expect.objectContaining({ kind: 'nondeterminism', message: expect.stringMatching(/TMPRL1100/) as string }),
    ))

  test('a changed length of a timer is found', () =>
    expect(breaksOf('parked-at-start')).toEqual([
      expect.objectContaining({
        kind: 'argument',
        message: 'timer 1 would be another',
        differences: [{ path: 'durationMs', was: '86400000', would: '86401000' }],
      }),
    ]))

  test('a changed argument of a command is found', () =>
    expect(breaksOf('auto-two-steps')[0]).toMatchObject({
      kind: 'argument',
      message: 'activity 1 would be another',
      differences: [{ path: 'arguments[0].title', was: '"Step 1"', would: '"STEP 1"' }],
    }))

  test('a history that the faults do not touch is fine', () => expect(breaksOf('refused')).toEqual([]))
})

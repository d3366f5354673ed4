import { randomUUID } from 'node:crypto'
import { afterEach, expect, inject, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { compareReplay } from '../../src/engine/upgrade/compare.ts'
import { replayAll } from '../../src/engine/upgrade/replay.ts'
import { sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, type TestEngineOptions, until } from '../support/engine.ts'

// Two builds of the worker on one server: which of them carries a run on is Temporal's to decide, by what we tell it.

let engine: TestEngine
let deployment: string
afterEach(() => engine?.stop())

const PATIENCE = { timeout: 240_000 }

type Behavior = Config['workerVersioning']['behavior']
const build = (buildId: string, behavior: Behavior): Config['workerVersioning'] => ({ deployment, buildId, behavior })

/** An engine whose first build is the current one. */
const start = async (behavior: Behavior, options: TestEngineOptions = {}): Promise<void> => {
  deployment = `sop-${randomUUID()}`
  engine = await startTestEngine({ ...options, workerVersioning: build('one', behavior) })
  engine.add(sopOf({ name: 'gated', steps: [{}, { requiresApproval: true }, {}] }))
  await makeCurrent('one')
}

/** What `temporal worker deployment set-current-version` does; a build is known once its worker has polled. */
const makeCurrent = (buildId: string): Promise<unknown> =>
  until(
    async () => {
      try {
        await engine.temporal.workflowService.setWorkerDeploymentCurrentVersion({
          namespace: 'default',
          deploymentName: deployment,
          buildId,
          identity: 'test',
        })
        return true
      } catch {
        return false
      }
    },
    (isSet) => isSet,
    50_000,
  )

/** The build that a run is, or would be, carried on by. */
const buildOf = async (runId: string): Promise<string | null | undefined> => {
  const { raw } = await engine.temporal.workflow.getHandle(runId).describe()
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId
}

const parked = async (): Promise<string> => {
  const { runId } = await engine.client.createRun('gated')
  await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.status === 'awaiting_approval',
  )
  return runId
}

const finish = async (runId: string): Promise<void> => {
  expect(await engine.client.approveStep(runId, 2)).toMatchObject({ accepted: true })
  await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.status === 'completed',
  )
}

/** Like one run, until the build has one: a task queue hears of its current version a moment after it was set. */
const parkedOn = async (buildId: string): Promise<string> => {
  const { runId } = await until(
    async () => {
      const one = await parked()
      return { runId: one, build: await buildOf(one) }
    },
    ({ build: found }) => found === buildId,
    50_000,
  )
  return runId
}

/** A run hears of the current version at its next message. */
const askUntilOn = (buildId: string, runId: string): Promise<unknown> =>
  until(
    async () => {
      await engine.client.approveStep(runId, 2, { attempt: 9 })
      return buildOf(runId)
    },
    (found) => found === buildId,
    50_000,
  )

test(
  'a pinned run goes on with the build that it began with, while new runs go to the current one',
  PATIENCE,
  async () => {
    await start('pinned')
    const old = await parkedOn('one')
    await engine.startBeside(build('two', 'pinned'))
    await makeCurrent('two')
    const young = await parkedOn('two')
    await finish(old)
    await finish(young)
    expect([await buildOf(old), await buildOf(young)]).toEqual(['one', 'two'])

    // Without its build a pinned run waits; no other takes it.
    const history = await engine.temporal.workflow.getHandle(old).fetchHistory()
    const builds = (history.events ?? []).map(
      (event) => event.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId,
    )
    expect(new Set(builds.filter((each) => each != null))).toEqual(new Set(['one']))
  },
)

test(
  'a run that moves hands over to the current build at its next message, and nothing is lost',
  PATIENCE,
  async () => {
    await start('continue_as_new', { policy: { movesToNewBuild: true } })
    const runId = await parked()
    const handle = engine.temporal.workflow.getHandle(runId)
    const { runId: first } = await handle.describe()
    const before = await until(
      () => engine.client.getRunStatus(runId),
      (run) => run.stale !== true,
    )
    await engine.startBeside(build('two', 'continue_as_new'))
    await makeCurrent('two')
    await askUntilOn('two', runId)
    expect((await handle.describe()).runId).not.toBe(first)
    const after = await until(
      () => engine.client.getRunStatus(runId),
      (run) => run.stale !== true,
    )
    expect(after).toEqual({ ...before, sequence: after.sequence })
    // Why it handed over stands in its history, so that a replay does the same.
    const history = await engine.temporal.workflow.getHandle(runId, first).fetchHistory()
    const bundle = { codePath: inject('workflowBundlePath') }
    for await (const replayed of replayAll(bundle, [{ workflowId: runId, history, subject: undefined }])) {
      expect(compareReplay(replayed)).toEqual({ breaks: [], notes: [] })
    }
    await finish(runId)
  },
)

test('a run that upgrades at once is replayed by the current build', PATIENCE, async () => {
  await start('auto_upgrade')
  const runId = await parked()
  await engine.startBeside(build('two', 'auto_upgrade'))
  await makeCurrent('two')
  await askUntilOn('two', runId)
  await finish(runId)
  expect(await buildOf(runId)).toBe('two')
})

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { openInstallationKey } from '../../../src/client/signing.ts'
import { SopError } from '../../../src/core/errors.ts'
import { seedOf } from '../../../src/core/run/seed.ts'
import type { PinnedSop, RunSeed } from '../../../src/core/run/run.ts'
import { sealedSchedule } from '../../../src/core/schedule/sealed-schedule.ts'
import { admissionId, RUN_WORKFLOW, type RunSopInput } from '../../../src/workflows/messages.ts'
import { sopOf } from '../../support/definitions.ts'
import { type TestEngine, until } from '../../support/engine.ts'
import { handOverRun } from '../../support/handed-over.ts'
import type { Case } from './case.ts'
import { type Fixture, FOLDER } from './fixture.ts'

interface Payloads {
  readonly payloads?: readonly { readonly data: string }[]
}
interface RecordedHistory {
  readonly events: readonly {
    readonly workflowExecutionStartedEventAttributes?: { readonly input: Payloads }
    readonly activityTaskCompletedEventAttributes?: { readonly result: Payloads }
  }[]
}

/** Carries a case out and writes its history, with the record and the view that it led to. */
export const recordCase = async (engine: TestEngine, wanted: Case): Promise<void> => {
  const runId = await playCase(engine, wanted)
  const { of } = wanted
  const fixture =
    of === undefined
      ? await runFixture(engine, runId)
      : await admissionFixture(engine, of === 'admission' ? admissionId(engine.taskQueue) : of.admission)
  await mkdir(FOLDER, { recursive: true })
  await writeFile(
    join(FOLDER, `${wanted.name}.json`), // Stack traces name files of the machine that recorded them.
    `${JSON.stringify(fixture, null, 1).replaceAll(`${process.cwd()}/`, '')}\n`,
  )
}

const playCase = async (
  engine: TestEngine,
  { name, until: is, start, startIn, of: _, before, play, ...sketch }: Case,
): Promise<string> => {
  engine.add(sopOf({ ...sketch, name }))
  await before?.(engine)
  const runId =
    startIn !== undefined
      ? await STARTS[startIn](engine, name)
      : (await engine.client.createRun(name, start).catch((error: unknown) => ({ runId: refusedRunId(error) }))).runId
  await play?.(engine, runId)
  await until(() => engine.client.getRunStatus(runId), is)
  return runId
}

const startInTemporal = async ({ temporal, taskQueue }: TestEngine, sop: string): Promise<string> => {
  const { workflowId } = await temporal.workflow.start(RUN_WORKFLOW, {
    taskQueue,
    workflowId: `corpus-${sop}`,
    args: [{ sop }],
  })
  return workflowId
}

const startBySchedule = async ({ temporal, taskQueue, dataDir }: TestEngine, sop: string): Promise<string> => {
  const schedule = { id: `corpus-${sop}`, runPrefix: `sop_run_${sop}`, number: 1 }
  const seal = (await openInstallationKey(dataDir)).seal(sealedSchedule(sop, schedule, undefined))
  const { workflowId } = await temporal.workflow.start(RUN_WORKFLOW, {
    taskQueue,
    workflowId: `${schedule.runPrefix}-2026-03-29T01:30:00Z`,
    args: [{ sop, schedule, seal }],
  })
  return workflowId
}

const startByHandOver = async (engine: TestEngine, sop: string): Promise<string> =>
  (await handOverRun(engine, sop, `sop_run_corpus_${sop}`)).workflowId

const STARTS = { temporal: startInTemporal, schedule: startBySchedule, 'hand-over': startByHandOver } as const

/** A refused run is on record under the id that the refusal names. */
const refusedRunId = (error: unknown): string => {
  if (error instanceof SopError && typeof error.details['runId'] === 'string') return error.details['runId']
  throw error
}

const historyOf = async (engine: TestEngine, workflowId: string): Promise<RecordedHistory> =>
  JSON.parse(historyToJSON(await engine.temporal.workflow.getHandle(workflowId).fetchHistory())) as RecordedHistory

const admissionFixture = async (engine: TestEngine, workflowId: string): Promise<Fixture> => ({
  workflowId,
  history: await historyOf(engine, workflowId),
})

const runFixture = async (engine: TestEngine, runId: string): Promise<Fixture> => {
  const view = await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.sequence > 0 && run.stale !== true,
  )
  const events = await until(
    async () => (await engine.client.getAuditLog(runId)).events,
    (found) => found.length >= view.sequence,
  )
  const history = await historyOf(engine, runId)
  return { history, seed: seedIn(runId, history), events, view }
}

/** The seed as the workflow makes it of its input: of the run that it carries on, or of the definition that it pinned. */
const seedIn = (runId: string, { events }: RecordedHistory): RunSeed => {
  const input = decode(events[0]?.workflowExecutionStartedEventAttributes?.input) as RunSopInput
  if (input.snapshot !== undefined) return input.snapshot.run.seed
  if (input.reopen !== undefined) return input.reopen.run.seed
  const pinned = events
    .map((event) => event.activityTaskCompletedEventAttributes?.result)
    .find((result) => result !== undefined)
  return seedOf(runId, input, input.pinned ?? (decode(pinned) as PinnedSop))
}

const decode = (payloads: Payloads | undefined): unknown =>
  JSON.parse(Buffer.from(payloads?.payloads?.[0]?.data ?? '', 'base64').toString())

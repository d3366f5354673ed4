import type { Client } from '@temporalio/client'
import { type Actor, assertMay } from '../core/access.ts'
import { digestOf } from '../core/canonical.ts'
import { SopError } from '../core/errors.ts'
import type { Decision, DecisionReply } from '../core/run/decision.ts'
import { withInstants } from '../core/run/run-filter.ts'
import { RUN_LIST_DEFAULT, RUN_LIST_MOST } from '../core/run/run-list.ts'
import { sentence } from '../core/run/sentence.ts'
import { notServed, unsupported } from '../core/run/supported.ts'
import type { DeliveryStore } from '../core/trigger/delivery.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import { createWaiting, type ReadWaiting } from './waiting.ts'
import { type ChangeWatch, createChangeWatch } from './change-watch.ts'
import type { Health, RunListFilter, SopClient, SopSummary } from './client.ts'
import { createSop } from './create-sop.ts'
import { findRun, readRun } from './find-run.ts'
import { markChangedSecrets } from './hide-secrets.ts'
import { followLogs } from './follow-log.ts'
import { followChanges, followEvents } from './follow-run.ts'
import { createHealth, type HealthDeps, type ReadHealth } from './health.ts'
import { readMetrics } from './read-metrics.ts'
import { findEntry, type Pin } from './pin.ts'
import { planRun } from './plan-run.ts'
import { readLog } from './read-log.ts'
import type { CheckedRecords } from './records.ts'
import { type DecisionBody, sendDecision } from './send-decision.ts'
import type { InstallationKey } from './signing.ts'
import { pausedNotices, type ScheduleReport } from './scheduled-sops.ts'
import { createSchedules, type SchedulesDeps } from './schedules.ts'
import { listVersions, readVersion } from './sop-versions.ts'
import { startRun } from './start-run.ts'
import type { TriggerDoor } from './trigger-door.ts'
import { createLogRowReader, type LogRowReader } from './log-rows.ts'
import { createRecordedRuns, type RecordedRuns } from './recorded-runs.ts'
import { createRunScreenMethods, type RunScreenDeps } from './run-screen-methods.ts'
import { createQueueMethods } from './queue-methods.ts'
import { createVerifyMethods } from './verify-methods.ts'
import { createTriggerMethods } from './trigger-methods.ts'
import { createTurns } from './turns.ts'

export interface TemporalClientDeps {
  readonly triggers: TriggerDoor
  readonly deliveries: DeliveryStore
  readonly temporal: Client
  readonly taskQueue: string
  readonly catalog: Catalog
  readonly pin: Pin
  readonly key: InstallationKey
  readonly records: CheckedRecords
  readonly sopDir: string
  readonly agentsMayCreate: boolean
  readonly version: string
  /** Checks of the health besides its own. */
  readonly moreChecks?: HealthDeps['moreChecks']
  readonly schedules: Pick<SchedulesDeps, 'store' | 'sopsOf' | 'blackouts'> & { readonly report?: ScheduleReport }
  /** Answers a fact for the dry run. */
  readonly resolveFact: (name: string, timezone: string | undefined) => Promise<unknown>
  readonly temporalUi?: NonNullable<RunScreenDeps['temporalUi']>
}

/** Updates of one run that are under way at once; a server that is not ours takes ten. */
const TURNS_PER_RUN = 8

/** Serves the contract from a Temporal cluster, the catalog and the records; one client for each actor. */
export const createTemporalClient = (
  deps: TemporalClientDeps,
): { as(actor: Actor): SopClient; health(): Promise<Health> } => {
  const health = createHealth(deps)
  const all = {
    ...deps,
    health,
    turns: createTurns(TURNS_PER_RUN),
    watch: createChangeWatch(deps.records.index),
    recordedRuns: createRecordedRuns(deps.records),
    logRows: createLogRowReader(deps.records.logs),
    waiting: createWaiting(deps.records),
  }
  return { as: (actor) => clientOf(all, actor), health }
}

type Deps = TemporalClientDeps & {
  readonly health: ReadHealth
  readonly turns: ReturnType<typeof createTurns>
  readonly watch: ChangeWatch
  readonly waiting: ReadWaiting
  readonly recordedRuns: RecordedRuns
  readonly logRows: LogRowReader
}

/** For whoever follows without end. */
const endless = (): AbortSignal => new AbortController().signal

const clientOf = (deps: Deps, actor: Actor): SopClient => {
  const decide = async (verb: DecisionVerb, ref: string, request: DecisionBody): Promise<DecisionReply> => {
    assertMay(actor, verb, await assigneeFacts(deps, verb, ref, request))
    // A retry is also for a closed run: without an open one a name means its newest.
    const runId = await findRun(deps, ref, verb === 'retryRun')
    const [said, keepSecrets] = await withoutSecrets(deps, runId, request)
    return sendDecision(deps, actor, runId, VERB_KINDS[verb], said, keepSecrets)
  }
  const about = (step: number | undefined, request: DecisionBody = {}): DecisionBody =>
    step === undefined ? request : { ...request, step }
  return {
    ...createSchedules({ ...deps, ...deps.schedules, now: Date.now }, actor),
    listSops: async () => {
      assertMay(actor, 'listSops')
      return (await deps.catalog.list()).map((entry) => withPauses(deps, summaryOf(entry)))
    },
    getSop: async (name) => {
      assertMay(actor, 'getSop')
      const entry = await findEntry(deps.catalog, name)
      return {
        ...withPauses(deps, summaryOf(entry)),
        source: Object.fromEntries(entry.files.map(({ path, text }) => [path, text])),
      }
    },
    listSopVersions: async (name) => {
      assertMay(actor, 'getSop')
      return listVersions(deps, name)
    },
    getSopVersion: async (name, digest) => {
      assertMay(actor, 'getSop')
      return readVersion(deps, name, digest)
    },
    createSop: async (sop) => {
      assertMay(actor, 'createSop', { agentsMayCreate: deps.agentsMayCreate })
      return createSop(deps.sopDir, sop)
    },
    planRun: async (name, request) => {
      assertMay(actor, 'planRun')
      return planRun(deps, name, request)
    },
    createRun: (name, request = {}) => startRun(deps, actor, name, request),
    listRuns: async (filter: RunListFilter = {}) => {
      assertMay(actor, 'listRuns')
      return deps.records.index.list(selectionOf(filter))
    },
    listRunPage: async (filter: RunListFilter = {}) => {
      assertMay(actor, 'listRuns')
      return deps.records.index.page(selectionOf(filter))
    },
    listWaiting: () => deps.waiting(actor),
    getRunStatus: async (ref) => {
      assertMay(actor, 'getRunStatus')
      return readRun(deps, await findRun(deps, ref, true))
    },
    approveStep: (ref, step, request) => decide('approveStep', ref, about(step, request)),
    rejectStep: (ref, step, request) => decide('rejectStep', ref, about(step, request)),
    completeStep: (ref, step, request) => decide('completeStep', ref, about(step, request)),
    skipStep: (ref, step, request) => decide('skipStep', ref, about(step, request)),
    cancelRun: (ref, request = {}) => decide('cancelRun', ref, request),
    pauseRun: (ref, request = {}) => decide('pauseRun', ref, request),
    resumeRun: (ref, request = {}) => decide('resumeRun', ref, request),
    retryRun: (ref, request = {}) => decide('retryRun', ref, request),
    getAuditLog: async (ref, { after = 0, limit } = {}) => {
      assertMay(actor, 'getAuditLog')
      const runId = await findRun(deps, ref, true)
      const all = await deps.records.audit.read(runId, after)
      if (all.length === 0) await readRun(deps, runId)
      const events = limit === undefined ? all : all.slice(0, limit)
      return { runId, events, sentences: events.map(sentence) }
    },
    readLog: async (ref, at) => {
      assertMay(actor, 'readLog')
      return readLog(deps, await findRun(deps, ref, true), at)
    },
    followLog: async function* (ref, { signal = endless(), ...at } = {}) {
      assertMay(actor, 'readLog')
      yield* followLogs(deps, await findRun(deps, ref, true), at, signal)
    },
    followRun: async function* (ref, { after = 0, signal = endless() } = {}) {
      assertMay(actor, 'getAuditLog')
      yield* followEvents(deps, await findRun(deps, ref, true), after, signal)
    },
    followRuns: async function* ({ cursor, signal = endless() } = {}) {
      assertMay(actor, 'listRuns')
      yield* followChanges(deps, cursor, signal)
    },
    health: deps.health,
    getMetrics: async (request) => {
      assertMay(actor, 'getMetrics')
      return readMetrics(deps.records.metrics, request)
    },
    ...createQueueMethods(deps, actor),
    ...createRunScreenMethods(deps, actor),
    ...createVerifyMethods(deps, actor),
    ...createTriggerMethods(deps, actor, {
      approveStep: (ref, step, request) => decide('approveStep', ref, about(step, request)),
      rejectStep: (ref, step, request) => decide('rejectStep', ref, about(step, request)),
    }),
  }
}

const selectionOf = (filter: RunListFilter): RunListFilter =>
  withInstants({ ...filter, limit: Math.min(filter.limit ?? RUN_LIST_DEFAULT, RUN_LIST_MOST) }, Date.now())

const VERB_KINDS = {
  approveStep: 'approve',
  rejectStep: 'reject',
  completeStep: 'complete',
  skipStep: 'skip',
  cancelRun: 'cancel',
  pauseRun: 'pause',
  resumeRun: 'resume',
  retryRun: 'retry',
} as const satisfies Record<string, Decision['kind']>
type DecisionVerb = keyof typeof VERB_KINDS

/** The assignee of a manual step may complete it without being an operator, so it has to be looked up first. */
const assigneeFacts = async (deps: Deps, verb: DecisionVerb, ref: string, { step }: DecisionBody) => {
  if (verb !== 'completeStep') return {}
  try {
    const { openInputs } = await readRun(deps, await findRun(deps, ref))
    const input = openInputs.length === 1 ? openInputs[0] : openInputs.find((each) => each.stepNumber === step)
    return { assignee: input?.assignee }
  } catch (error) {
    if (error instanceof SopError && error.code === 'unavailable') return {}
    throw error
  }
}

const NO_SECRETS = (): Promise<void> => Promise.resolve()

/** Values of secret params that change go to the vault before anything is sent, and a mark goes with the decision. */
const withoutSecrets = async (
  deps: Deps,
  runId: string,
  request: DecisionBody,
): Promise<readonly [request: DecisionBody, keepSecrets: () => Promise<void>]> => {
  if (request.params === undefined) return [request, NO_SECRETS]
  const { digest } = await readRun(deps, runId)
  const pinned = await deps.records.audit.readDefinition(digest)
  if (pinned === undefined) {
    const reason = 'its definition is not on record yet'
    throw new SopError('unavailable', `Cannot retry run "${runId}" with other params: ${reason}`)
  }
  const { params, keep } = markChangedSecrets(deps.records, runId, pinned, request.params)
  return [{ ...request, params }, keep]
}

const withPauses = ({ schedules }: Deps, summary: SopSummary): SopSummary => {
  const paused = pausedNotices(schedules.report, summary.name)
  return paused.length === 0 ? summary : { ...summary, notices: [...summary.notices, ...paused] }
}

/** An SOP as lists show it: compiled or broken, never absent. */
export const summaryOf = (entry: CatalogEntry): SopSummary => {
  const { definition, diagnostics } = entry.compiled
  const errors = diagnostics.filter((each) => each.severity === 'error')
  const blockers = [
    ...errors.map(({ place, message }) => `${place.file}:${place.line}:${place.column}: ${message}`),
    ...(definition ? unsupported(definition) : []),
  ]
  return {
    name: entry.name,
    path: entry.path,
    ...(definition && { definition, digest: digestOf(definition) }),
    diagnostics,
    startable: definition !== undefined && blockers.length === 0,
    blockers,
    notices: definition ? notServed(definition) : [],
  }
}

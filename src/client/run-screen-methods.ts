import type { Client } from '@temporalio/client'
import { type Actor, assertMay } from '../core/access.ts'
import { factNames } from '../core/condition/evaluate.ts'
import { isWantedLog, logNameOf, type LogWish } from '../core/log-name.ts'
import { nextOf } from '../core/next.ts'
import { conditionsOf } from '../core/plan.ts'
import { type Control, controlsOf } from '../core/run/controls.ts'
import { queueControlsOf } from '../core/run/queue-controls.ts'
import type { Run } from '../core/run/run.ts'
import { byUrgency, waitingIn } from '../core/run/waiting.ts'
import { askFacts } from './ask-facts.ts'
import { findRun } from './find-run.ts'
import { followSize } from './follow-log.ts'
import type { LogRowReader } from './log-rows.ts'
import { createEndCheck, noLog } from './read-log.ts'
import type { RecordedRuns } from './recorded-runs.ts'
import type { RecordedLog, Records } from './records.ts'
import { executionOf } from './reopen-run.ts'
import type { RunScreenClient } from './run-screen-client.ts'

export interface RunScreenDeps {
  readonly temporal: Client
  readonly records: Records
  readonly recordedRuns: RecordedRuns
  readonly logRows: LogRowReader
  readonly resolveFact: (name: string, timezone: string | undefined) => Promise<unknown>
  /** Temporal's own page, where there is one. */
  readonly temporalUi?: { readonly url: string; readonly namespace: string }
}

/** What waits in a run, as an answer holds it. */
const WAITING_SHOWN = 50

/** Logs that a list of them holds. */
const LOGS_SHOWN = 1_000

/** What a screen about one run asks for. */
export const createRunScreenMethods = (deps: RunScreenDeps, actor: Actor): RunScreenClient => {
  const recorded = async (ref: string) => deps.recordedRuns.get(await findRun(deps, ref, true))
  const logOf = async (ref: string, wish: LogWish): Promise<RecordedLog> => {
    const runId = await findRun(deps, ref, true)
    const log = (await deps.records.logs.list(runId)).filter((each) => isWantedLog(each, wish)).at(-1)
    if (log === undefined) throw await noLog(deps, runId, wish)
    return log
  }
  return {
    getRunTimeline: async (ref) => {
      assertMay(actor, 'getRunStatus')
      return (await recorded(ref)).timeline()
    },
    getRunNext: async (ref) => {
      assertMay(actor, 'getRunStatus')
      const { run, sequence } = await recorded(ref)
      return { runId: run.seed.runId, sequence, ...nextOf(run, await factsFor(deps, run)) }
    },
    getRunControls: async (ref) => {
      assertMay(actor, 'getRunStatus')
      const { run, sequence } = await recorded(ref)
      const { runId } = run.seed
      const at = new Date().toISOString()
      const controls = controlsOf(run, actor, at)
      const queue = queueControlsOf(run, actor)
      return {
        runId,
        sequence,
        controls: await withRetention(deps.temporal, run, controls),
        waiting: byUrgency(waitingIn(run, actor, at), at).slice(0, WAITING_SHOWN),
        ...(queue.length > 0 && { queue }),
        ...(deps.temporalUi !== undefined && { temporalUrl: urlOf(deps.temporalUi, runId) }),
      }
    },
    listLogs: async (ref, wish = {}) => {
      assertMay(actor, 'readLog')
      const runId = await findRun(deps, ref, true)
      const [all, removal] = await Promise.all([deps.records.logs.list(runId), deps.records.logs.removal(runId)])
      const logs = all.filter((log) => isWantedLog(log, { source: logNameOf(log).source, ...wish })).map(logNameOf)
      return {
        runId,
        logs: logs.slice(0, LOGS_SHOWN),
        total: logs.length,
        ...(removal !== undefined && { removed: { at: removal.removedAt, reason: removal.reason } }),
      }
    },
    readLogRows: async (ref, { from, limit, ...wish }) => {
      assertMay(actor, 'readLog')
      const log = await logOf(ref, wish)
      const at = { ...(from !== undefined && { from }), ...(limit !== undefined && { limit }) }
      return deps.logRows.rows(log, at, createEndCheck(deps, log.runId))
    },
    followLogSize: async function* (ref, wish, { signal = new AbortController().signal } = {}) {
      assertMay(actor, 'readLog')
      yield* followSize(deps, await findRun(deps, ref, true), wish, signal)
    },
    searchLog: async (ref, { text, from, ...wish }) => {
      assertMay(actor, 'readLog')
      return deps.logRows.search(await logOf(ref, wish), { text, ...(from !== undefined && { from }) })
    },
  }
}

/** The facts that conditions ahead would be asked with now. */
const factsFor = (
  { resolveFact }: RunScreenDeps,
  { seed: { pinned }, outcome }: Run,
): ReturnType<typeof askFacts> | { readonly values: Readonly<Record<string, never>> } => {
  if (outcome !== undefined) return { values: {} }
  const { definition, policy } = pinned
  const known = [...policy.facts, ...policy.env.map((each) => `env.${each}`)]
  const names = conditionsOf(definition).flatMap((condition) => factNames(condition, known))
  return askFacts(resolveFact, names, definition.timezone ?? policy.timezone)
}

/** A closed run can only be opened again while Temporal knows it. */
const withRetention = async (temporal: Client, run: Run, controls: readonly Control[]): Promise<readonly Control[]> => {
  const isRetry = ({ verb, allowed }: Control): boolean => verb === 'retry' && allowed
  if (run.outcome === undefined || !controls.some(isRetry)) return controls
  if ((await executionOf(temporal, run.seed.runId)) !== undefined) return controls
  const reason = `Run "${run.seed.runId}" is beyond the retention of Temporal: its record stays, start a new run`
  return controls.map((control) =>
    isRetry(control) ? { ...control, allowed: false, code: 'conflict' as const, reason } : control,
  )
}

const urlOf = ({ url, namespace }: NonNullable<RunScreenDeps['temporalUi']>, runId: string): string =>
  `${url}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(runId)}`

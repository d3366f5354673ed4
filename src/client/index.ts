// index.ts: the package's JavaScript face. `createSopClient` for an engine of your choice; the seeds' function names for
// the engine that the environment names.

import { resolve } from 'node:path'
import { readClientConfig } from '../config/client-config.ts'
import type { ExecutionMode, Json } from '../core/definition.ts'
import { paramsOf } from '../core/param-synonyms.ts'
import type { DecisionReply } from '../core/run/decision.ts'
import type { RunView } from '../core/run/view.ts'
import type {
  AuditLog,
  CancelRequest,
  DecisionRequest,
  RetryRequest,
  RunPlan,
  SopClient,
  SopSummary,
  StartRequest,
} from './client.ts'
import { findEngine } from './find-engine.ts'
import { createHttpClient, type TokenClient } from './http.ts'

export { ERROR_CODES, SopError, type ErrorCode } from '../core/errors.ts'
export type { Diagnostic } from '../core/diagnostic.ts'
export type { ExecutionMode, Json, Priority, SopDefinition, Step, Trigger } from '../core/definition.ts'
export type { DecisionReply } from '../core/run/decision.ts'
export type { EventType, RecordedEvent } from '../core/run/event.ts'
export type { Principal, Role, Surface, TriggerInfo } from '../core/run/principal.ts'
export { RUN_STATES, STEP_STATES, type RunState, type StepState } from '../core/run/state.ts'
export type { GateView, InputView, RunSummary, RunView, StepView } from '../core/run/view.ts'
export type { PauseView, RollbackView } from '../core/run/view-pause.ts'
export type * from './client.ts'
export type * from './queue-client.ts'
export type * from './trigger-client.ts'
export type { Accepted } from '../core/trigger/accepted.ts'
export type { Delivery, DeliveryFilter, DeliveryVerdict } from '../core/trigger/delivery.ts'
export type * from './schedule-client.ts'
export type * from './verify-client.ts'
export type { NewToken, TokenInfo } from './tokens.ts'
export type { TokenClient } from './http.ts'

export interface SopClientOptions {
  /** Default: SOP_URL, else the engine of the data directory, else `http://127.0.0.1:7780`. */
  readonly url?: string
  /** Default: SOP_TOKEN, else the local token of the engine's data directory. */
  readonly token?: string
  /** Where to look for `engine.json` and the local token. Default: SOP_DATA_DIR, else `.sop`. */
  readonly dataDir?: string
  /** How long an answer may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number
  /** The environment to read. Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** A start as people write it: `vars`, `variables` and `payload` mean `params`. */
export interface StartOptions extends StartRequest {
  readonly vars?: Readonly<Record<string, Json>>
  readonly variables?: Readonly<Record<string, Json>>
  readonly payload?: Readonly<Record<string, Json>>
  readonly executionMode?: ExecutionMode
}

/** All of `SopClient`, with the short names besides. */
export interface SopEngine extends SopClient, TokenClient {
  planRun(name: string, options: StartOptions): Promise<RunPlan>
  createRun(name: string, options?: StartOptions): Promise<RunView>
  /** `createRun` by its short name: answers when the first gate is open or the first step has started. */
  execute(name: string, options?: StartOptions): Promise<RunView>
  /** `listSops` by its short name. */
  list(): Promise<readonly SopSummary[]>
  /** `getRunStatus` by its short name: of a run, or of the SOP's only open run, else of its newest. */
  getStatus(nameOrRunId: string): Promise<RunView>
  /** `cancelRun` by its short name. */
  cancel(nameOrRunId: string, options?: CancelRequest): Promise<DecisionReply>
  /** `pauseRun` by its short name. */
  pause(nameOrRunId: string, options?: DecisionRequest): Promise<DecisionReply>
  /** `resumeRun` by its short name. */
  resume(nameOrRunId: string, options?: DecisionRequest): Promise<DecisionReply>
  /** `retryRun` by its short name. */
  retry(nameOrRunId: string, options?: RetryRequest): Promise<DecisionReply>
}

/**
 * A client of the engine that the options, the environment, `sop.config.toml` or `engine.json` name. Nothing is read or
 * sent before the first call; a configuration that cannot be read is `invalid` then.
 */
export function createSopClient(options: SopClientOptions = {}): SopEngine {
  const client = createHttpClient(async () => {
    const config = await readClientConfig(options.environment === undefined ? {} : { env: options.environment })
    const location = findEngine({
      dataDir: options.dataDir === undefined ? config.dataDir : resolve(options.dataDir),
      url: options.url ?? config.url,
      token: options.token ?? config.token,
    })
    return { ...location, surface: 'js', ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }) }
  })
  const start = async (name: string, request: StartOptions = {}) => client.createRun(name, plain(request))
  return {
    ...client,
    planRun: async (name, request: StartOptions) => client.planRun(name, plain(request)),
    createRun: start,
    execute: start,
    list: client.listSops,
    getStatus: client.getRunStatus,
    cancel: client.cancelRun,
    pause: client.pauseRun,
    resume: client.resumeRun,
    retry: client.retryRun,
  }
}

function plain({ params, vars, variables, payload, ...rest }: StartOptions): StartRequest {
  const chosen = paramsOf({ params, vars, variables, payload })
  return chosen === undefined ? rest : { ...rest, params: chosen }
}

// Made anew for each call: the engine may have been started, or moved, since the last one.
const engine = (): SopEngine => createSopClient()

/** Starts a run; see `SopClient.createRun`. */
export const createRun = async (name: string, options?: StartOptions): Promise<RunView> =>
  engine().createRun(name, options)
/** Approves the gate of a step; see `SopClient.approveStep`. */
export const approveStep = async (ref: string, step?: number, request?: DecisionRequest): Promise<DecisionReply> =>
  engine().approveStep(ref, step, request)
/** Rejects the gate of a step; see `SopClient.rejectStep`. */
export const rejectStep = async (ref: string, step?: number, request?: DecisionRequest): Promise<DecisionReply> =>
  engine().rejectStep(ref, step, request)
/** Where a run stands; see `SopClient.getRunStatus`. */
export const getRunStatus = async (ref: string): Promise<RunView> => engine().getRunStatus(ref)
/** The events of a run; see `SopClient.getAuditLog`. */
export const getAuditLog = async (ref: string): Promise<AuditLog> => engine().getAuditLog(ref)
/** Starts a run; see `SopEngine.execute`. */
export const execute = async (name: string, options?: StartOptions): Promise<RunView> => engine().execute(name, options)
/** All SOPs; see `SopClient.listSops`. */
export const list = async (): Promise<readonly SopSummary[]> => engine().list()
/** Where an SOP's run stands; see `SopEngine.getStatus`. */
export const getStatus = async (nameOrRunId: string): Promise<RunView> => engine().getStatus(nameOrRunId)
/** Ends a run; see `SopClient.cancelRun`. */
export const cancel = async (nameOrRunId: string, options?: CancelRequest): Promise<DecisionReply> =>
  engine().cancel(nameOrRunId, options)
/** Pauses a run at its next boundary; see `SopClient.pauseRun`. */
export const pause = async (nameOrRunId: string, options?: DecisionRequest): Promise<DecisionReply> =>
  engine().pause(nameOrRunId, options)
/** Lets a paused run go on; see `SopClient.resumeRun`. */
export const resume = async (nameOrRunId: string, options?: DecisionRequest): Promise<DecisionReply> =>
  engine().resume(nameOrRunId, options)
/** Tries again; see `SopClient.retryRun`. */
export const retry = async (nameOrRunId: string, options?: RetryRequest): Promise<DecisionReply> =>
  engine().retry(nameOrRunId, options)

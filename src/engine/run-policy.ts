import type { Config } from '../config.ts'
import type { RunPolicy } from '../core/run/run.ts'

/** The settings of this installation that a run pins at its start. */
export const runPolicy = (config: Config): RunPolicy => ({
  defaultMode: config.defaultExecutionMode,
  priorityBasedStrict: config.priorityBasedStrict,
  ...(config.approvalTimeoutMs !== undefined && { approvalTimeoutMs: config.approvalTimeoutMs }),
  stepTimeoutMs: config.defaultStepTimeoutMs,
  timezone: config.timezone,
  allowImpliedGate: config.allowImpliedGate,
  agentsMayApprove: config.agentsMayApprove,
  maxStepVisits: config.maxStepVisits,
  ...(config.poolWaitTimeoutMs !== undefined && { poolWaitMs: config.poolWaitTimeoutMs }),
  poolNoticeMs: config.poolNoticeMs,
  ...(config.workerVersioning.buildId !== undefined &&
    config.workerVersioning.behavior === 'continue_as_new' && { movesToNewBuild: true as const }),
  recordLimit: { events: config.storeDownEvents, ageMs: config.storeDownAgeMs },
  facts: Object.keys(config.facts),
  env: config.envInConditions,
  ...(config.maxConcurrentRuns !== undefined && { maxConcurrentRuns: config.maxConcurrentRuns }),
})

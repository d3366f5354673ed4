import type { CommandSpec } from './command.ts'
import { DECISION_COMMANDS } from './commands-decisions.ts'
import { ENGINE_COMMANDS } from './commands-engine.ts'
import { METRICS_COMMANDS } from './commands-metrics.ts'
import { RECORD_COMMANDS } from './commands-records.ts'
import { RUN_COMMANDS } from './commands-runs.ts'
import { SCHEDULE_COMMANDS } from './commands-schedules.ts'
import { SOP_COMMANDS } from './commands-sops.ts'
import { QUEUE_COMMANDS } from './commands-queue.ts'
import { TRIGGER_COMMANDS } from './commands-triggers.ts'

/** Every verb of `sop`, in the order of its help. */
export const COMMANDS: readonly CommandSpec[] = [
  ...SOP_COMMANDS,
  ...RUN_COMMANDS,
  ...RECORD_COMMANDS,
  ...DECISION_COMMANDS,
  ...TRIGGER_COMMANDS,
  ...QUEUE_COMMANDS,
  ...SCHEDULE_COMMANDS,
  ...METRICS_COMMANDS,
  ...ENGINE_COMMANDS,
]

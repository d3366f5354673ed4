import type { LogSummary } from './event.ts'
import type { Run } from './run.ts'
import type { CommandResult } from './task.ts'

// log-summary.ts: what a record says of the log of a command, so that nobody changes the log unseen.

/** What is known of a log. */
type LogFacts = Partial<Pick<CommandResult, 'logBytes' | 'logSha256' | 'logStored'>>

/** The `log` of the event that tells how the command ended; nothing where no digest is known. */
export const logSummary = ({ logBytes = 0, logSha256, logStored }: LogFacts): { readonly log?: LogSummary } =>
  logSha256 === undefined
    ? {}
    : { log: { bytes: logBytes, sha256: logSha256, ...(logStored === true && { stored: logStored }) } }

const CHECKS_AND_UNDOS = 6

/** The same for the command of a check or of a walk back, of which older rules say nothing. */
export const checkLogSummary = (run: Run, facts: LogFacts): { readonly log?: LogSummary } =>
  run.seed.rulesVersion < CHECKS_AND_UNDOS ? {} : logSummary(facts)

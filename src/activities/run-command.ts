import { hostname } from 'node:os'
import { ApplicationFailure, Context } from '@temporalio/activity'
import type { AdoptTask, CommandResult, CommandTask, ProbeAnswer, ProbeTask } from '../core/run/task.ts'
import type { Commands, Execution } from './commands.ts'
import type { ActivityDeps } from './deps.ts'
import { watchExecution } from './watch.ts'

// run-command.ts: the activities that run a command, find one whose worker was lost, and wait for such a one.
//   Nothing happens without a valid warrant, and nothing is begun twice.

type CommandDeps = Pick<ActivityDeps, 'verifyWarrant' | 'hostId' | 'admission' | 'restoredAtMs'>

/** Runs the command of a step, a verification or a gate. What the command does wrong is a result, not an error. */
export const runCommand =
  (deps: CommandDeps, commands: Commands): ((task: CommandTask) => Promise<CommandResult>) =>
  async (task) => {
    const context = Context.current()
    assertSigned(deps, task)
    assertFirst(task, context)
    assertSince(deps, task, context)
    commands.settle(task.runId, task.events, false)
    return watchExecution(deps, context, commands.begin(keyOf(activityOf(context)), task))
  }

/** What this host knows of an execution whose worker was lost. */
export const probeCommand =
  (commands: Commands): ((lost: ProbeTask) => Promise<ProbeAnswer>) =>
  (lost) =>
    commands.probe(keyOf(lost))

/** Waits for a command that this host has, as if its worker had never been lost. */
export const adoptCommand =
  (deps: CommandDeps, commands: Commands): ((adopt: AdoptTask) => Promise<CommandResult>) =>
  async ({ task, lost, end }) => {
    assertSigned(deps, task)
    const execution = adopt(commands, keyOf(lost), task)
    if (end === true) execution.stop.end('cancelled')
    return { ...(await watchExecution(deps, Context.current(), execution)), adopted: hostname() }
  }

const adopt = (commands: Commands, key: string, task: CommandTask): Execution => {
  try {
    return commands.adopt(key, task)
  } catch (error) {
    if (error instanceof RangeError) throw ApplicationFailure.nonRetryable(error.message, 'ResultLost')
    throw error
  }
}

const keyOf = ({ executionId, activityId }: Pick<ProbeTask, 'executionId' | 'activityId'>): string =>
  `${executionId}/${activityId}`

/** Outside of a workflow, as in tests, an activity has no execution. */
const activityOf = ({ info }: Context): Pick<ProbeTask, 'executionId' | 'activityId'> => ({
  executionId: info.workflowExecution?.runId ?? '',
  activityId: info.activityId,
})

const assertSigned = (deps: CommandDeps, task: CommandTask): void => {
  const { digest, executableId, executable, warrant, runId } = task
  if (deps.verifyWarrant({ digest, executableId, executable, warrant })) return
  throw ApplicationFailure.nonRetryable(
    `Cannot run ${executableId} of run "${runId}": its warrant was not signed by this installation. Start the run through the engine`,
    'NotSigned',
  )
}

/** The engine that the backup is of went on after it: what it had called for it has carried out, as far as anybody knows. */
const assertSince = ({ restoredAtMs }: CommandDeps, { executableId }: CommandTask, { info }: Context): void => {
  if (restoredAtMs === undefined || info.scheduledTimestampMs >= restoredAtMs) return
  throw ApplicationFailure.nonRetryable(
    `${executableId} was called for before the backup that this engine came up from, and may have run after it`,
    'Restored',
  )
}

const assertFirst = ({ executableId, runId }: CommandTask, { info: { attempt } }: Context): void => {
  if (attempt === 1) return
  throw ApplicationFailure.nonRetryable(
    `Cannot run ${executableId} of run "${runId}" again: attempt ${attempt - 1} may have run already, and nobody knows how far it came`,
    'NotRepeated',
  )
}

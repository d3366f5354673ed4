import { ApplicationFailure, Context, log } from '@temporalio/activity'
import { formatDuration } from '../core/duration.ts'
import { SopError } from '../core/errors.ts'
import { type CommandResult, type CommandTask, logIdOf } from '../core/run/task.ts'
import { vaultName } from '../core/secret-param.ts'
import type { ActivityDeps } from './deps.ts'
import { stepValues } from './environment.ts'
import { createMask } from './mask.ts'
import { runHttp } from './run-http.ts'
import { type ActionEnd, runShell, type ShellDeps } from './run-shell.ts'
import { openSink, type Sink } from './sink.ts'
import type { SpoolEntry } from './spool.ts'
import type { Stop } from './stop.ts'

// execute.ts: one execution of one executable, from its secrets to its result. Order matters:
//   E1 the events that came along are in the record before the command starts (or the store is down).
//   E2 nothing leaves this function that has not gone through the mask.

export interface Executing {
  readonly deps: ActivityDeps
  readonly shell: ShellDeps
  readonly task: CommandTask
  readonly key: string
  readonly stop: Stop
  readonly startedAt: string
  /** What an earlier worker left of it; empty: it begins now. */
  readonly entries: readonly SpoolEntry[]
  readonly onClaim: (entry: string) => void
  readonly onStart: (pid: number) => void
}

/**
 * What the command does wrong is a result, not an error.
 *
 * @throws ApplicationFailure `WorkerShutdown` where it was interrupted, `ResultLost` where nobody saw how it ended
 */
export const execute = async (executing: Executing): Promise<CommandResult> => {
  const { deps, task, stop, startedAt, entries } = executing
  // The record is written while the step is prepared; E1 waits for it.
  const carried = carry(deps, task)
  const known = entries.at(-1)?.result
  if (known !== undefined) return { ...known, ackedSeq: await carried }
  const end = await perform(executing, carried)
  if (end.wasStopped === true && stop.reason === 'shutdown') throw shutdownFailure(task)
  if (end.isLost === true) throw lostFailure(task)
  return {
    ...outcomeOf(end, stop, task),
    durationMs: Math.max(0, Date.now() - Date.parse(startedAt)),
    ...end.shown,
    ackedSeq: await carried,
  }
}

/** The execution of the run that asks, for the record: another one after a reset. */
export const executionOf = ({ info }: Context): { readonly executionId?: string } =>
  info.workflowExecution === undefined ? {} : { executionId: info.workflowExecution.runId }

/** The highest sequence that the record holds afterwards; a store that is down never keeps a command from running. */
const carry = async ({ audit }: ActivityDeps, { runId, sop, events }: CommandTask): Promise<number> => {
  try {
    return await audit.append({ runId, sop, ...executionOf(Context.current()) }, events)
  } catch (error) {
    log.error('the audit store failed', { runId, error })
    return (events[0]?.sequence ?? 1) - 1
  }
}

const shutdownFailure = ({ executableId }: CommandTask): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`${executableId} was interrupted: its worker was shut down`, 'WorkerShutdown')

const lostFailure = ({ executableId }: CommandTask): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `${executableId} is over, but the process that watched over it was killed, so nobody knows how it ended`,
    'ResultLost',
  )

type Shown = Pick<CommandResult, 'output' | 'outputs' | 'logBytes' | 'logSha256' | 'logStored'>
type ExecutionEnd = ActionEnd & { readonly shown: Shown }

const perform = async (executing: Executing, carried: Promise<number>): Promise<ExecutionEnd> => {
  const { deps, task, entries } = executing
  const known = await secretsOf(deps, task)
  if (known.error !== undefined) {
    // Without the value what it has printed cannot be masked, and nothing else is known of how it went.
    if (entries.length > 0) throw ApplicationFailure.nonRetryable(known.error, 'ResultLost')
    return { error: known.error, outputs: {}, shown: { output: '', outputs: {}, logBytes: 0 } }
  }
  const mask = createMask([...Object.values(known.secrets), ...known.secretParams.values()])
  const last = entries.at(-1)
  const mark = last === undefined ? undefined : (executing.shell.spool.readMark(last.entry) ?? undefined)
  const from = last === undefined ? undefined : (mark?.logBytes ?? last.task.logBytes)
  const sink = await openSink(deps, task, mask, from)
  try {
    const params = Object.fromEntries([...Object.entries(task.params), ...known.secretParams])
    const values = stepValues(task, known.secrets, params)
    await carried
    const end = await act(executing, { values, mask, sink, from: mark?.offset ?? 0 })
    const shown = { ...(await sink.close()), outputs: end.outputs }
    return { ...end, ...(end.error === undefined ? {} : { error: mask.text(end.error) }), shown }
  } finally {
    await sink.close()
  }
}

interface Acting {
  readonly values: Readonly<Record<string, string>>
  readonly mask: ReturnType<typeof createMask>
  readonly sink: Sink
  readonly from: number
}

const act = async (executing: Executing, { values, mask, sink, from }: Acting): Promise<ActionEnd> => {
  const { shell, task, key, stop, startedAt, entries, onClaim, onStart } = executing
  const { executable } = task
  const claim = (entry: string, block: number, logBytes: number): void => {
    const { runId, attempt, stepNumber } = task
    const { kind } = executable
    shell.spool.claim(entry, {
      key,
      runId,
      executableId: logIdOf(task),
      attempt,
      stepNumber,
      kind,
      block,
      logBytes,
      startedAt,
    })
    onClaim(entry)
  }
  const { write, note, settle, markAt } = sink
  const ports = { task, values, mask, stop, write, note, settle, markAt, claim, onStart }
  if (executable.kind === 'shell') {
    return runShell(shell, executable, ports, entries.length === 0 ? undefined : { entries, from })
  }
  claim(shell.spool.make(), 0, 0)
  return runHttp(executable, ports)
}

interface KnownSecrets {
  readonly secrets: Readonly<Record<string, string>>
  readonly secretParams: ReadonlyMap<string, string>
  readonly error?: string
}

/** Values of the secrets that the step declares and of its secret params, or why one of them is missing. */
const secretsOf = async ({ secrets, vault }: ActivityDeps, task: CommandTask): Promise<KnownSecrets> => {
  const found: Record<string, string> = {}
  const secretParams = new Map<string, string>()
  try {
    for (const name of task.executable.secrets ?? []) found[name] = await secrets.get(name)
    for (const name of task.secretParams ?? []) {
      const value = await vault.get(task.runId, vaultName(name, task.params[name]))
      if (value === undefined) {
        return {
          secrets: {},
          secretParams,
          error: `Cannot read secret param "${name}": this worker does not hold its value any more. Retry the run and give it again`,
        }
      }
      secretParams.set(name, value)
    }
    return { secrets: found, secretParams }
  } catch (error) {
    if (!(error instanceof SopError)) throw error
    return { secrets: {}, secretParams, error: error.message }
  }
}

const outcomeOf = (
  end: ActionEnd,
  { reason }: Stop,
  { timeoutMs, title }: CommandTask,
): Pick<CommandResult, 'outcome' | 'exitCode' | 'signal' | 'error'> => {
  const status = {
    ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    ...(end.signal === undefined ? {} : { signal: end.signal }),
  }
  const left = end.left === undefined ? '' : `. ${end.left}`
  if (end.wasStopped === true && reason === 'timed_out') {
    const limit = formatDuration(timeoutMs ?? 0)
    return { ...status, outcome: 'timed_out', error: `"${title}" took longer than ${limit} and was ended${left}` }
  }
  if (end.wasStopped === true && reason === 'cancelled') {
    return { ...status, outcome: 'cancelled', error: `"${title}" was cancelled, and its processes were ended${left}` }
  }
  return end.error === undefined
    ? { ...status, outcome: 'ok' }
    : { ...status, outcome: 'failed', error: `${end.error}${left}` }
}

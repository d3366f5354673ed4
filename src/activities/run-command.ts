import { hostname } from 'node:os'
import { ApplicationFailure, Context, log } from '@temporalio/activity'
import { formatDuration } from '../core/duration.ts'
import { SopError } from '../core/errors.ts'
import { type CommandResult, type CommandTask, OUTPUT_TAIL_BYTES } from '../core/run/task.ts'
import { vaultName } from '../core/secret-param.ts'
import type { ActivityDeps, LogWriter } from './deps.ts'
import { stepValues } from './environment.ts'
import { createMask, type Mask } from './mask.ts'
import { createOutputPipes } from './output-pipe.ts'
import { createTail, type OutputTail } from './output-tail.ts'
import { runHttp } from './run-http.ts'
import { type ActionEnd, runShell, type ShellDeps } from './run-shell.ts'
import { createRunningList } from './running-list.ts'
import { createStepFiles } from './step-files.ts'
import { watchStop, type Stop } from './stop.ts'

// run-command.ts: one execution of one signed executable. Order matters:
//   C1 nothing happens without a valid warrant, and never twice.
//   C2 the events that came along are in the record before the command starts (or the store is down).
//   C3 nothing leaves this function that has not gone through the mask.

/** Runs the command of a step, a verification or a gate. What the command does wrong is a result, not an error. */
export const runCommand = (deps: ActivityDeps): ((task: CommandTask) => Promise<CommandResult>) => {
  const shellDeps: ShellDeps = {
    ...deps,
    pipes: createOutputPipes(deps.scratchDir),
    files: createStepFiles(deps.scratchDir),
    running: createRunningList(deps.scratchDir),
  }
  return async (task) => {
    const context = Context.current()
    assertMayRun(deps, task, context)
    // The record is written while the step is prepared; C2 waits for it.
    const carried = carry(deps, task)
    const startedAt = performance.now()
    const running: { pid?: number; readonly startedAt: string } = { startedAt: new Date().toISOString() }
    const stop = watchStop(context, task.timeoutMs, () => ({ host: hostname(), ...running, pgid: running.pid }))
    try {
      const end = await execute({
        deps,
        shellDeps,
        task,
        stop,
        carried,
        onStart: (pid) => void Object.assign(running, { pid }),
      })
      if (end.wasStopped === true && stop.reason === 'shutdown') throw shutdownFailure(task)
      return {
        ...outcomeOf(end, stop, task),
        durationMs: Math.round(performance.now() - startedAt),
        ...end.shown,
        ackedSeq: await carried,
      }
    } finally {
      stop.dispose()
    }
  }
}

const assertMayRun = (deps: ActivityDeps, task: CommandTask, context: Context): void => {
  const { digest, executableId, executable, warrant } = task
  const what = `${executableId} of run "${task.runId}"`
  if (!deps.verifyWarrant({ digest, executableId, executable, warrant })) {
    throw ApplicationFailure.nonRetryable(
      `Cannot run ${what}: its warrant was not signed by this installation. Start the run through the engine`,
      'NotSigned',
    )
  }
  if (context.info.attempt > 1) {
    throw ApplicationFailure.nonRetryable(
      `Cannot run ${what} again: attempt ${context.info.attempt - 1} may have run already, and nobody knows how far it came`,
      'NotRepeated',
    )
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

interface Execution {
  readonly deps: ActivityDeps
  readonly shellDeps: ShellDeps
  readonly task: CommandTask
  readonly stop: Stop
  /** Settles when the events that came along are in the record. */
  readonly carried: Promise<number>
  readonly onStart: (pid: number) => void
}

type Shown = Pick<CommandResult, 'output' | 'outputs' | 'logBytes' | 'logSha256'>
type ExecutionEnd = ActionEnd & { readonly shown: Shown }

const execute = async ({ deps, shellDeps, task, stop, carried, onStart }: Execution): Promise<ExecutionEnd> => {
  const known = await secretsOf(deps, task)
  if (known.error !== undefined)
    return { error: known.error, outputs: {}, shown: { output: '', outputs: {}, logBytes: 0 } }
  const mask = createMask([...Object.values(known.secrets), ...known.secretParams.values()])
  const sink = await openSink(deps, task, mask)
  try {
    const params = Object.fromEntries([...Object.entries(task.params), ...known.secretParams])
    const values = stepValues(task, known.secrets, params)
    const ports = { task, values, mask, stop, write: sink.write, note: sink.note, onStart }
    const { executable } = task
    await carried
    const end =
      executable.kind === 'shell' ? await runShell(shellDeps, executable, ports) : await runHttp(executable, ports)
    const shown = { ...(await sink.close()), outputs: end.outputs }
    return { ...end, ...(end.error === undefined ? {} : { error: mask.text(end.error) }), shown }
  } finally {
    await sink.close()
  }
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

interface Sink {
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly note: (sentence: string) => Promise<void>
  close(): Promise<Pick<Shown, 'output' | 'logBytes' | 'logSha256'>>
}

/** Masks what comes, and gives it to the log and to the tail. A log that cannot be written never fails a step. */
const openSink = async (deps: ActivityDeps, task: CommandTask, mask: Mask): Promise<Sink> => {
  const { runId, executableId, attempt } = task
  const masker = mask.masker()
  const tail: OutputTail = createTail(OUTPUT_TAIL_BYTES)
  const lost = (error: unknown): undefined =>
    void log.error('the log of a step cannot be written', { runId, executableId, error })
  let writer: LogWriter | undefined = await deps.logs.open({ runId, executableId, attempt }).catch(lost)
  const emit = async (bytes: Uint8Array, inTail: boolean): Promise<void> => {
    if (bytes.length === 0) return
    if (inTail) tail.push(bytes)
    await writer?.write(bytes).catch((error: unknown) => {
      lost(error)
      writer = undefined
    })
  }
  const isHttp = task.executable.kind === 'http'
  let closed: Promise<Pick<Shown, 'output' | 'logBytes' | 'logSha256'>> | undefined
  const finish = async (): Promise<Pick<Shown, 'output' | 'logBytes' | 'logSha256'>> => {
    await emit(masker.end(), true)
    const size = await writer?.close().catch(lost)
    const sum = size?.sha256 === undefined ? {} : { logSha256: size.sha256 }
    return { output: tail.text(), logBytes: size?.bytes ?? 0, ...sum }
  }
  return {
    write: (bytes) => emit(masker.push(bytes), true),
    note: (sentence) => emit(Buffer.from(mask.text(`[sop] ${sentence}\n`)), !isHttp),
    close: () => (closed ??= finish()),
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

import { mkdirSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { Command, Json } from '../core/definition.ts'
import { encodeFileName } from '../core/file-name.ts'
import type { CommandTask, Executable } from '../core/run/task.ts'
import type { ActivityDeps } from './deps.ts'
import { environmentProblem, hostEnvironment, isReservedOutput, stepEnvironment } from './environment.ts'
import { invocationOf } from './interpreters.ts'
import type { Mask } from './mask.ts'
import type { OutputPipes } from './output-pipe.ts'
import { LINGER_MS, type ProcessEnd, runProcess } from './run-process.ts'
import type { RunningList } from './running-list.ts'
import type { StepFiles } from './step-files.ts'
import { outputTooLarge, parseStepOutput } from './step-output.ts'
import type { Stop } from './stop.ts'

/** What an action of any kind needs of the command that it is a part of. */
export interface ActionPorts {
  readonly task: CommandTask
  readonly values: Readonly<Record<string, string>>
  readonly mask: Mask
  readonly stop: Stop
  /** Takes output for the log and for the tail. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Writes a line of the engine's own to the log. */
  readonly note: (sentence: string) => Promise<void>
  readonly onStart: (pid: number) => void
}

/** What came of an action. `error` is absent when all went well. */
export interface ActionEnd {
  readonly exitCode?: number
  readonly signal?: string
  readonly error?: string
  /** It ended because of the stop, not by itself. */
  readonly wasStopped?: boolean
  /** A sentence about processes that could not be ended. */
  readonly left?: string
  readonly outputs: Readonly<Record<string, Json>>
}

export type ShellDeps = Pick<
  ActivityDeps,
  'environment' | 'envPassthrough' | 'workdir' | 'scratchDir' | 'killGraceMs'
> & {
  readonly pipes: OutputPipes
  readonly files: StepFiles
  readonly running: RunningList
}

type ShellExecutable = Extract<Executable, { kind: 'shell' }>

/** Scratch folder of a run (`SOP_RUN_DIR`). */
export const runDirOf = (scratchDir: string, runId: string): string => join(scratchDir, encodeFileName(runId))

/** Runs the command blocks of a step in order, each in a program of its own, until one fails. */
export const runShell = async (
  deps: ShellDeps,
  executable: ShellExecutable,
  ports: ActionPorts,
): Promise<ActionEnd> => {
  try {
    return await runBlocks(deps, executable, ports)
  } catch (error) {
    // A full disk or a missing right is the step's failure, told in a sentence; it says nothing about the engine.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return { error: `Cannot prepare the step on this worker: ${(error as Error).message}`, outputs: {} }
  }
}

const runBlocks = async (deps: ShellDeps, executable: ShellExecutable, ports: ActionPorts): Promise<ActionEnd> => {
  const cwd = resolve(deps.workdir, executable.cwd ?? '.')
  const missing = folderProblem(cwd, executable.cwd, deps.workdir)
  if (missing !== undefined) return { error: missing, outputs: {} }
  const runDir = runDirOf(deps.scratchDir, ports.task.runId)
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const step: ShellStep = { deps, executable, ports, cwd, runDir }
  let outputs: Readonly<Record<string, Json>> = {}
  for (const [index, command] of executable.commands.entries()) {
    if (ports.stop.signal.aborted) return { wasStopped: true, outputs }
    const end = await runBlock(step, command, index)
    outputs = { ...outputs, ...end.outputs }
    if (end.error !== undefined || end.wasStopped === true) return { ...end, outputs }
  }
  return { exitCode: 0, outputs }
}

interface ShellStep {
  readonly deps: ShellDeps
  readonly executable: ShellExecutable
  readonly ports: ActionPorts
  readonly cwd: string
  readonly runDir: string
}

const runBlock = async (step: ShellStep, command: Command, index: number): Promise<ActionEnd> => {
  const { deps, executable, ports, cwd, runDir } = step
  const outputFile = await deps.files.newOutput()
  const host = hostEnvironment(deps.environment, deps.envPassthrough)
  const env = stepEnvironment(host, ports.values, { runDir, outputFile })
  const found = invocationOf(command.interpreter, executable.shell, env.PATH ?? '')
  const problem = found.ok ? environmentProblem(env) : found.error
  if (!found.ok || problem !== undefined) {
    deps.files.takeOutput(outputFile)
    return { error: problem as string, outputs: {} }
  }
  const { program, args, feed, extension } = found.invocation
  const mark = `SOP_OUTPUT=${outputFile}`
  let pgid: number | undefined
  const script = deps.files.script(`step-${ports.task.stepNumber}-${index + 1}`, extension, scriptText(command.script))
  try {
    const end = await runProcess(
      {
        program,
        args: feed === 'file' ? [...args, script] : args,
        ...(feed === 'stdin' ? { stdinFile: script } : {}),
        cwd,
        env,
        mark,
      },
      {
        pipes: deps.pipes,
        killGraceMs: deps.killGraceMs,
        stop: ports.stop.signal,
        onOutput: ports.write,
        onStart: (pid) => {
          pgid = pid
          deps.running.add({ pgid, mark })
          ports.onStart(pid)
        },
      },
    )
    await explain(end, ports)
    return {
      ...(await collect(deps.files.takeOutput(outputFile), ports)),
      ...endOf(end, index, executable.commands.length),
    }
  } catch (error) {
    deps.files.takeOutput(outputFile)
    return { error: startProblem(program, error), outputs: {} }
  } finally {
    if (pgid !== undefined) deps.running.remove(pgid)
  }
}

/** A script that was written on Windows would fail at every line end. */
const scriptText = (script: string): string => {
  const text = script.replaceAll('\r\n', '\n')
  return text.endsWith('\n') ? text : `${text}\n`
}

const folderProblem = (cwd: string, asked: string | undefined, workdir: string): string | undefined => {
  const found = statSync(cwd, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return undefined
  const relative = asked === undefined || isAbsolute(asked) ? '' : ` (cwd "${asked}" below "${workdir}")`
  return `Cannot start in folder "${cwd}": ${found === undefined ? 'it does not exist' : 'it is not a folder'}${relative}. Create it in an earlier step, or correct "cwd"`
}

const startProblem = (program: string, error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  const reason =
    code === 'E2BIG'
      ? 'params, outputs and secrets together are larger than the system takes. Hand large values on as files in $SOP_RUN_DIR'
      : (error as Error).message
  return `Cannot start "${program}": ${reason}`
}

const endOf = (
  { exitCode, signal, wasStopped, survivors }: ProcessEnd,
  index: number,
  count: number,
): Omit<ActionEnd, 'outputs'> => {
  const which = count === 1 ? 'The command' : `Command ${index + 1} of ${count}`
  const how = signal === undefined ? `ended with exit code ${exitCode}` : `was ended by signal ${signal}`
  const left = survivors.length === 0 ? undefined : `Processes ${survivors.join(', ')} could not be ended`
  const isOk = exitCode === 0 && left === undefined && !wasStopped
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    wasStopped,
    ...(left === undefined ? {} : { left }),
    ...(isOk ? {} : { error: `${which} ${how}` }),
  }
}

const explain = async ({ leftBehind, holdsOutput }: ProcessEnd, { note }: ActionPorts): Promise<void> => {
  if (leftBehind) {
    await note(
      `The command had ended, but processes that it began in the background were still running after ${LINGER_MS / 1000} s and were ended. A daemon that is to stay needs "setsid"`,
    )
  }
  if (holdsOutput) await note('A process outside of the step still holds its output; what it writes is not recorded')
}

/** An error here goes before a good end of the program, since it stands after it in the spread of `runBlock`. */
const collect = async (
  bytes: Uint8Array | number,
  ports: ActionPorts,
): Promise<Pick<ActionEnd, 'outputs' | 'error'>> => {
  if (typeof bytes === 'number') return { outputs: {}, error: outputTooLarge(bytes) }
  // Masked before it is parsed, so that no secret can hide in a name or across lines.
  const text = Buffer.from(ports.mask.bytes(bytes)).toString('utf8')
  const { values, problems, error } = parseStepOutput(text, isReservedOutput)
  for (const problem of problems) await ports.note(problem)
  return error === undefined ? { outputs: values } : { outputs: values, error }
}

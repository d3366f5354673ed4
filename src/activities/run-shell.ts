import { mkdirSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { Command, Json } from '../core/definition.ts'
import { encodeFileName } from '../core/file-name.ts'
import type { CommandTask, Executable } from '../core/run/task.ts'
import type { ActivityDeps } from './deps.ts'
import { environmentProblem, hostEnvironment, isReservedOutput, stepEnvironment } from './environment.ts'
import { invocationOf } from './interpreters.ts'
import type { Mask } from './mask.ts'
import type { Keeper, Start } from './keeper.ts'
import { KeeperDied } from './keeper-watch.ts'
import { LINGER_MS, type ProcessEnd, type ProcessSpec, runProcess } from './run-process.ts'
import type { ReadMark, Spool, SpoolEntry } from './spool.ts'
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
  /** Called once the output so far is in the log; with the bytes that the log has then. */
  readonly settle: () => Promise<number>
  readonly markAt: (offset: number) => ReadMark | undefined
  /** Says in the spool what the entry is for. */
  readonly claim: (entry: string, block: number, logBytes: number) => void
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
  /** Nobody saw how the command ended. */
  readonly isLost?: boolean
  readonly outputs: Readonly<Record<string, Json>>
}

export type ShellDeps = Pick<
  ActivityDeps,
  'environment' | 'envPassthrough' | 'workdir' | 'scratchDir' | 'killGraceMs'
> & {
  readonly keeper: Keeper
  readonly spool: Spool
  readonly files: StepFiles
}

type ShellExecutable = Extract<Executable, { kind: 'shell' }>

/** Scratch folder of a run (`SOP_RUN_DIR`). */
export const runDirOf = (scratchDir: string, runId: string): string => join(scratchDir, encodeFileName(runId))

/** What an earlier worker left of a step: its blocks so far, the last of which may still run. */
export interface Resumed {
  readonly entries: readonly SpoolEntry[]
  /** How much of the last block's output was taken. */
  readonly from: number
}

/**
 * Runs the command blocks of a step in order, each in a program of its own, until one fails. One that an earlier worker
 * began goes on where it is.
 */
export const runShell = async (
  deps: ShellDeps,
  executable: ShellExecutable,
  ports: ActionPorts,
  resumed?: Resumed,
): Promise<ActionEnd> => {
  try {
    return await runBlocks(deps, executable, ports, resumed)
  } catch (error) {
    // A full disk or a missing right is the step's failure, told in a sentence; it says nothing about the engine.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return { error: `Cannot prepare the step on this worker: ${(error as Error).message}`, outputs: {} }
  }
}

const runBlocks = async (
  deps: ShellDeps,
  executable: ShellExecutable,
  ports: ActionPorts,
  resumed?: Resumed,
): Promise<ActionEnd> => {
  const cwd = resolve(deps.workdir, executable.cwd ?? '.')
  const missing = resumed === undefined ? folderProblem(cwd, executable.cwd, deps.workdir) : undefined
  if (missing !== undefined) return { error: missing, outputs: {} }
  const runDir = runDirOf(deps.scratchDir, ports.task.runId)
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const step: ShellStep = { deps, executable, ports, cwd, runDir }
  const before = resumed?.entries ?? []
  let outputs: Readonly<Record<string, Json>> = {}
  for (const [index, command] of executable.commands.entries()) {
    const known = before.find(({ task }) => task.block === index)
    if (known !== undefined && known !== before.at(-1)) {
      outputs = { ...outputs, ...(await collect(deps.spool.vars(known.entry), ports, () => {})).outputs }
      continue
    }
    if (known === undefined && ports.stop.signal.aborted) return { wasStopped: true, outputs }
    const end = await (known === undefined
      ? runBlock(step, command, index)
      : finishBlock(step, index, { kind: 'attach', entry: known.entry, from: resumed?.from ?? 0 }))
    outputs = { ...outputs, ...end.outputs }
    if (end.error !== undefined || end.wasStopped === true || end.isLost === true) return { ...end, outputs }
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

/** Times that a command whose keeper died before it began is begun. */
const MAX_BEGINNINGS = 3

const runBlock = async (step: ShellStep, command: Command, index: number): Promise<ActionEnd> => {
  const logBytes = await step.ports.settle()
  for (let turn = 1; ; turn++) {
    const entry = await step.deps.keeper.take()
    const start = startOf(step, command, index, entry)
    if (typeof start === 'string') {
      step.deps.keeper.remove(entry)
      return { error: start, outputs: {} }
    }
    step.ports.claim(entry, index, logBytes)
    try {
      return await finishBlock(step, index, { kind: 'start', entry, start })
    } catch (error) {
      if (!(error instanceof KeeperDied) || turn === MAX_BEGINNINGS) {
        return { error: startProblem(start.program, error), outputs: {} }
      }
      step.deps.keeper.remove(entry)
    }
  }
}

/** How the block is started, or why it cannot be. */
const startOf = (
  { deps, executable, ports, cwd, runDir }: ShellStep,
  command: Command,
  index: number,
  entry: string,
): Start | string => {
  const host = hostEnvironment(deps.environment, deps.envPassthrough)
  const env = stepEnvironment(host, ports.values, { runDir, outputFile: deps.spool.path(entry, 'vars') })
  const found = invocationOf(command.interpreter, executable.shell, env.PATH ?? '')
  if (!found.ok) return found.error
  const problem = environmentProblem(env)
  if (problem !== undefined) return problem
  const { program, args, feed, extension } = found.invocation
  const script = deps.files.script(`step-${ports.task.stepNumber}-${index + 1}`, extension, scriptText(command.script))
  return {
    program,
    args: feed === 'file' ? [...args, script] : args,
    ...(feed === 'stdin' ? { stdin: script } : {}),
    cwd,
    env,
  }
}

const finishBlock = async (
  { deps, executable, ports }: ShellStep,
  index: number,
  spec: ProcessSpec,
): Promise<ActionEnd> => {
  const { keeper, spool, killGraceMs } = deps
  const { stop, write, markAt, onStart, note } = ports
  const end = await runProcess(spec, {
    keeper,
    spool,
    killGraceMs,
    stop: stop.signal,
    onOutput: write,
    markAt,
    onStart,
  })
  await explain(end, ports)
  return {
    ...(await collect(spool.vars(spec.entry), ports, note)),
    ...endOf(end, index, executable.commands.length),
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
  { exitCode, signal, isLost, wasStopped, survivors }: ProcessEnd,
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
    ...(isLost && !wasStopped ? { isLost } : {}),
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
  note: (sentence: string) => Promise<void> | void,
): Promise<Pick<ActionEnd, 'outputs' | 'error'>> => {
  if (typeof bytes === 'number') return { outputs: {}, error: outputTooLarge(bytes) }
  // Masked before it is parsed, so that no secret can hide in a name or across lines.
  const text = Buffer.from(ports.mask.bytes(bytes)).toString('utf8')
  const { values, problems, error } = parseStepOutput(text, isReservedOutput)
  for (const problem of problems) await note(problem)
  return error === undefined ? { outputs: values } : { outputs: values, error }
}

import { log } from '@temporalio/activity'
import type { RunEvent } from '../core/run/event.ts'
import { type CommandResult, type CommandTask, logIdOf, type ProbeAnswer } from '../core/run/task.ts'
import type { ActivityDeps } from './deps.ts'
import { execute } from './execute.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import { endFamily, isFamilyAlive, pgidOf } from './processes.ts'
import { markOf } from './run-process.ts'
import type { ShellDeps } from './run-shell.ts'
import { openSpool, type Spool, type SpoolEntry, type SpoolTask } from './spool.ts'
import { createStepFiles } from './step-files.ts'
import { createStop, type Stop } from './stop.ts'

// commands.ts: the commands that this host has of the runs: those that run here and those that an earlier worker left.
//   C1 a command of one execution begins at most once: its entry of the spool is made once and forbids a second beginning.
//   C2 what came of it is kept until the run is known to have it.
//   C3 one that nobody watches lives on as long as its run waits for it, and no longer.

/** One execution of one executable on this host. */
export interface Execution {
  readonly key: string
  readonly task: CommandTask
  readonly startedAt: string
  readonly stop: Stop
  readonly result: Promise<CommandResult>
  /** Pid of the program that runs now. */
  pid: number | undefined
  /** Activities that wait for it. */
  watchers: number
  isOver: boolean
}

export interface Commands {
  /** Gets ready, so that the first command does not wait. */
  warm(): void
  /** Begins a command. */
  begin(key: string, task: CommandTask): Execution
  /** Finds a command that runs or ran here, whoever began it. @throws RangeError where there is none to adopt */
  adopt(key: string, task: CommandTask): Execution
  /** What this host knows of the execution. After `never` it does not begin here any more. */
  probe(key: string): Promise<ProbeAnswer>
  /** The run has what these events tell, so nobody asks for it again. */
  settle(runId: string, events: readonly RunEvent[], isClosed: boolean): void
  /** Looks after commands that nobody watches and results that nobody took. */
  sweep(): Promise<void>
  /** Ends what still runs without a watcher, and the process that starts commands. */
  close(): Promise<void>
}

/** A result that the run did not confirm is asked for after this time. */
const UNCONFIRMED_MS = 60_000
/** A command that nobody watches is asked for after this time: its workflow needs some to look for it. */
const UNWATCHED_MS = 5_000
/** What no run is known for goes after this time. */
const LEFTOVER_MS = 7 * 86_400_000

/** A command that is over or that nobody watches, with its entries. */
interface Kept {
  readonly task: Pick<SpoolTask, 'key' | 'runId' | 'executableId' | 'attempt' | 'stepNumber'>
  readonly entries: readonly string[]
  readonly since: number
}

/** The commands of the worker that has this scratch folder. */
export const createCommands = (deps: ActivityDeps): Commands => {
  let opened: { readonly spool: Spool; readonly keeper: Keeper; readonly shell: ShellDeps } | undefined
  const open = () => {
    if (opened !== undefined) return opened
    const spool = openSpool(deps.scratchDir)
    const keeper = createKeeper(spool, deps.environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
    const shell = { ...deps, keeper, spool, files: createStepFiles(deps.scratchDir) }
    for (const { task, entry } of spool.list()) {
      left.set(task.key, { task, entries: [...(left.get(task.key)?.entries ?? []), entry], since: Date.now() })
    }
    opened = { spool, keeper, shell }
    return opened
  }
  const executions = new Map<string, Execution>()
  /** Over, and not confirmed. */
  const kept = new Map<string, Kept>()
  /** Found here, and not adopted: an earlier worker began them. */
  const left = new Map<string, Kept>()

  const remove = ({ task: { key }, entries }: Kept): void => {
    for (const entry of entries) open().keeper.remove(entry)
    kept.delete(key)
    left.delete(key)
    executions.delete(key)
  }

  const run = (key: string, task: CommandTask, entries: readonly SpoolEntry[]): Execution => {
    const { spool, shell } = open()
    const startedAt = entries[0]?.task.startedAt ?? new Date().toISOString()
    const stop = createStop(task.timeoutMs === null ? undefined : Date.parse(startedAt) + task.timeoutMs)
    const claimed = entries.map(({ entry }) => entry)
    const note = (): void => {
      const current = claimed.at(-1)
      if (current !== undefined && stop.reason !== undefined) spool.note(current, `stopping ${stop.reason}`)
    }
    const wished = entries.at(-1)?.stopping
    if (wished !== undefined) stop.end(wished)
    stop.signal.addEventListener('abort', note)
    const done = async (): Promise<CommandResult> => {
      try {
        await endOthers(key, task)
        const result = await execute({
          deps,
          shell,
          task,
          key,
          stop,
          startedAt,
          entries,
          onClaim: (entry) => {
            claimed.push(entry)
            note()
          },
          onStart: (pid) => {
            execution.pid = pid
          },
        })
        const last = claimed.at(-1)
        if (last !== undefined) spool.note(last, `result ${JSON.stringify(result)}`)
        return result
      } finally {
        stop.dispose()
        execution.isOver = true
        kept.set(key, { task: { ...task, key }, entries: claimed, since: Date.now() })
      }
    }
    const execution: Execution = {
      key,
      task,
      startedAt,
      stop,
      // Begun in the next turn, when `execution` is there.
      result: Promise.resolve().then(done),
      pid: undefined,
      watchers: 0,
      isOver: false,
    }
    execution.result.catch(() => {})
    executions.set(key, execution)
    return execution
  }

  /** What still runs here of an earlier execution of the same executable, and its run does not want any more. */
  const endOthers = async (key: string, begun: CommandTask): Promise<void> => {
    const [runId, executableId] = [begun.runId, logIdOf(begun)]
    const isOther = (task: Kept['task']): boolean =>
      task.key !== key && task.runId === runId && task.executableId === executableId
    for (const other of [...left.values()]) {
      if (isOther(other.task) && (await isWanted(other.task)) === false) await endLeft(other)
    }
    for (const other of [...executions.values()]) {
      const task = { ...other.task, executableId: logIdOf(other.task), key: other.key }
      if (other.isOver || other.watchers > 0 || !isOther(task) || (await isWanted(task)) !== false) continue
      other.stop.end('cancelled')
      await other.result.catch(() => {})
    }
  }

  /** Ends what an earlier worker left running, and says so in the log of its step. */
  const endLeft = async (found: Kept): Promise<void> => {
    const { spool } = open()
    const last = spool.find(found.task.key).at(-1)
    if (last !== undefined && !spool.forbid(last.entry) && last.ended === undefined) {
      const mark = markOf(spool, last.entry)
      const pgid = last.began ?? pgidOf(mark)
      if (pgid !== undefined && (await isFamilyAlive({ pgid, mark }))) {
        spool.note(last.entry, 'stopping cancelled')
        await endFamily({ pgid, mark }, deps.killGraceMs)
        await tell(deps, last.task, ENDED)
        deps.onOrphan?.({ runId: last.task.runId, executableId: last.task.executableId, processGroup: pgid })
      }
    }
    remove(found)
  }

  const isWanted = async (task: Kept['task']): Promise<boolean | undefined> => {
    try {
      if (deps.isWanted !== undefined) return await deps.isWanted(task)
      return (await deps.admission.findGone([task.runId])).length === 0
    } catch {
      return undefined
    }
  }

  const sweepOnce = async (): Promise<void> => {
    open()
    const now = Date.now()
    for (const found of [...left.values()]) {
      if ((await isWanted(found.task)) === false || now - found.since > LEFTOVER_MS) await endLeft(found)
    }
    for (const found of [...kept.values()]) {
      if (now - found.since < UNCONFIRMED_MS) continue
      if ((await isWanted(found.task)) === false || now - found.since > LEFTOVER_MS) remove(found)
    }
    for (const execution of [...executions.values()]) {
      if (execution.isOver || execution.watchers > 0) continue
      if (Date.now() - Date.parse(execution.startedAt) < UNWATCHED_MS) continue
      if ((await isWanted({ ...execution.task, executableId: logIdOf(execution.task), key: execution.key })) !== false)
        continue
      if (execution.watchers === 0) execution.stop.end('cancelled')
    }
  }

  /** A step of which earlier blocks have run goes on with the block that did not begin. */
  const neverBegan = (entries: readonly SpoolEntry[]): ProbeAnswer => {
    const names = entries.map(({ entry }) => entry)
    const task = entries[0]?.task
    if (task !== undefined && names.length === 1) {
      remove({ task, entries: names, since: 0 })
      return { state: 'never' }
    }
    open().keeper.remove(names.at(-1) as string)
    return { state: 'adoptable' }
  }

  let sweeping: Promise<void> | undefined
  return {
    warm: () => open().keeper.warm(),
    begin: (key, task) => {
      const known = executions.get(key)
      if (known !== undefined && !known.isOver) throw new RangeError(`Cannot begin ${key} again: it runs`)
      open()
      for (const stale of [kept.get(key), left.get(key)]) if (stale !== undefined) remove(stale)
      return run(key, task, [])
    },
    adopt: (key, task) => {
      const known = executions.get(key)
      if (known !== undefined) return known
      const entries = open().spool.find(key)
      if (entries.length === 0) throw new RangeError(`Cannot adopt ${key}: nothing is known of it here`)
      left.delete(key)
      return run(key, task, entries)
    },
    probe: async (key) => {
      const { spool, keeper } = open()
      const known = executions.get(key)
      if (known !== undefined) return answerOf(await stateOf(known))
      const entries = spool.find(key)
      const last = entries.at(-1)
      if (last === undefined) return { state: 'none' }
      if (last.result !== undefined) return { state: 'adoptable' }
      if (last.stopping === 'shutdown') return { state: 'lost', reason: 'interrupted by the shutdown of its worker' }
      if (last.task.kind === 'http') return { state: 'lost', reason: 'its worker died while the request was under way' }
      if (last.began === undefined && spool.forbid(last.entry)) return neverBegan(entries)
      if (last.ended !== undefined || last.failed !== undefined || keeper.isKept(last.entry))
        return { state: 'adoptable' }
      const mark = markOf(spool, last.entry)
      const pgid = last.began ?? pgidOf(mark)
      if (pgid !== undefined && (await isFamilyAlive({ pgid, mark }))) return { state: 'adoptable' }
      // Its keeper may have written its last words in between.
      if (spool.read(last.entry)?.ended !== undefined) return { state: 'adoptable' }
      return { state: 'lost', reason: 'its worker died, and so did the command, or the process that watched over it' }
    },
    settle: (runId, events, isClosed) => {
      for (const found of [...kept.values()]) {
        if (found.task.runId !== runId) continue
        if (isClosed || events.some((event) => answers(event, found.task))) remove(found)
      }
    },
    sweep: () => {
      sweeping ??= sweepOnce().finally(() => {
        sweeping = undefined
      })
      return sweeping
    },
    close: async () => {
      if (opened === undefined) return
      const open = [...executions.values()].filter(({ isOver }) => !isOver)
      for (const { stop } of open) stop.end('shutdown')
      await Promise.all(open.map(({ result }) => result.catch(() => {})))
      await sweeping?.catch(() => {})
      await opened.keeper.close()
      opened.spool.close()
    },
  }
}

const answerOf = (state: 'running' | 'over' | Error): ProbeAnswer =>
  state instanceof Error ? { state: 'lost', reason: state.message } : { state: 'adoptable' }

const stateOf = async (execution: Execution): Promise<'running' | 'over' | Error> => {
  if (!execution.isOver) return 'running'
  return execution.result.then(
    () => 'over' as const,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
}

const ENDED = 'The worker of this command was lost, and its run went on without it. It was still running and was ended'

/** Events that tell how an execution of a step ended. */
const ENDS = ['step_completed', 'step_failed', 'step_unknown', 'step_skipped', 'step_rolled_back', 'rollback_failed']

/** Whether the event tells that the run has the result of the execution. */
const answers = (event: RunEvent, task: Kept['task']): boolean => {
  if (!ENDS.includes(event.eventType) || event.stepNumber !== task.stepNumber) return false
  const { attempt, item } = event.details as { readonly attempt?: number; readonly item?: number }
  // An item of a loop has a log of its own; its result is kept until it can be told for certain.
  return item === undefined && (attempt === undefined || attempt >= task.attempt)
}

const tell = async (
  deps: ActivityDeps,
  { runId, executableId, attempt }: SpoolTask,
  sentence: string,
): Promise<void> => {
  try {
    const writer = await deps.logs.open({ runId, executableId, attempt })
    await writer.write(Buffer.from(`[sop] ${sentence}\n`))
    await writer.close()
  } catch (error) {
    log.warn('the log of a step cannot be written', { runId, executableId, error })
  }
}

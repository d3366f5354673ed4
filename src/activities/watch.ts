import { hostname } from 'node:os'
import { ApplicationFailure, type Context } from '@temporalio/activity'
import type { CommandResult } from '../core/run/task.ts'
import type { Execution } from './commands.ts'
import type { ActivityDeps } from './deps.ts'

// watch.ts: an activity that waits for a command: it says that the command lives, and hands on wishes that it end.

/** Beats of the heart, and looks at what the server answers. */
export const BEAT_MS = 1000
/** The first beat is early: it says which host has the command. */
const FIRST_BEAT_MS = 250

/**
 * The command's result. A cancel and the worker's shutdown end the command. That the server does not know the activity any
 * more does so only where the run is over: after an outage of the server it is told to healthy commands too. Then this
 * activity leaves, and another one adopts the command.
 */
export const watchExecution = async (
  deps: Pick<ActivityDeps, 'hostId' | 'admission'>,
  context: Context,
  execution: Execution,
): Promise<CommandResult> => {
  let isOver = false
  let isAsking = false
  let leave: (error: Error) => void = () => {}
  const left = new Promise<never>((_, reject) => {
    leave = reject
  })
  const askWhetherGone = async (): Promise<void> => {
    if (isAsking) return
    isAsking = true
    try {
      const gone = await deps.admission.findGone([execution.task.runId])
      if (isOver) return
      if (gone.length > 0) execution.stop.end('cancelled')
      else leave(ApplicationFailure.nonRetryable('This activity is not the one that the run waits for', 'Superseded'))
    } catch {
      // Asked again with the next beat.
    } finally {
      isAsking = false
    }
  }
  const look = (): void => {
    const wish = wishOf(context)
    if (wish === 'unknown') void askWhetherGone()
    else if (wish !== undefined) execution.stop.end(wish)
  }
  const beat = (): void => {
    const { pid, startedAt } = execution
    context.heartbeat({ host: hostname(), hostId: deps.hostId, pid, pgid: pid, startedAt })
    // Cancellation comes as an event only once; what comes after a bare timeout has to be looked up.
    look()
  }
  const first = setTimeout(beat, FIRST_BEAT_MS)
  const pulse = setInterval(beat, BEAT_MS)
  execution.watchers++
  context.cancellationSignal.addEventListener('abort', look)
  if (context.cancellationSignal.aborted) look()
  try {
    return await Promise.race([execution.result, left])
  } finally {
    isOver = true
    execution.watchers--
    clearTimeout(first)
    clearInterval(pulse)
    context.cancellationSignal.removeEventListener('abort', look)
  }
}

/** `unknown`: the server does not know the activity. A bare timeout is no wish. */
const wishOf = (context: Context): 'cancelled' | 'shutdown' | 'unknown' | undefined => {
  if (!context.cancellationSignal.aborted) return undefined
  const message = (context.cancellationSignal.reason as Error | undefined)?.message
  const details = context.cancellationDetails
  if (message === 'WORKER_SHUTDOWN' || details?.workerShutdown === true) return 'shutdown'
  if (message === 'CANCELLED' || details?.cancelRequested === true) return 'cancelled'
  return message === 'NOT_FOUND' || details?.notFound === true ? 'unknown' : undefined
}

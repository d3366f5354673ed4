import type { Context } from '@temporalio/activity'

// stop.ts: why and when a command has to end before it ends by itself.

export type StopReason = 'timed_out' | 'cancelled' | 'shutdown'

/** One wish to end, by whoever wished first. */
export interface Stop {
  readonly signal: AbortSignal
  /** Undefined as long as nobody wants the command to end. */
  readonly reason: StopReason | undefined
  dispose(): void
}

/** Beats of the heart, and looks at what the server answers. */
export const BEAT_MS = 1000
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Watches the time limit and what Temporal says of the activity, and beats while it does. `beat` gives the details of a
 * heartbeat, undefined as long as there is nothing to tell.
 *
 * A cancelled activity and one that the server does not know any more end; a timeout by itself does not: after an
 * outage of the server it is told to healthy steps too (engine.md 2).
 */
export const watchStop = (context: Context, timeoutMs: number | null, beat: () => unknown): Stop => {
  const controller = new AbortController()
  const stop = (reason: StopReason): void => controller.abort(reason)
  const look = (): void => {
    const reason = stopReasonOf(context)
    if (reason !== undefined) stop(reason)
  }
  const startedAt = performance.now()
  const pulse = setInterval(() => {
    context.heartbeat(beat())
    // Cancellation comes as an event only once; what comes after a bare timeout has to be looked up.
    look()
    if (timeoutMs !== null && performance.now() - startedAt >= timeoutMs) stop('timed_out')
  }, BEAT_MS)
  const timer = timeoutMs === null || timeoutMs > MAX_TIMER_MS ? undefined : setTimeout(stop, timeoutMs, 'timed_out')
  context.cancellationSignal.addEventListener('abort', look)
  if (context.cancellationSignal.aborted) look()
  return {
    signal: controller.signal,
    get reason() {
      return controller.signal.aborted ? (controller.signal.reason as StopReason) : undefined
    },
    dispose: () => {
      clearInterval(pulse)
      clearTimeout(timer)
      context.cancellationSignal.removeEventListener('abort', look)
    },
  }
}

const stopReasonOf = (context: Context): StopReason | undefined => {
  if (!context.cancellationSignal.aborted) return undefined
  const message = (context.cancellationSignal.reason as Error | undefined)?.message
  const details = context.cancellationDetails
  if (message === 'WORKER_SHUTDOWN' || details?.workerShutdown === true) return 'shutdown'
  const isUnwanted = message === 'CANCELLED' || message === 'NOT_FOUND'
  return isUnwanted || details?.cancelRequested === true || details?.notFound === true ? 'cancelled' : undefined
}

// stop.ts: why and when a command has to end before it ends by itself.

export type StopReason = 'timed_out' | 'cancelled' | 'shutdown'

/** One wish to end, by whoever wished first. */
export interface Stop {
  readonly signal: AbortSignal
  /** Undefined as long as nobody wants the command to end. */
  readonly reason: StopReason | undefined
  /** Wishes it; what was wished before stands. */
  end(reason: StopReason): void
  dispose(): void
}

/** Longer times than this are looked at again. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** A wish that comes by itself at the deadline; `undefined`: never. */
export const createStop = (deadline: number | undefined): Stop => {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const wait = (at: number): void => {
    const leftMs = at - Date.now()
    if (leftMs <= 0) controller.abort('timed_out' satisfies StopReason)
    else timer = setTimeout(wait, Math.min(leftMs, MAX_TIMER_MS), at)
  }
  if (deadline !== undefined) wait(deadline)
  return {
    signal: controller.signal,
    get reason() {
      return controller.signal.aborted ? (controller.signal.reason as StopReason) : undefined
    },
    end: (reason) => {
      if (!controller.signal.aborted) controller.abort(reason)
    },
    dispose: () => clearTimeout(timer),
  }
}

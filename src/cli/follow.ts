import { SopError } from '../core/errors.ts'
import { isClosed } from '../core/run/state.ts'
import type { GateView, RunView } from '../core/run/view.ts'
import type { Context } from './context.ts'

/** Why the waiting ended. */
export type Stop = 'closed' | 'rests' | 'timeout' | 'interrupted'

export interface FollowOptions {
  /** `end`: until the run is closed or paused. `rest`: also when it stands at a gate, a manual step or in a queue. */
  readonly until: 'end' | 'rest'
  readonly timeoutMs?: number
  /** A gate that was just decided and may still be shown as open by an answer that is a moment old. */
  readonly decided?: Pick<GateView, 'gate' | 'attempt'>
  /** Gets every new view of the run. */
  readonly onView: (view: RunView) => void
}

const FIRST_INTERVAL_MS = 150
const LONGEST_INTERVAL_MS = 1_000
/** How long an engine may be away (a restart, a deploy) before waiting for its run is given up. */
const PATIENCE_MS = 60_000

/**
 * Waits for a run by asking for its state. An engine that goes away in between is asked again for a minute, wherever it
 * comes back; the run goes on without us in any case. Ctrl-C ends the waiting, not the run.
 */
export const followRun = async (
  context: Context,
  first: RunView,
  options: FollowOptions,
): Promise<{ view: RunView; stop: Stop }> => {
  const { io } = context
  const abort = new AbortController()
  const release = io.onInterrupt(() => abort.abort())
  const endAt = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : io.now() + options.timeoutMs
  let view = first
  let intervalMs = FIRST_INTERVAL_MS
  try {
    for (;;) {
      options.onView(view)
      const stop = stopOf(view, options)
      if (stop !== undefined) return { view, stop }
      if (abort.signal.aborted) return { view, stop: 'interrupted' }
      const leftMs = endAt - io.now()
      if (leftMs <= 0) return { view, stop: 'timeout' }
      await io.sleep(Math.min(intervalMs, leftMs), abort.signal)
      if (abort.signal.aborted) return { view, stop: 'interrupted' }
      const next = await askPatiently(context, view, abort.signal)
      intervalMs = next.sequence === view.sequence ? Math.min(intervalMs * 1.5, LONGEST_INTERVAL_MS) : FIRST_INTERVAL_MS
      view = next
    }
  } finally {
    release()
  }
}

const stopOf = (view: RunView, { until, decided }: FollowOptions): Stop | undefined => {
  if (isClosed(view.status)) return 'closed'
  if (view.status === 'paused') return 'rests'
  return until === 'rest' && rests(view, decided) ? 'rests' : undefined
}

const rests = (view: RunView, decided: FollowOptions['decided']): boolean => {
  const gates = view.openGates.filter(({ gate, attempt }) => gate !== decided?.gate || attempt !== decided.attempt)
  if (gates.length > 0 || view.openInputs.length > 0)
    return !view.stepResults.some(({ status }) => status === 'running')
  // A reason on a pending run says what it is queued for, which can take hours.
  return view.status === 'pending' && view.reason !== undefined
}

const askPatiently = async (context: Context, view: RunView, signal: AbortSignal): Promise<RunView> => {
  const giveUpAt = context.io.now() + PATIENCE_MS
  let said = false
  for (;;) {
    try {
      // Asked anew after a failure: a restarted engine may have another port.
      const client = said ? await context.ports.connect(context.at) : await context.client()
      return await client.getRunStatus(view.runId)
    } catch (error) {
      if (!(error instanceof SopError) || error.code !== 'unavailable' || context.io.now() >= giveUpAt) throw error
      if (signal.aborted) return view
      if (!said) context.hint(`The engine does not answer; trying for ${PATIENCE_MS / 1000} s. The run is not lost.`)
      said = true
      await context.io.sleep(LONGEST_INTERVAL_MS, signal)
    }
  }
}

/** Counts failures by key, in windows of a minute. */
export interface FailureLimit {
  /** Counts one failure; past the limit it says after how many seconds the window ends. */
  count(key: string): number | undefined
}

const WINDOW_MS = 60_000
/** Past so many addresses the table starts anew: memory is bounded, and a flood from everywhere is not ours to stop. */
const MAX_KEYS = 10_000

export function createFailureLimit(perMinute: number, now: () => number = Date.now): FailureLimit {
  const windows = new Map<string, { startedAt: number; failures: number }>()
  return {
    count(key) {
      const at = now()
      let window = windows.get(key)
      if (window === undefined || at - window.startedAt >= WINDOW_MS) {
        if (windows.size >= MAX_KEYS) windows.clear()
        window = { startedAt: at, failures: 0 }
        windows.set(key, window)
      }
      window.failures++
      return window.failures > perMinute ? Math.ceil((window.startedAt + WINDOW_MS - at) / 1000) : undefined
    },
  }
}

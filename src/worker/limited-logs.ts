import type { LogKey, LogStore, LogWriter } from '../activities/deps.ts'
import { createTail } from '../activities/output-tail.ts'
import { formatSize } from '../core/size.ts'

// limited-logs.ts: a log store whose logs stop growing at a limit, and say so. What comes later is counted, and its end,
// where the error stands as a rule, follows when the step is over.

/** How much all logs together may still grow. */
export interface LogBudget {
  /** Bytes that are left. */
  room(): number
  /** So many bytes were stored. */
  take(bytes: number): void
}

export interface LogLimits {
  /** Of one log. Absent: none. */
  readonly perStepBytes?: number
  readonly totalBytes?: number
  readonly budget: LogBudget
  readonly now: () => Date
}

/** What of the output behind the cut is kept, in bytes. */
export const KEPT_END_BYTES = 64 * 1024

/** The same store within its limits. */
export const limitLogs = (logs: LogStore, limits: LogLimits): LogStore => ({
  ...logs,
  open: async (key, stored) => limitWriter(await logs.open(key, stored), limits, () => cutBefore(logs, key)),
})

/** A log that is opened again may have been cut before. */
const cutBefore = async (logs: LogStore, key: LogKey): Promise<number> => (await logs.read(key, 0, 0)).cutBytes ?? 0

const limitWriter = (inner: LogWriter, limits: LogLimits, findCut: () => Promise<number>): LogWriter => {
  const { perStepBytes = Number.POSITIVE_INFINITY, budget } = limits
  const end = createTail(KEPT_END_BYTES)
  let { size } = inner
  let dropped: number | undefined

  const store = (bytes: Uint8Array): Promise<void> => {
    size += bytes.length
    budget.take(bytes.length)
    return inner.write(bytes)
  }
  const drop = (bytes: Uint8Array): void => {
    dropped = (dropped ?? 0) + bytes.length
    end.push(bytes)
  }
  return {
    size: inner.size,
    cut: inner.cut,
    release: inner.release,
    write: async (bytes) => {
      if (dropped !== undefined) return drop(bytes)
      const room = Math.max(0, Math.min(perStepBytes - size, budget.room()))
      if (bytes.length <= room) return store(bytes)
      const why = perStepBytes - size <= budget.room() ? ofStep(limits) : ofStore(limits)
      drop(bytes.subarray(room))
      const kept = bytes.subarray(0, room)
      await store(Buffer.concat([kept, Buffer.from(notice(kept, size, `${limits.now().toISOString()} ${why}`))]))
      await inner.cut(await findCut())
    },
    close: async () => {
      if (dropped !== undefined) {
        const text = end.text()
        const lost = dropped - Math.min(dropped, KEPT_END_BYTES)
        const before = lost === 0 ? '' : `${formatSize(lost)} (${lost} bytes) of output are not kept. `
        await store(Buffer.from(`[sop] ${before}The last ${formatSize(dropped - lost)}:\n${text}`))
        await inner.cut((await findCut()) + lost)
      }
      return inner.close()
    },
  }
}

const notice = (kept: Uint8Array, size: number, sentence: string): string =>
  `${kept.at(-1) === 10 || (kept.length === 0 && size === 0) ? '' : '\n'}[sop] ${sentence}\n`

const ofStep = ({ perStepBytes = 0 }: LogLimits): string =>
  `This log is cut here: it has reached ${formatSize(perStepBytes)}, the limit for one step (log_limit_per_step). The end of the output follows when the step is over`

const ofStore = ({ totalBytes = 0 }: LogLimits): string =>
  `This log is cut here: all logs together have reached ${formatSize(totalBytes)} (log_limit_total), and none of a closed run is left to remove. The end of the output follows when the step is over`

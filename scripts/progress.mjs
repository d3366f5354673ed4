/** A reason that a person can act on; shown without a stack. */
export class SetupError extends Error {}

/** Seconds as people read them: `0.4 s`, `12 s`, `3 min 5 s`. @param {number} ms */
export function formatSeconds(ms) {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/**
 * Does `work` and says so while it takes: one line that counts on a terminal; elsewhere a line at the start, another every
 * ten seconds, and one at the end.
 *
 * @template T
 * @param {{ doing: string, done: string }} words e.g. `Building` and `Built`
 * @param {() => Promise<T>} work
 * @param {{ out?: NodeJS.WriteStream, everyMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withProgress({ doing, done }, work, { out = process.stderr, everyMs = 10_000 } = {}) {
  const startedAt = performance.now()
  const isTerminal = out.isTTY === true
  const show = () => {
    const text = `${doing} … ${formatSeconds(Math.round((performance.now() - startedAt) / 1000) * 1000)}`
    out.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`)
  }
  out.write(isTerminal ? `${doing} …` : `${doing} …\n`)
  const timer = setInterval(show, isTerminal ? 1_000 : everyMs)
  const clear = () => {
    clearInterval(timer)
    if (isTerminal) out.write('\r\u001b[K')
  }
  try {
    const result = await work()
    clear()
    out.write(`${done} in ${formatSeconds(performance.now() - startedAt)}\n`)
    return result
  } catch (error) {
    clear()
    throw error
  }
}

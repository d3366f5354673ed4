/** Where the engine talks to the person who started it: standard output, or a list in tests. */
export interface Out {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Tells a waiting person what is going on. */
export interface Progress {
  /** A line that stays. */
  note(line: string): void
  /** What is being waited for now. On a terminal it replaces the previous one; elsewhere it is a line, at most one in `everyMs`. */
  wait(line: string): void
}

/** Shows progress on `out`. `everyMs`: least time between two waiting lines where the output is no terminal. */
export function createProgress(out: Out, everyMs = 10_000): Progress {
  let open = false
  let lastAt = 0
  const clear = (): void => {
    if (open) out.write('\r\u001b[K')
    open = false
  }
  return {
    note: (line) => {
      clear()
      out.write(`${line}\n`)
    },
    wait: (line) => {
      if (out.isTTY === true) {
        clear()
        out.write(line)
        open = true
      } else if (Date.now() - lastAt >= everyMs) {
        lastAt = Date.now()
        out.write(`${line}\n`)
      }
    },
  }
}

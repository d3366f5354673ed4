/** A stream that text goes to. */
export interface Sink {
  write(text: string | Uint8Array): unknown
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** Everything that the CLI touches of its process: terminal, environment, clock. Tests hand in their own. */
export interface Io {
  /** Writes to standard output, and waits until it took it: for what is large. */
  write(text: string): Promise<void>
  readonly out: Sink
  readonly err: Sink
  /** Standard output is a terminal. */
  readonly isTTY: boolean
  readonly errIsTTY: boolean
  /** Standard input is a terminal: questions may be asked if `isTTY` holds as well. */
  readonly inIsTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  now(): number
  /** All of standard input. */
  readStdin(): Promise<string>
  /** One line from the terminal; `undefined` when the input ended. `secret` shows nothing of what is typed. */
  ask(question: string, options?: { readonly secret?: boolean }): Promise<string | undefined>
  /** Calls `listener` on Ctrl-C instead of ending the process, until the returned function is called. */
  onInterrupt(listener: () => void): () => void
  /** Resolves after the time, or as soon as `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Whether questions may be asked. */
export const isInteractive = (io: Io): boolean => io.isTTY && io.inIsTTY

const isSet = (value: string | undefined): boolean => value !== undefined && value !== ''

/** Whether one stream gets colours: `NO_COLOR` beats `FORCE_COLOR`, which beats what the stream is. */
export const hasColour = (env: Io['env'], isTTY: boolean): boolean => {
  if (isSet(env.NO_COLOR)) return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return isTTY && env.TERM !== 'dumb'
}

/**
 * Whether text outside ASCII can be shown: as the locale says. Without any locale a terminal counts as one that cannot,
 * and a pipe as UTF-8, which is what programs on the other side read.
 */
export const hasUtf8 = (env: Io['env'], isTTY: boolean): boolean => {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find(isSet)
  return locale === undefined ? !isTTY : /utf-?8/i.test(locale)
}

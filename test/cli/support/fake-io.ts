import type { Io } from '../../../src/cli/io.ts'

export interface FakeIo extends Io {
  readonly stdout: () => string
  readonly stderr: () => string
  /** Questions that were asked so far. */
  readonly asked: string[]
  /** Presses Ctrl-C. `false` when nothing listens, so that the process would end. */
  interrupt(): boolean
  /** How long the program slept in all. */
  readonly sleptMs: () => number
}

export interface FakeIoOptions {
  readonly terminal?: boolean
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly cwd?: string
  /** Answers to questions, in order; after the last the input has ended. */
  readonly answers?: readonly string[]
  readonly columns?: number
  readonly now?: string
  /** Called at each sleep with the number of sleeps so far. */
  readonly onSleep?: (count: number, io: FakeIo) => void
}

export const NOW = '2026-02-25T13:00:00.000Z'

/** A terminal (or pipe) in memory, with a clock that moves only by sleeping. */
export const createFakeIo = (options: FakeIoOptions = {}): FakeIo => {
  const out: string[] = []
  const err: string[] = []
  const listeners = new Set<() => void>()
  const answers = [...(options.answers ?? [])]
  let nowMs = Date.parse(options.now ?? NOW)
  let sleptMs = 0
  let sleeps = 0
  const isTTY = options.terminal === true
  const io: FakeIo = {
    out: {
      write: (text) => out.push(typeof text === 'string' ? text : Buffer.from(text).toString('latin1')),
      columns: options.columns ?? (isTTY ? 100 : undefined),
      rows: 40,
    },
    err: { write: (text) => err.push(String(text)) },
    write: async (text) => void out.push(text),
    isTTY,
    errIsTTY: isTTY,
    inIsTTY: isTTY,
    env: { LANG: 'C.UTF-8', ...options.env },
    cwd: options.cwd ?? '/nowhere',
    now: () => nowMs,
    readStdin: async () => options.stdin ?? '',
    ask: async (question) => {
      io.asked.push(question)
      return answers.shift()
    },
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    sleep: async (ms) => {
      nowMs += ms
      sleptMs += ms
      sleeps += 1
      if (sleeps > 2_000) throw new Error('the program waits for something that this test never gives')
      options.onSleep?.(sleeps, io)
    },
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    asked: [],
    interrupt: () => {
      for (const listener of listeners) listener()
      return listeners.size > 0
    },
    sleptMs: () => sleptMs,
  }
  return io
}

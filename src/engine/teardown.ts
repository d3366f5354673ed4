import type { Log } from '../log.ts'

/** One thing that was started and has to be stopped. */
interface Entry {
  readonly what: string
  readonly limitMs: number
  readonly stop: () => Promise<void>
}

/** Stops in the reverse order of starting. One that fails or hangs is logged and does not keep the others from stopping. */
export class Teardown {
  readonly #entries: Entry[] = []
  readonly #log: Log
  #running: Promise<void> | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** `limitMs`: after this long the next one is stopped all the same. */
  add(what: string, limitMs: number, stop: () => Promise<void>): void {
    this.#entries.push({ what, limitMs, stop })
  }

  /** Stops everything, once: a second call waits for the first. */
  run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    for (let entry = this.#entries.pop(); entry !== undefined; entry = this.#entries.pop()) {
      try {
        await within(entry.limitMs, entry.stop())
      } catch (error) {
        this.#log.error(`Cannot stop ${entry.what} in order: ${(error as Error).message}`)
      }
    }
  }
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it takes longer than ${limitMs / 1_000} s`)), limitMs)
  })
  await Promise.race([work, limit]).finally(() => clearTimeout(timer))
}

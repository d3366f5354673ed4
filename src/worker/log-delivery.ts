import { open, readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogKey } from '../activities/deps.ts'
import { SopError } from '../core/errors.ts'
import { orUndefined } from '../adapters/shared/missing-file.ts'

// log-delivery.ts: brings one spooled log to the engine.
//   S1 an entry is removed only when the engine has confirmed length and SHA-256, or will never take it.
//   S2 one stretch of an entry is under way at a time, in order; so memory does not grow with the log.

/** Who takes the logs. Refusals are SopErrors: `conflict` with `details.expected` says where to go on. */
export interface LogTaker {
  putLog(log: LogKey, offset: number, bytes: Uint8Array): Promise<{ readonly next: number }>
  endLog(log: LogKey, sum: SpooledSum): Promise<void>
}
export interface SpooledSum {
  readonly bytes: number
  readonly sha256: string
  readonly cutBytes?: number
}

/** Bytes of one stretch. */
const STRETCH_BYTES = 512 * 1024
/** Small stretches are gathered for this long, in milliseconds. */
const GATHER_MS = 50
const LEAST_PAUSE_MS = 250
const MOST_PAUSE_MS = 10_000

export interface DeliveryOptions {
  readonly taker: LogTaker
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
  /** Of the entry, without its ending. */
  readonly path: string
  readonly key: LogKey
  readonly stopped: AbortSignal
}
/** One delivery, from inside. */
interface Delivering extends DeliveryOptions {
  onTaken(): void
}

/** Brings one log to the engine. */
export interface Delivery {
  /** There is more of it, or its end. */
  wake(): void
  /** A writer has it. @returns what lets go of it */
  hold(): () => void
  isHeld(): boolean
  /** Fulfilled once everything that is there now was brought, or the delivery is done. */
  settled(): Promise<void>
  /** Fulfilled once the engine has it whole or will never take it, or the worker stops. Never rejects. */
  readonly done: Promise<void>
  /** The engine has confirmed that it has it whole. */
  isTaken(): boolean
}

export const startDelivery = (options: DeliveryOptions): Delivery => {
  const { stopped } = options
  let signal: () => void = () => {}
  let isWoken = true
  let holders = 0
  let isTaken = false
  const delivering: Delivering = {
    ...options,
    onTaken: () => {
      isTaken = true
    },
  }
  let idle: (() => void)[] = []
  const pause = async (): Promise<void> => {
    for (const each of idle) each()
    idle = []
    if (isWoken || stopped.aborted) return
    await new Promise<void>((resolve) => {
      signal = resolve
      stopped.addEventListener('abort', () => resolve(), { once: true })
    })
  }
  const work = async (): Promise<void> => {
    let offset: number | undefined
    while (!stopped.aborted) {
      isWoken = false
      offset = await bring(delivering, offset)
      if (offset === undefined) return
      await pause()
      if (holders > 0) await nap(GATHER_MS, stopped)
    }
  }
  const done = work()
    .catch((error: unknown) => options.warn('a log cannot be brought to the engine', { ...options.key, error }))
    .finally(() => {
      for (const each of idle) each()
    })
  return {
    wake: () => {
      isWoken = true
      signal()
    },
    hold: () => {
      holders += 1
      return () => {
        holders -= 1
      }
    },
    isHeld: () => holders > 0,
    settled: () => Promise.race([done, new Promise<void>((resolve) => idle.push(resolve))]),
    done,
    isTaken: () => isTaken,
  }
}

const nap = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => {})

/** Brings all that is there. @returns the offset to go on from; undefined: this log is done */
const bring = async (options: Delivering, from: number | undefined): Promise<number | undefined> => {
  const { taker, key, path, stopped } = options
  const handle = await open(`${path}.log`, 'r').catch(orUndefined)
  if (handle === undefined) {
    // Its worker was killed before it had written anything.
    await dropEntry(path)
    return undefined
  }
  try {
    // What an earlier process has brought already is found out by a stretch of nothing at the end.
    let offset = from ?? (await step(options, async () => whereTo(taker, key, (await handle.stat()).size)))
    const buffer = Buffer.allocUnsafe(STRETCH_BYTES)
    while (offset !== undefined && !stopped.aborted) {
      const at = offset
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) {
        offset = await finish(options, at)
        if (offset === undefined || offset === at) return offset
        // The engine has less than it was thought to have.
        continue
      }
      offset = await step(options, async () => (await taker.putLog(key, at, buffer.subarray(0, bytesRead))).next)
    }
    return offset
  } finally {
    await handle.close()
  }
}

const whereTo = async (taker: LogTaker, key: LogKey, size: number): Promise<number> => {
  if (size === 0) return 0
  return (await taker.putLog(key, size, new Uint8Array(0))).next
}

/** The end of an entry, if its writer has closed it. */
const finish = async (options: Delivering, offset: number): Promise<number | undefined> => {
  const { taker, key, path } = options
  const sum = await readSum(path)
  if (sum === undefined || sum.bytes > offset) return offset
  const next = await step(options, async () => {
    await taker.endLog(key, sum)
    options.onTaken()
    return undefined
  })
  if (next === undefined && !options.stopped.aborted) await dropEntry(path)
  return next
}

const readSum = async (path: string): Promise<SpooledSum | undefined> => {
  try {
    return JSON.parse(await readFile(`${path}.end`, 'utf8')) as SpooledSum
  } catch {
    return undefined
  }
}

/** First what says that there is an entry: a crash in between leaves only bytes that nobody looks for. */
const dropEntry = async (path: string): Promise<void> => {
  for (const kind of ['key', 'end', 'cut', 'log']) await rm(`${path}.${kind}`, { force: true })
}

/**
 * One call to the engine, made again until it is answered.
 * @returns where to go on; undefined: done, or given up since the engine will never take it
 */
const step = async (
  { key, path, warn, stopped }: DeliveryOptions,
  call: () => Promise<number | undefined>,
): Promise<number | undefined> => {
  for (let pauseMs = LEAST_PAUSE_MS; !stopped.aborted; pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS)) {
    try {
      return await call()
    } catch (error) {
      const { code, details = {} } = error instanceof SopError ? error : { code: 'unavailable' }
      if (code === 'conflict' && typeof details['expected'] === 'number') return details['expected']
      if (code === 'conflict' || code === 'not_found' || code === 'invalid') {
        warn('the engine does not take a log: it is given up', { ...key, error: (error as Error).message })
        await dropEntry(path)
        return undefined
      }
      // Away, or starting: that passes. So does a token that was changed, but somebody has to know.
      if (code !== 'unavailable' && pauseMs === LEAST_PAUSE_MS)
        warn('the engine refuses a log for now: it is kept and brought later', {
          ...key,
          error: (error as Error).message,
        })
      await nap(pauseMs, stopped)
    }
  }
  return undefined
}

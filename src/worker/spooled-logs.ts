import { createHash, type Hash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogKey, LogPiece, LogStore, LogWriter } from '../activities/deps.ts'
import { type Delivery, type LogTaker, type SpooledSum, startDelivery } from './log-delivery.ts'
import { orUndefined } from '../adapters/shared/missing-file.ts'

// spooled-logs.ts: the logs of a worker that reaches no store. They are written to its own disk first and brought to the
// engine from there, so a step never waits for the engine and nothing is lost while that is away. An entry has
// `<id>.key`, which log it is; `<id>.log`, the bytes; and `<id>.end`, length and SHA-256, once its writer has closed it.

export interface SpooledLogs extends LogStore {
  /** Takes up what an earlier process has left; its logs that were never closed are brought as far as they go. */
  resume(): Promise<void>
  /** Ends an unclosed entry whose step is known to be over, so that it is delivered whole and goes. */
  settle(isOver: (runId: string) => Promise<boolean>): Promise<void>
  /** Brings what it can within the time, and stops. */
  close(withinMs: number): Promise<void>
}

export interface SpooledLogsOptions {
  readonly dir: string
  readonly taker: LogTaker
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
  /** How long the end of a step may wait for the engine to have its log, in milliseconds. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 5_000

export const createSpooledLogs = (options: SpooledLogsOptions): SpooledLogs => {
  const { dir, patienceMs = PATIENCE_MS } = options
  const deliveries = new Map<string, Delivery>()
  const stopped = new AbortController()
  const deliver = (key: LogKey): Delivery => {
    const id = idOf(key)
    const known = deliveries.get(id)
    if (known !== undefined) return known
    const made = startDelivery({ ...options, path: join(dir, id), key, stopped: stopped.signal })
    deliveries.set(id, made)
    void made.done.finally(() => deliveries.delete(id))
    return made
  }
  const entries = async (): Promise<readonly Entry[]> => {
    const names = await readdir(dir).catch(orEmpty)
    const found = names.filter((name) => name.endsWith('.key')).map((name) => readEntry(join(dir, name.slice(0, -4))))
    return (await Promise.all(found)).filter((entry) => entry !== undefined)
  }
  return {
    open: async (key) => {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const path = join(dir, idOf(key))
      await writeFile(`${path}.key`, JSON.stringify(key), { mode: 0o600 })
      await rm(`${path}.end`, { force: true })
      return openWriter(path, () => deliver(key), patienceMs)
    },
    read: (key, offset, limit) => readSpooled(join(dir, idOf(key)), offset, limit),
    list: async () => [],
    usage: async () => [],
    remove: async () => {},
    removal: async () => undefined,
    resume: async () => {
      for (const { key } of await entries()) deliver(key).wake()
    },
    settle: async (isOver) => {
      for (const { key, path, isEnded } of await entries()) {
        if (isEnded || deliveries.get(idOf(key))?.isHeld() === true || !(await isOver(key.runId))) continue
        const cutBytes = await readCut(path)
        const sum = await sumOf(`${path}.log`)
        await writeWhole(`${path}.end`, cutBytes === undefined ? sum : { ...sum, cutBytes })
        deliver(key).wake()
      }
    },
    close: async (withinMs) => {
      const all = Promise.all([...deliveries.values()].map((each) => each.settled()))
      await Promise.race([all, sleep(withinMs, undefined, { ref: false })])
      stopped.abort()
      await Promise.all([...deliveries.values()].map(({ done }) => done))
    },
  }
}

interface Entry {
  readonly key: LogKey
  readonly path: string
  readonly isEnded: boolean
}

const idOf = ({ runId, executableId, attempt }: LogKey): string =>
  createHash('sha256')
    .update(JSON.stringify([runId, executableId, attempt]))
    .digest('hex')
    .slice(0, 32)

const readEntry = async (path: string): Promise<Entry | undefined> => {
  try {
    const key = JSON.parse(await readFile(`${path}.key`, 'utf8')) as LogKey
    const isEnded = await stat(`${path}.end`).then(
      () => true,
      () => false,
    )
    return { key, path, isEnded }
  } catch {
    // Cut short by a crash before its first byte, or removed meanwhile: there is nothing in it.
    return undefined
  }
}

const orEmpty = (error: unknown): readonly string[] => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  return []
}

const openWriter = async (path: string, deliver: () => Delivery, patienceMs: number): Promise<LogWriter> => {
  const handle = await open(`${path}.log`, 'a', 0o600)
  const { size } = await handle.stat()
  const hash = await hashOf(`${path}.log`, size)
  const delivery = deliver()
  const letGo = delivery.hold()
  let bytes = size
  let cutBytes = await readCut(path)
  return {
    size,
    write: async (chunk) => {
      await handle.appendFile(chunk)
      hash.update(chunk)
      bytes += chunk.length
      delivery.wake()
    },
    cut: async (count) => {
      cutBytes = count
      await writeWhole(`${path}.cut`, count)
    },
    close: async () => {
      const sum: SpooledSum = { bytes, sha256: hash.digest('hex'), ...(cutBytes !== undefined && { cutBytes }) }
      try {
        await handle.datasync()
        await writeWhole(`${path}.end`, sum)
      } finally {
        letGo()
        await handle.close()
      }
      delivery.wake()
      // Whoever reads that a step is over finds its log, where the engine is there to take it.
      await Promise.race([delivery.done, sleep(patienceMs, undefined, { ref: false })])
      return { bytes, sha256: sum.sha256, ...(!delivery.isTaken() && { isPending: true as const }) }
    },
    release: async () => {
      letGo()
      await handle.close()
    },
  }
}

/** What is still here of a log: the engine has the rest of it. */
const readSpooled = async (path: string, offset: number, limit: number): Promise<LogPiece> => {
  const handle = await open(`${path}.log`, 'r').catch(orUndefined)
  if (handle === undefined) return { bytes: new Uint8Array(0), end: 0 }
  try {
    const { size: end } = await handle.stat()
    const bytes = Buffer.alloc(Math.max(0, Math.min(limit, end - offset)))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
    const cutBytes = await readCut(path)
    return { bytes: bytes.subarray(0, bytesRead), end, ...(cutBytes !== undefined && { cutBytes }) }
  } finally {
    await handle.close()
  }
}

const readCut = async (path: string): Promise<number | undefined> => {
  const text = await readFile(`${path}.cut`, 'utf8').catch(orUndefined)
  return text === undefined ? undefined : Number(text)
}

const hashOf = async (file: string, size: number): Promise<Hash> => {
  const hash = createHash('sha256')
  if (size === 0) return hash
  const handle = await open(file, 'r')
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 }))
      hash.update(chunk as Buffer)
    return hash
  } finally {
    await handle.close()
  }
}

const sumOf = async (file: string): Promise<SpooledSum> => {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  return { bytes: size, sha256: (await hashOf(file, size)).digest('hex') }
}

const writeWhole = async (path: string, value: unknown): Promise<void> => {
  await writeFile(`${path}.tmp`, JSON.stringify(value), { mode: 0o600, flush: true })
  await rename(`${path}.tmp`, path)
}

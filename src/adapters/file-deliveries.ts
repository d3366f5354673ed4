import { appendFile, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Delivery,
  DELIVERY_LIST_DEFAULT,
  type DeliveryFilter,
  type DeliveryStore,
  isMeant,
} from '../core/trigger/delivery.ts'

// file-deliveries.ts: what became of occurrences, a file for each day (`deliveries/2026-01-31.jsonl`), a line each. Lines
// that come together are written together.

export interface FileDeliveriesOptions {
  readonly dataDir: string
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
}

interface Waiting {
  readonly delivery: Delivery
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const DAY = /^\d{4}-\d\d-\d\d\.jsonl$/
const NEWLINE = 0x0a

/** Deliveries as files of a data directory. */
export const createFileDeliveries = ({ dataDir, warn = () => {} }: FileDeliveriesOptions): DeliveryStore => {
  const folder = join(dataDir, 'deliveries')
  const fileOf = (at: string): string => join(folder, `${at.slice(0, 10)}.jsonl`)
  const mended = new Set<string>()
  let waiting: Waiting[] = []
  let isWriting = false

  const append = async (path: string, lines: readonly string[]): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // A line that a crash cut off must not swallow the next one.
    const start = mended.has(path) || (await endsWell(path)) ? '' : '\n'
    await appendFile(path, start + lines.join(''), { mode: 0o600 })
    mended.add(path)
  }

  /** Never rejects. Ends in the same turn in which it finds nothing more, so that nobody waits for a writer that is gone. */
  const write = async (): Promise<void> => {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      for (const path of new Set(batch.map(({ delivery }) => fileOf(delivery.at)))) {
        const group = batch.filter(({ delivery }) => fileOf(delivery.at) === path)
        try {
          await append(
            path,
            group.map(({ delivery }) => `${JSON.stringify(delivery)}\n`),
          )
          for (const { resolve } of group) resolve()
        } catch (error) {
          mended.delete(path)
          for (const { reject } of group) reject(error)
        }
      }
    }
    isWriting = false
  }

  const days = async (): Promise<readonly string[]> =>
    (await readdir(folder).catch(() => [])).filter((name) => DAY.test(name)).sort()

  const read = async (path: string): Promise<readonly Delivery[]> => {
    const text = await readFile(path, 'utf8').catch(() => '')
    return text.split('\n').flatMap((line) => {
      if (line === '') return []
      const delivery = parse(line)
      if (delivery === undefined) warn('a line of the deliveries is damaged and was passed over', { path })
      return delivery === undefined ? [] : [delivery]
    })
  }

  return {
    put: (delivery) =>
      new Promise((resolve, reject) => {
        waiting.push({ delivery, resolve, reject })
        if (!isWriting) void write()
      }),
    get: async (id) => {
      const at = timeOf(id)
      return at === undefined ? undefined : (await read(fileOf(at))).find((each) => each.id === id)
    },
    list: async (filter: DeliveryFilter) => {
      const limit = filter.limit ?? DELIVERY_LIST_DEFAULT
      const found: Delivery[] = []
      for (const name of [...(await days())].reverse()) {
        const meant = (await read(join(folder, name))).filter((each) => isMeant(filter, each))
        found.push(...meant.sort((a, b) => (a.id < b.id ? 1 : -1)))
        if (found.length >= limit) break
      }
      return found.slice(0, limit)
    },
    prune: async (before) => {
      const last = `${before.slice(0, 10)}.jsonl`
      for (const name of await days()) if (name < last) await rm(join(folder, name), { force: true })
    },
  }
}

const endsWell = async (path: string): Promise<boolean> => {
  const handle = await open(path, 'r').catch(() => undefined)
  if (handle === undefined) return true
  try {
    const { size } = await handle.stat()
    if (size === 0) return true
    const last = Buffer.alloc(1)
    await handle.read(last, 0, 1, size - 1)
    return last[0] === NEWLINE
  } finally {
    await handle.close()
  }
}

const parse = (line: string): Delivery | undefined => {
  try {
    const row = JSON.parse(line) as Partial<Delivery> | null
    return typeof row?.id === 'string' && typeof row.at === 'string' && typeof row.verdict === 'string'
      ? (row as Delivery)
      : undefined
  } catch {
    return undefined
  }
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** When a delivery was made: its id says it, in the ten characters that a ULID begins with. */
const timeOf = (id: string): string | undefined => {
  const time = /^del_([0-9a-hjkmnp-tv-z]{10})/.exec(id)?.[1]
  if (time === undefined) return undefined
  const ms = [...time].reduce((sum, digit) => sum * 32 + ALPHABET.indexOf(digit), 0)
  return ms <= 8_640_000_000_000_000 ? new Date(ms).toISOString() : undefined
}

import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { SopError } from '../core/errors.ts'
import { TOKEN_ROLES } from '../core/run/principal.ts'
import type { TokenInfo } from './tokens.ts'

/** Whom a token may speak for. The kind `timer` has none: it is the engine's own. */
export const TOKEN_KINDS = ['user', 'agent', 'service'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** A token as the file holds it: its hash, never itself. */
export interface TokenRecord extends TokenInfo {
  readonly sha256: string
}

export interface TokenFile {
  /** The records as they are now; none when there is no file. Another process's change is seen at once. */
  read(): Promise<readonly TokenRecord[]>
  /** Replaces the records by `change(records)`, whole or not at all; changes take turns, across processes too. */
  change(change: (records: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void>
}

const LOCK_STALE_MS = 10_000
const LOCK_WAIT_MS = 5_000

/** Records that several processes share, as a database keeps them; what they hold is checked here. */
export interface TokenRows {
  read(): Promise<readonly unknown[]>
  change(change: (rows: readonly unknown[]) => readonly TokenRecord[]): Promise<void>
}

/** The same as a file, in another place. */
export const openTokenRows = (rows: TokenRows): TokenFile => {
  const checked = (found: readonly unknown[]): readonly TokenRecord[] =>
    checkRecords('the tokens of the database', found)
  return {
    read: async () => checked(await rows.read()),
    change: (change) => rows.change((found) => change(checked(found))),
  }
}

export function openTokenFile(dataDir: string): TokenFile {
  const path = join(dataDir, 'tokens.json')
  let known: { stamp: string; records: readonly TokenRecord[] } | undefined

  // A change renames a new file into place, so another inode tells it even within one tick of the clock.
  const read = async (): Promise<readonly TokenRecord[]> => {
    const stamp = await stampOf(path)
    if (stamp === undefined) return []
    if (known?.stamp !== stamp) known = { stamp, records: parseRecords(path, await readFile(path, 'utf8')) }
    return known.records
  }

  return {
    read,
    async change(change) {
      await mkdir(dataDir, { recursive: true })
      await withLock(`${path}.lock`, async () => {
        const next = change(await read())
        await writeWhole(path, `${JSON.stringify({ version: 1, tokens: next }, null, 2)}\n`)
      })
    },
  }
}

/** Writes a private file whole or not at all, and durably. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw new SopError(
      'unavailable',
      `Cannot write "${path}": ${codeOf(error)}. Check that ${dirname(path)} is yours`,
      {},
      error,
    )
  }
}

async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path)
    return `${ino}:${size}:${mtimeMs}`
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new SopError('unavailable', `Cannot read the token file "${path}": ${codeOf(error)}`, {}, error)
  }
}

function parseRecords(path: string, text: string): readonly TokenRecord[] {
  let tree: unknown
  try {
    tree = JSON.parse(text)
  } catch (error) {
    throw damaged(`the token file "${path}"`, 'it is not JSON', error)
  }
  const tokens = (tree as { tokens?: unknown } | null)?.tokens
  if (!Array.isArray(tokens)) throw damaged(`the token file "${path}"`, 'it has no list "tokens"')
  return checkRecords(`the token file "${path}"`, tokens)
}

const checkRecords = (where: string, entries: readonly unknown[]): readonly TokenRecord[] =>
  entries.map((entry, index) => {
    if (!isRecord(entry)) throw damaged(where, `entry ${index + 1} is no token`)
    return entry
  })

function isRecord(entry: unknown): entry is TokenRecord {
  if (typeof entry !== 'object' || entry === null) return false
  const { name, kind, role, groups, sha256 } = entry as Record<string, unknown>
  return (
    typeof name === 'string' &&
    (TOKEN_KINDS as readonly unknown[]).includes(kind) &&
    (TOKEN_ROLES as readonly unknown[]).includes(role) &&
    Array.isArray(groups) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  )
}

// A damaged file opens nothing: passing over one entry would be a guess about who may do what.
const damaged = (where: string, why: string, cause?: unknown): SopError =>
  new SopError(
    'unavailable',
    `Cannot read ${where}: ${why}. Restore it, or delete it and create the tokens anew`,
    {},
    cause,
  )

async function withLock(lock: string, work: () => Promise<void>): Promise<void> {
  const giveUpAt = Date.now() + LOCK_WAIT_MS
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close()
      break
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw new SopError(
          'unavailable',
          `Cannot lock "${lock}": ${codeOf(error)}. Check that ${dirname(lock)} is yours`,
          {},
          error,
        )
      }
      if (await isStale(lock)) await rm(lock, { force: true })
      else if (Date.now() > giveUpAt) {
        throw new SopError('unavailable', `Cannot lock "${lock}": another process holds it. Try again`)
      }
      await delay(20)
    }
  }
  try {
    await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function isStale(lock: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(lock)).mtimeMs > LOCK_STALE_MS
  } catch {
    return false
  }
}

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : error instanceof Error ? error.message : String(error)
}

import { randomUUID } from 'node:crypto'
import { link, open, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { readJsonFile } from './atomic-file.ts'
import { identifyProcess, isAlive, isIdentity, type ProcessIdentity } from './process-identity.ts'

/** Who holds a lock: a process, on a host. */
export interface LockHolder extends ProcessIdentity {
  readonly host: string
  readonly token: string
}

export type LockAttempt =
  | { readonly held: true; release(): Promise<void> }
  /** `holder` is undefined in the instant in which another process writes the lock. */
  | { readonly held: false; readonly holder: LockHolder | undefined }

/** A holder on another host (a shared volume) cannot be asked for: it shows by touching the file that it lives. */
const BEAT_MS = 5_000
const SILENT_MS = 30_000

/**
 * Takes the lock file at `path`, or says who holds it. A lock whose process is gone, also when another one has its pid
 * by now, is taken over. The system's errors (no permission, read-only, full) are thrown as they come.
 */
export async function tryLock(path: string): Promise<LockAttempt> {
  const me = await identifyProcess(process.pid)
  const mine: LockHolder = { pid: process.pid, startedAt: me?.startedAt ?? '', host: hostname(), token: randomUUID() }
  for (;;) {
    if (await create(path, JSON.stringify(mine))) return hold(path, mine)
    const holder = await readHolder(path)
    if (await holds(path, holder)) return { held: false, holder }
    await removeStale(path, holder)
  }
}

/**
 * Takes the lock, waiting while another process holds it. `onWait` is called about every half second with the holder.
 * @throws what `signal` was aborted with
 */
export async function waitForLock(
  path: string,
  { signal, onWait }: { signal?: AbortSignal; onWait?: (holder: LockHolder | undefined) => void },
): Promise<() => Promise<void>> {
  for (;;) {
    signal?.throwIfAborted()
    const attempt = await tryLock(path)
    if (attempt.held) return attempt.release
    onWait?.(attempt.holder)
    await sleep(500)
  }
}

/** Puts the lock in place with its content in one step; false when there is one. */
async function create(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}.tmp`
  await writeFile(draft, text, { flag: 'wx', mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    return await createWithoutLinks(path, text, error)
  } finally {
    await rm(draft, { force: true })
  }
}

/** File systems without hard links (FAT, some mounts): exclusive creation, then the content. */
async function createWithoutLinks(path: string, text: string, cause: unknown): Promise<boolean> {
  if (!isCode(cause, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw cause
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(text).finally(() => file.close())
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

function hold(path: string, mine: LockHolder): LockAttempt {
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), BEAT_MS)
  beat.unref()
  const release = async (): Promise<void> => {
    clearInterval(beat)
    if ((await readHolder(path))?.token === mine.token) await rm(path, { force: true })
  }
  return { held: true, release }
}

async function holds(path: string, holder: LockHolder | undefined): Promise<boolean> {
  if (holder !== undefined && holder.host === hostname()) return await isAlive(holder)
  try {
    return Date.now() - (await stat(path)).mtimeMs < SILENT_MS
  } catch {
    return false
  }
}

/** Removes exactly the lock that was found stale: two that find it at once must not remove each other's new one. */
async function removeStale(path: string, stale: LockHolder | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}.stale`
  try {
    await rename(path, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw error
  }
  const moved = await readHolder(aside)
  if (moved !== undefined && moved.token !== stale?.token) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

async function readHolder(path: string): Promise<LockHolder | undefined> {
  const value = await readJsonFile(path)
  const { host, token } = (value ?? {}) as { host?: unknown; token?: unknown }
  return isIdentity(value) && typeof host === 'string' && typeof token === 'string' ? (value as LockHolder) : undefined
}

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '')

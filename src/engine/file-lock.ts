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
  const text = JSON.stringify(mine)
  for (;;) {
    if (await create(path, text)) return hold(path, mine)
    const chain = await readChain(path)
    const last = chain.at(-1)
    if (last === undefined) continue
    if (await holds(last)) return { held: false, holder: last.holder }
    if (await succeed(path, chain, mine)) return hold(path, mine)
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
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
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

/** A lock file, or a claim to succeed its dead holder. `holder` is undefined while it is written, or when it is foreign. */
interface Link {
  readonly file: string
  readonly token: string
  readonly holder: LockHolder | undefined
}

/**
 * The lock, then the claim on it, then the claim on that one should its claimant have died, and so on: the last one
 * counts. Empty when there is no lock. A claim is a file beside the lock that is named for the token it succeeds.
 */
async function readChain(path: string): Promise<readonly Link[]> {
  const chain: Link[] = []
  for (let file = path; ; file = claimOn(path, chain.at(-1))) {
    const link = await readLink(file)
    if (link === undefined || chain.some(({ token }) => token === link.token)) return chain
    chain.push(link)
  }
}

/**
 * Takes the place of a dead holder. Only one process can create the claim on it, and it puts its own lock in place
 * before it removes the claim; so a claim on a lock that has changed meanwhile came too late, and is given up.
 */
async function succeed(path: string, chain: readonly Link[], mine: LockHolder): Promise<boolean> {
  const text = JSON.stringify(mine)
  const claim = claimOn(path, chain.at(-1))
  if (!(await create(claim, text))) return false
  const present = await readChain(path)
  const expected = [...chain.map(({ token }) => token), mine.token]
  if (present.map(({ token }) => token).join() !== expected.join()) {
    await rm(claim, { force: true })
    return false
  }
  const draft = `${path}.${randomUUID()}.tmp`
  await writeFile(draft, text, { flag: 'wx', mode: 0o600 })
  await rename(draft, path)
  for (const link of chain) await rm(claimOn(path, link), { force: true })
  return true
}

const claimOn = (path: string, link: Link | undefined): string => `${path}.${link?.token ?? 'none'}`

async function holds({ file, holder }: Link): Promise<boolean> {
  if (holder !== undefined && holder.host === hostname()) return await isAlive(holder)
  try {
    return Date.now() - (await stat(file)).mtimeMs < SILENT_MS
  } catch {
    return false
  }
}

async function readLink(file: string): Promise<Link | undefined> {
  const holder = await readHolder(file)
  if (holder !== undefined) return { file, token: holder.token, holder }
  const exists = await stat(file).then(
    () => true,
    () => false,
  )
  return exists ? { file, token: 'unreadable', holder } : undefined
}

async function readHolder(file: string): Promise<LockHolder | undefined> {
  const value = await readJsonFile(file)
  const { host, token } = (value ?? {}) as { host?: unknown; token?: unknown }
  // The token becomes part of a file's name.
  const isNamed = typeof host === 'string' && typeof token === 'string' && /^[\w-]{1,64}$/.test(token)
  return isIdentity(value) && isNamed ? (value as LockHolder) : undefined
}

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '')

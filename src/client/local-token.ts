import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { SopError } from '../core/errors.ts'
import type { Principal } from '../core/run/principal.ts'
import { writeWhole } from './token-file.ts'

/** Where the local token of a data directory is kept. */
const localTokenPath = (dataDir: string): string => join(dataDir, 'token')

/** The principal of local mode: the operating system's user, as admin (rulings 30). */
export function localPrincipal(): Principal {
  return { id: osUser(), kind: 'user', role: 'admin' }
}

/**
 * The local token, made at the first start (file mode 0600). A file that others could read is made private again.
 *
 * @throws SopError `unavailable` when the file can neither be read nor written.
 */
export async function openLocalToken(dataDir: string): Promise<{ readonly token: string; readonly path: string }> {
  const path = localTokenPath(dataDir)
  const present = await readLocalToken(dataDir)
  if (present !== undefined) {
    await makePrivate(path)
    return { token: present, path }
  }
  await mkdir(dataDir, { recursive: true })
  const token = `sop_${randomBytes(32).toString('base64url')}`
  // `link` refuses where a file stands already: of two first starts at once both end with the same token.
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeWhole(draft, `${token}\n`)
  try {
    await link(draft, path)
  } catch {
    const theirs = await readLocalToken(dataDir)
    if (theirs !== undefined) return { token: theirs, path }
    // An empty file, or a file system without links.
    await writeWhole(path, `${token}\n`)
  } finally {
    await rm(draft, { force: true })
  }
  return { token, path }
}

/** The local token as it is now; `undefined` when there is none. */
export async function readLocalToken(dataDir: string): Promise<string | undefined> {
  const path = localTokenPath(dataDir)
  try {
    const token = (await readFile(path, 'utf8')).trim()
    return token === '' ? undefined : token
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new SopError('unavailable', `Cannot read the local token "${path}": ${code}`, {}, error)
  }
}

async function makePrivate(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) await chmod(path, 0o600)
}

function osUser(): string {
  try {
    return userInfo().username
  } catch {
    // A container user without an entry in the password file.
    return typeof process.getuid === 'function' ? `uid-${process.getuid()}` : 'local'
  }
}

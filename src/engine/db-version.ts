import { constants, copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SopError } from '../core/errors.ts'
import { readJsonFile, writeFileAtomic } from './atomic-file.ts'
import { OLDEST_SERVER_VERSION, TEMPORAL_CLI_VERSION, TEMPORAL_SERVER_VERSION } from './temporal-release.ts'
import { compareVersions, isSameMinor, parseVersion } from './version.ts'

export const DB_FILE = 'temporal.db'

/**
 * Which server made the database file. The server makes the schema only of a file that does not exist, migrates
 * nothing, and half works on a file of another version: so we keep account.
 */
export interface DbRecord {
  readonly server: string
  /** `creating`: the server has never been ready on this file, so nothing of worth is in it. */
  readonly state: 'creating' | 'ready'
}

/** What is found in the folder of the embedded server. `record` is undefined when the file's maker is unknown. */
export interface DbFound {
  readonly exists: boolean
  readonly record?: DbRecord
}

export type DbPlan =
  | { readonly kind: 'create' }
  | { readonly kind: 'keep' }
  /** Copied aside first: `from` is the server that made it. */
  | { readonly kind: 'backup'; readonly from: string }
  | { readonly kind: 'refuse'; readonly reason: string }

/**
 * Decides how a server may use the file. Releases of one minor version share a schema: a later patch is fine after a
 * backup. An older server, or one of a later minor version whose schema steps we do not know, never touches the file.
 */
export function planDb({ exists, record }: DbFound, server: string): DbPlan {
  if (!exists || record?.state === 'creating') return { kind: 'create' }
  if (record === undefined) return { kind: 'refuse', reason: UNKNOWN_MAKER }
  const order = compareVersions(server, record.server)
  if (order === 0) return { kind: 'keep' }
  if (order < 0) return { kind: 'refuse', reason: `the database was made by the later server ${record.server}` }
  if (isSameMinor(server, record.server)) return { kind: 'backup', from: record.server }
  return {
    kind: 'refuse',
    reason: `the database was made by server ${record.server}, whose schema it does not migrate`,
  }
}

const UNKNOWN_MAKER = 'nothing says which server made the database'

/**
 * Before a binary is looked for, or built: no server that we accept could open the file.
 *
 * @throws SopError `conflict` with the way out
 */
export function assertUsable(folder: string, { exists, record }: DbFound): void {
  if (!exists || record?.state === 'creating') return
  const path = join(folder, DB_FILE)
  const elsewhere = 'give the engine another directory with SOP_DATA_DIR'
  if (record === undefined) {
    throw new SopError(
      'conflict',
      `Cannot open "${path}": ${UNKNOWN_MAKER}, and a server half works on the file of another one. If you know its ` +
        `version, write it beside the file, to "${versionPath(folder)}", as {"server":"${TEMPORAL_SERVER_VERSION}","state":"ready"}; ` +
        `else move the file away, or ${elsewhere}`,
    )
  }
  if (compareVersions(record.server, OLDEST_SERVER_VERSION) >= 0 || isSameMinor(record.server, OLDEST_SERVER_VERSION))
    return
  throw new SopError(
    'conflict',
    `Cannot open "${path}": server ${record.server} made it, this version needs ${OLDEST_SERVER_VERSION} or later, and no ` +
      `server migrates such a file. Let its runs end under the version of this engine that began them, then ${elsewhere}. ` +
      'Their records stay where they are',
    { server: record.server },
  )
}

export async function findDb(folder: string): Promise<DbFound> {
  const record = await readJsonFile(versionPath(folder))
  return { exists: await isFile(join(folder, DB_FILE)), ...(isRecord(record) && { record }) }
}

/**
 * Makes the folder ready for a server: what was never ready is removed, what another version made is copied aside.
 * @returns where the copy is, when one was made
 * @throws SopError `conflict` when this server must not use the file
 */
export async function prepareDb(folder: string, server: string, now: Date): Promise<string | undefined> {
  const found = await findDb(folder)
  if (found.record === undefined) assertUsable(folder, found)
  const plan = planDb(found, server)
  switch (plan.kind) {
    case 'create':
      for (const name of await dbFiles(folder)) await rm(join(folder, name))
      await writeRecord(folder, { server, state: 'creating' })
      return undefined
    case 'backup':
      return await backUp(folder, plan.from, now)
    case 'refuse':
      throw refuse(folder, server, plan.reason)
    case 'keep':
      return undefined
    default:
      return plan satisfies never
  }
}

/** Records, once a server is ready, that the file is its own from now on. */
export const recordDb = (folder: string, server: string): Promise<void> =>
  writeRecord(folder, { server, state: 'ready' })

async function backUp(folder: string, from: string, now: Date): Promise<string> {
  const target = join(folder, `backup-${from}-${now.toISOString().replace(/[:.]/g, '-')}`)
  await mkdir(target, { recursive: true, mode: 0o700 })
  for (const name of await dbFiles(folder)) {
    await copyFile(join(folder, name), join(target, name), constants.COPYFILE_FICLONE)
  }
  return target
}

function refuse(folder: string, server: string, reason: string): SopError {
  return new SopError(
    'conflict',
    `Cannot open "${join(folder, DB_FILE)}" with Temporal server ${server}: ${reason}. Use a Temporal CLI of that version ` +
      `(unset TEMPORAL_CLI_PATH to have ${TEMPORAL_CLI_VERSION} found), or give the engine another directory with SOP_DATA_DIR`,
    { server },
  )
}

const versionPath = (folder: string): string => join(folder, 'version.json')
const writeRecord = (folder: string, record: DbRecord): Promise<void> =>
  writeFileAtomic(versionPath(folder), `${JSON.stringify(record)}\n`)

const dbFiles = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => [DB_FILE, `${DB_FILE}-wal`, `${DB_FILE}-shm`].includes(name))

function isRecord(value: unknown): value is DbRecord {
  const { server, state } = (value ?? {}) as { server?: unknown; state?: unknown }
  return typeof server === 'string' && parseVersion(server) !== undefined && (state === 'creating' || state === 'ready')
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

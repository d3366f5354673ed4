import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Vault } from '../../activities/deps.ts'
import { SopError } from '../../core/errors.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

// vault.ts: values of secret params, encrypted by the process that puts them: the database, its backups and its replicas
// never hold one that can be read. A value is bound to its run and name, so that it cannot be moved to another.

export interface PostgresVaultOptions {
  readonly db: Database
  /** 32 bytes, the same in all processes of the installation. */
  readonly key: Uint8Array
  /** How long a step waits for a database that is down, in milliseconds. Default one minute. */
  readonly patienceMs?: number
}

/** Form of what is stored: this byte, nonce, tag, encrypted text. */
const FORM = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** The vault on PostgreSQL. */
export const createPostgresVault = ({ db, key, patienceMs = 60_000 }: PostgresVaultOptions): Vault => ({
  put: async (runId, name, value) => {
    await db.query(
      `INSERT INTO sop_vault (run_id, name, sealed) VALUES ($1, $2, $3)
         ON CONFLICT (run_id, name) DO UPDATE SET sealed = excluded.sealed`,
      [runId, name, seal(key, placeOf(runId, name), value)],
    )
  },
  get: async (runId, name) => {
    const read = () =>
      db.query<{ sealed: Buffer }>('SELECT sealed FROM sop_vault WHERE run_id = $1 AND name = $2', [runId, name])
    const [row] = await patiently(read, patienceMs)
    if (row === undefined) return undefined
    const value = open(key, placeOf(runId, name), row.sealed)
    if (value !== undefined) return value
    throw new SopError(
      'invalid',
      `Cannot read secret param "${name}" of run "${runId}": it was encrypted with another installation key, or was changed. Retry the run and give it again`,
    )
  },
  drop: async (runId) => {
    await db.query('DELETE FROM sop_vault WHERE run_id = $1', [runId])
  },
})

const placeOf = (runId: string, name: string): Buffer => Buffer.from(JSON.stringify([runId, name]))

const seal = (key: Uint8Array, place: Buffer, value: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(place)
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(FORM), nonce, cipher.getAuthTag(), text])
}

const open = (key: Uint8Array, place: Buffer, sealed: Buffer): string | undefined => {
  const [text, tag] = [1 + NONCE_BYTES + TAG_BYTES, 1 + NONCE_BYTES]
  if (sealed[0] !== FORM || sealed.length < text) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, tag), { authTagLength: TAG_BYTES })
      .setAAD(place)
      .setAuthTag(sealed.subarray(tag, text))
    return Buffer.concat([decipher.update(sealed.subarray(text)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

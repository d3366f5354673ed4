import { SopError } from '../../core/errors.ts'
import type { Database } from './database.ts'

/**
 * The first process of an installation puts the public half of its key into the database; every other one has to have
 * the same key, or its decisions, its commands and its secrets would mean nothing to the others.
 *
 * @throws SopError `conflict` for another key
 */
export const claimInstallation = async ({ query }: Pick<Database, 'query'>, authority: string): Promise<void> => {
  await query('INSERT INTO sop_installation (authority) VALUES ($1) ON CONFLICT DO NOTHING', [authority])
  const [row] = await query<{ authority: string }>('SELECT authority FROM sop_installation')
  if (row?.authority === authority) return
  throw new SopError(
    'conflict',
    'Cannot use the database of SOP_DATABASE_URL: it belongs to an installation with another key. Give this process the key ' +
      "of the others: SOP_INSTALLATION_KEY, or their file installation.key in this process's data directory",
  )
}

import type { Json } from '../../core/definition.ts'
import type { Database } from './database.ts'

/** What the engine remembers, for all processes of the installation: whichever of them leads next goes on from there. */
export const createPostgresState = ({ db }: { readonly db: Database }) => ({
  get: async (name: string): Promise<Json | undefined> => {
    const [row] = await db.query<{ value: Json }>('SELECT value FROM sop_state WHERE name = $1', [name])
    return row?.value
  },
  put: async (name: string, value: Json): Promise<void> => {
    await db.query(
      'INSERT INTO sop_state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      [name, JSON.stringify(value)],
    )
  },
})

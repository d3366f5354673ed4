import { join } from 'node:path'
import { z } from 'zod'
import { readJsonFile, writeFileAtomic } from '../atomic-file.ts'

// restored.ts: what a data directory that was restored says of itself, in `restored.json`, until it is a usual one.

const schema = z.object({
  /** Of the backup; ISO-8601 UTC, as the others. */
  backupAt: z.string(),
  restoredAt: z.string(),
  /** When its engine was first started. */
  cameUpAt: z.string().exactOptional(),
  /** When a person confirmed that it is to go on. */
  confirmedAt: z.string().exactOptional(),
})

/** Where a data directory came from. */
export type Restored = z.output<typeof schema>

const pathOf = (dataDir: string): string => join(dataDir, 'restored.json')

/** Undefined where the directory was not restored. */
export const readRestored = async (dataDir: string): Promise<Restored | undefined> => {
  const read = schema.safeParse(await readJsonFile(pathOf(dataDir)))
  return read.success ? read.data : undefined
}

export const writeRestored = (dataDir: string, restored: Restored): Promise<void> =>
  writeFileAtomic(pathOf(dataDir), `${JSON.stringify(restored, null, 2)}\n`)

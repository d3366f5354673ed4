import { z } from 'zod'

// manifest.ts: what a backup says of itself, as the last file of its archive: an archive without one is cut off.

/** Raised where an older restore would misread what is in an archive. */
export const BACKUP_FORMAT = 1

/** Its name in the archive. */
export const MANIFEST = 'manifest.json'

const manifestSchema = z.object({
  format: z.literal(BACKUP_FORMAT),
  /** Version of the engine that made it. */
  madeBy: z.string(),
  /** The instant of the copy of Temporal's database; ISO-8601 UTC. */
  at: z.string(),
  /** How long the server stood still for it, in milliseconds. */
  pausedMs: z.number(),
  files: z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string(), mode: z.int() })),
})

export type Manifest = z.output<typeof manifestSchema>

/** The manifest, or why it is none that this version reads. */
export const readManifest = (text: string): Manifest | { readonly problem: string } => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { problem: 'its manifest is damaged' }
  }
  const { format, madeBy } = (value ?? {}) as { format?: unknown; madeBy?: unknown }
  if (typeof format === 'number' && format > BACKUP_FORMAT)
    return {
      problem: `it has format ${format}, made by version ${String(madeBy)}, and this version reads format ${BACKUP_FORMAT}. Restore it with that version`,
    }
  const parsed = manifestSchema.safeParse(value)
  return parsed.success ? parsed.data : { problem: 'its manifest is damaged' }
}

import { createHash } from 'node:crypto'

/** As `sha256Hex` of core/canonical.ts, by Node's own code: the chain of a record is hashed event by event. */
export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex')

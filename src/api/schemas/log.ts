import { z } from 'zod'
import type { LogChunk } from '../../client/client.ts'
import { SopError } from '../../core/errors.ts'
import { flag, whole } from '../query.ts'

export interface LogQuery {
  readonly step?: number
  readonly attempt?: number
  readonly source?: string
  readonly offset?: number
  readonly limit?: number
  readonly wait?: number
  readonly follow?: boolean
  readonly format?: 'json' | 'text'
}

export const logQuery: z.ZodType<LogQuery> = z.strictObject({
  step: whole(0, 100_000).exactOptional().describe('Without it the newest'),
  attempt: whole(1, 100_000).exactOptional(),
  source: z.string().min(1).max(200).exactOptional().describe("`step`, `verify` or a gate's key"),
  offset: whole(0, Number.MAX_SAFE_INTEGER).exactOptional().describe('First byte'),
  limit: whole(1, 1024 * 1024)
    .exactOptional()
    .describe('Bytes'),
  wait: whole(0, 30_000).exactOptional().describe('Milliseconds to wait for more than `offset`'),
  follow: flag.exactOptional().describe('Server-sent events until the run ends'),
  format: z.enum(['json', 'text']).exactOptional().describe('Default: by the Accept header, else JSON'),
})

/** Where a stream goes on: `<step>.<attempt>.<source>.<next>`, as its events' ids say it. */
export interface StreamPosition {
  readonly step: number
  readonly attempt: number
  readonly source: string
  readonly offset: number
}

export const renderPosition = ({ stepNumber, attempt, source, next }: LogChunk): string =>
  `${stepNumber}.${attempt}.${encodeURIComponent(source)}.${next}`

/** @throws SopError `invalid` for an id that no stream of ours sent. */
export function parsePosition(id: string): StreamPosition {
  const parts = /^(\d{1,6})\.(\d{1,6})\.([^/]{1,600})\.(\d{1,15})$/.exec(id)
  try {
    if (parts !== null) {
      const [, step, attempt, source = '', offset] = parts
      return {
        step: Number(step),
        attempt: Number(attempt),
        source: decodeURIComponent(source),
        offset: Number(offset),
      }
    }
  } catch {
    // Broken percent encoding: as wrong as any other foreign id.
  }
  throw new SopError(
    'invalid',
    `Cannot resume the log at "${id.slice(0, 100)}": expected the id of an event of this stream`,
  )
}

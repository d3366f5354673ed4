import { z } from 'zod'
import { flag, whole } from '../query.ts'

export interface LogQuery {
  readonly step?: number
  readonly attempt?: number
  readonly source?: string
  readonly item?: number
  readonly offset?: number
  readonly limit?: number
  readonly wait?: number
  readonly follow?: boolean
  readonly format?: 'json' | 'text'
  readonly encoding?: 'base64'
}

export const logQuery: z.ZodType<LogQuery> = z.strictObject({
  step: whole(0, 100_000).exactOptional().describe('Without it the newest'),
  attempt: whole(1, 100_000).exactOptional(),
  source: z.string().min(1).max(200).exactOptional().describe("`step`, `verify`, `rollback` or a gate's key"),
  item: whole(1, 100_000).exactOptional().describe('Item of a for_each step, from 1'),
  offset: whole(0, Number.MAX_SAFE_INTEGER).exactOptional().describe('First byte'),
  limit: whole(1, 1024 * 1024)
    .exactOptional()
    .describe('Bytes'),
  wait: whole(0, 30_000).exactOptional().describe('Milliseconds to wait for more than `offset`'),
  follow: flag.exactOptional().describe('Server-sent events until the run ends'),
  encoding: z.literal('base64').exactOptional().describe('The bytes as they came, in `base64` instead of `text`'),
  format: z.enum(['json', 'text']).exactOptional().describe('Default: by the Accept header, else JSON'),
})

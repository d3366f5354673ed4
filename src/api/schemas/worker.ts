import { z } from 'zod'
import type { LogSum, Welcome } from '../../client/worker-door.ts'
import { RUN_STATES } from '../../core/run/state.ts'
import { whole } from '../query.ts'
import { components } from './registry.ts'

export const welcome: z.ZodType<Welcome> = z
  .object({
    version: z.string(),
    authority: z
      .string()
      .describe('Public key of the installation (Ed25519, raw, base64): what warrants are checked with'),
    taskQueue: z.string(),
    temporal: z.object({ address: z.string(), namespace: z.string() }),
  })
  .register(components, { id: 'Welcome', description: 'What a worker of a pool has to know before it can begin' })

export const putQuery: z.ZodType<{ readonly offset: number }> = z.strictObject({
  offset: whole(0, Number.MAX_SAFE_INTEGER).describe('Where the first byte of the body belongs'),
})

export const logSum: z.ZodType<LogSum> = z
  .strictObject({
    bytes: z.int().min(0),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
    cutBytes: z.int().min(0).exactOptional().describe('Bytes of output that are not in it, since a limit was reached'),
  })
  .register(components, { id: 'LogSum', description: 'What a whole log is known by' })

export const logNext = z
  .object({ next: z.int().describe('Offset to go on from') })
  .register(components, { id: 'LogNext' })

export const paramValue = z.object({ value: z.string() }).register(components, { id: 'SecretParam' })

export const runState = z.object({ status: z.enum(RUN_STATES) }).register(components, { id: 'RunState' })

/** Names of commands that a worker may carry out. */
export const EXECUTABLE_ID = /^(?:step|verify|rollback):[^\s/]{1,200}$/

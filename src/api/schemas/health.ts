import { z } from 'zod'
import type { Health } from '../../client/client.ts'
import { ERROR_CODES } from '../../core/errors.ts'
import { decisionReply } from './decision.ts'
import { components, list } from './registry.ts'

export const health: z.ZodType<Health> = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    version: z.string(),
    checks: z.record(
      z.string(),
      z.object({
        ok: z.boolean(),
        detail: z.string().exactOptional(),
        since: z.string().exactOptional().describe('When it was first seen not to work'),
        help: z.string().exactOptional().describe('The way out'),
        figures: z.record(z.string(), z.number()).exactOptional(),
      }),
    ),
  })
  .register(components, { id: 'Health' })

export const alive = z.object({ status: z.literal('ok') }).register(components, { id: 'Alive' })

export const readiness = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    checks: z.record(z.string(), z.object({ ok: z.boolean(), since: z.string().exactOptional() })),
  })
  .register(components, { id: 'Readiness' })

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(ERROR_CODES),
    requestId: z.string(),
    errors: list(z.object({ path: z.string(), message: z.string() }))
      .exactOptional()
      .describe('What the body or query has wrong'),
    reply: decisionReply.exactOptional().describe('The answer of the run to a refused decision'),
  })
  .register(components, { id: 'Problem', description: 'RFC 9457. Some refusals carry more members' })

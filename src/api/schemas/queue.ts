import { z } from 'zod'
import type {
  Queue,
  QueueChange,
  QueueEntry,
  QueueHolder,
  QueuePlace,
  QueueRequest,
} from '../../client/queue-client.ts'
import { components, instant, list } from './registry.ts'

const runId = z.string()
const priority = z.int().min(1).max(5).describe('1 critical, 2 high, 3 normal, 5 low')

const reason: z.ZodType<QueueEntry['waitsFor'][number]> = z
  .object({
    kind: z
      .enum(['slot', 'total', 'lock', 'cooldown', 'blackout', 'order'])
      .describe('`total`: the limit for all runs; `order`: a run before it needs the same lock'),
    text: z.string(),
    by: list(runId).exactOptional().describe('Runs that have it, or go before; at most 20'),
    lock: z.string().exactOptional(),
    until: instant.exactOptional(),
  })
  .register(components, { id: 'QueueReason' })

const entry: z.ZodType<QueueEntry> = z
  .object({
    position: z.int().min(1),
    runId,
    sop: z.string(),
    priority,
    since: instant,
    waitsFor: list(reason).describe('Empty where it gets in at any moment'),
    begun: z.literal(true).exactOptional().describe('It gave its slot away at a gate, and asks for it again'),
  })
  .register(components, { id: 'QueueEntry' })

const holder: z.ZodType<QueueHolder> = z
  .object({
    runId,
    sop: z.string(),
    locks: list(z.string()),
    slot: z.boolean().describe('false: it waits at a gate and gave its slot away'),
    since: instant.exactOptional(),
  })
  .register(components, { id: 'QueueHolder' })

export const queue: z.ZodType<Queue> = z
  .object({ waiting: list(entry), holders: list(holder) })
  .register(components, { id: 'Queue' })

const text = z.string().max(2_000).exactOptional().describe('Stands in the record')

const place: z.ZodType<QueuePlace> = z.discriminatedUnion('to', [
  z.strictObject({ to: z.literal('front') }),
  z.strictObject({ to: z.literal('before'), before: runId.min(1).max(1_000) }),
  z.strictObject({ to: z.literal('priority'), priority }),
])

export const moveBody: z.ZodType<QueueRequest & { readonly place: QueuePlace }> = z
  .strictObject({ place, reason: text })
  .register(components, { id: 'QueueMove' })

export const orderBody: z.ZodType<QueueRequest> = z
  .strictObject({ reason: text })
  .register(components, { id: 'QueueOrder' })

export const queueChange: z.ZodType<QueueChange> = z
  .object({ runId, action: z.enum(['move', 'drop', 'admit']), position: z.int().min(1).exactOptional() })
  .register(components, { id: 'QueueChange' })

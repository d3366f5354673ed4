import { z } from 'zod'
import { ERROR_CODES } from '../../core/errors.ts'
import { type Control, CONTROLS } from '../../core/run/controls.ts'
import { DECISION_KINDS, RETRY_OUTCOMES } from '../../core/run/decision.ts'
import { QUEUE_ACTIONS } from '../../core/run/queue-order.ts'
import type { QueueControl } from '../../core/run/queue-controls.ts'
import { components, list } from './registry.ts'

export const control: z.ZodType<Control> = z
  .object({
    name: z.enum(CONTROLS),
    verb: z.enum(DECISION_KINDS).describe('Sent to `POST /api/v1/runs/{id}/{verb}` with `body`'),
    about: z.enum(['run', 'gate', 'step', 'item']),
    label: z.string(),
    body: z.object({
      gate: z.string().exactOptional(),
      step: z.int().exactOptional(),
      attempt: z.int().exactOptional(),
      item: z.int().exactOptional(),
      covers: z.string().exactOptional(),
      rollback: z.literal(true).exactOptional(),
      failed: z.literal(true).exactOptional(),
      outcome: z.enum(RETRY_OUTCOMES).exactOptional(),
    }),
    allowed: z.boolean(),
    reason: z.string().exactOptional().describe('Why not'),
    code: z.enum(ERROR_CODES).exactOptional(),
    leadsTo: z.string().exactOptional(),
    secondLook: z.literal(true).exactOptional().describe('It cannot be taken back'),
    secrets: list(z.string()).exactOptional().describe('Secret params whose values have to come along again'),
  })
  .register(components, { id: 'Control' })

export const queueControl: z.ZodType<QueueControl> = z
  .object({
    action: z.enum(QUEUE_ACTIONS).describe('Sent to `POST /api/v1/queue/{id}/{action}`'),
    label: z.string(),
    allowed: z.boolean(),
    reason: z.string().exactOptional().describe('Why not'),
    code: z.enum(ERROR_CODES).exactOptional(),
  })
  .register(components, { id: 'QueueControl' })

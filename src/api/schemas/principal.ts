import { z } from 'zod'
import { PRINCIPAL_KINDS, SURFACES, TOKEN_ROLES, type Principal, type TriggerInfo } from '../../core/run/principal.ts'
import { components, json, list } from './registry.ts'

export const principal: z.ZodType<Principal> = z
  .object({
    id: z.string(),
    kind: z.enum(PRINCIPAL_KINDS),
    groups: list(z.string()).exactOptional(),
    role: z.enum(TOKEN_ROLES).exactOptional(),
    verified: z.literal(false).exactOptional().describe('Nothing vouches for the id'),
  })
  .register(components, { id: 'Principal', description: 'Who or what acted' })

export const surface = z.enum(SURFACES).describe('The surface by which it came')

const triggerFields = {
  type: z.string().describe('manual, cron, webhook, file_watch, command, event, mqtt, amqp or sop'),
  path: z.string().exactOptional(),
  event: z.string().exactOptional(),
  scheduledAt: z.string().exactOptional(),
  headers: z.record(z.string(), z.string()).exactOptional(),
  payload: json.exactOptional().describe('The whole payload, where it is more than the params'),
}

export const triggerInfo: z.ZodType<TriggerInfo> = z
  .object(triggerFields)
  .register(components, { id: 'TriggerInfo', description: 'Why a run began' })

/** The same as part of a request: unknown keys are refused. */
export const triggerRequest: z.ZodType<TriggerInfo> = z.strictObject(triggerFields)

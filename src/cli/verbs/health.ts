import type { Verb } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { renderHealth } from '../render/health.ts'

export interface HealthOptions {
  readonly long?: boolean
}

export const health: Verb<HealthOptions> = async (context, _args, { long = false }) => {
  const client = await context.client()
  const found = await client.health()
  const { colours, io } = context
  context.show(found, (clean) => renderHealth(clean, { colours, now: io.now(), long }))
  return found.status === 'ok' ? undefined : exitCode('failed')
}

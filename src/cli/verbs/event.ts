import type { Verb } from '../command.ts'
import { readJson } from '../params.ts'
import { showAccepted } from '../render/accepted.ts'

export interface EventOptions {
  readonly payload?: string
  readonly key?: string
}

export const event: Verb<EventOptions> = async (context, [name = ''], { payload, key }) => {
  const read = payload === undefined ? undefined : await readJson(context.io, '--payload', payload)
  const client = await context.client()
  const accepted = await client.sendEvent({
    event: name,
    ...(read !== undefined && { payload: read }),
    ...(key !== undefined && { key }),
  })
  return showAccepted(context, accepted)
}

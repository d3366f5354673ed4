import { refuseValue } from '../dialect/values.ts'
import { spell } from '../dialect/spell.ts'
import type { Trigger } from '../definition.ts'
import { readKeyRule } from '../trigger/key.ts'
import { readSignature } from '../trigger/signature.ts'
import { compact } from './compact.ts'
import type { GivenTrigger } from './given-trigger.ts'
import { readWebhookPath } from './webhook-path.ts'

// build-webhook.ts: a trigger that a request begins: its path, and how it is known to be genuine and to come once.

/** The trigger of a webhook; undefined where its path cannot be one: the report says why. */
export const webhookTrigger = (given: GivenTrigger): Trigger | undefined =>
  given.required('path', (written) => {
    const path = readWebhookPath(given.fields, written)
    if (path === undefined) return undefined
    const secret = given.fields.text('secret')
    if (secret !== undefined && !given.context.secrets.includes(secret) && !/^[A-Z][A-Z0-9_]*$/.test(secret)) {
      given.report.add(
        'plain-secret',
        given.fields.valuePlace('secret'),
        'The secret of the webhook stands in the file itself, where everybody can read it',
        'Write the name of a secret in capitals, as in HOOK_SECRET, and set it where the engine is started',
      )
    }
    const methods = given.fields.list('methods')?.map(({ text, place }) => ({ text: text.toUpperCase(), place }))
    for (const { text, place } of methods ?? []) {
      if (!['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(text))
        refuseValue(
          place,
          given.fields.asked('methods'),
          `"${text.slice(0, 20)}" is not one of GET, POST, PUT, PATCH, DELETE`,
        )
    }
    return compact({
      type: 'webhook' as const,
      path,
      methods: methods === undefined || methods.length === 0 ? undefined : methods.map(({ text }) => text),
      secret,
      signature: signature(given, secret),
      replayWindowMs: given.fields.duration('replay_window') ?? undefined,
      idempotencyKey: idempotencyKey(given),
      params: given.mapping(),
    })
  })

const signature = (given: GivenTrigger, secret: string | undefined): string | undefined => {
  const written = given.fields.text('signature')
  if (written === undefined) return undefined
  const read = readSignature(written)
  if (!read.ok) return refuseValue(given.fields.valuePlace('signature'), given.fields.asked('signature'), read.reason)
  if (secret !== undefined) return written.trim()
  const asked = given.fields.asked('signature')
  return refuseValue(
    given.fields.valuePlace('signature'),
    asked,
    'a signature needs a secret',
    `Write ${spell(given.table.place, 'secret', 'NAME')}`,
  )
}

const idempotencyKey = (given: GivenTrigger): string | undefined => {
  const written = given.fields.text('idempotency_key')
  if (written === undefined) return undefined
  const read = readKeyRule(written)
  if (read.ok) return written.trim()
  return refuseValue(given.fields.valuePlace('idempotency_key'), given.fields.asked('idempotency_key'), read.reason)
}

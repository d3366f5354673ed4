import type { Verb } from '../command.ts'
import { renderAudit } from '../render/audit.ts'

export const audit: Verb<{ readonly long?: boolean }> = async (context, [ref = ''], { long }) => {
  const log = await (await context.client()).getAuditLog(ref)
  context.show(log, (clean) =>
    renderAudit(clean, { colours: context.colours, now: context.io.now(), long: long === true }),
  )
  return undefined
}

import type { Health, HealthCheck } from '../../client/client.ts'
import type { RunLook } from './run-view.ts'
import { renderInstant } from './time.ts'

/** What does not work, each with since when and the way out; `long` shows what works, and figures, as well. */
export const renderHealth = ({ status, version, checks }: Health, look: RunLook): string => {
  const shown = Object.entries(checks).filter(([, { ok }]) => look.long || !ok)
  const { colours } = look
  const word = status === 'ok' ? colours.green('ok') : status === 'down' ? colours.red('down') : colours.yellow(status)
  const head = `Engine ${version}: ${word}`
  if (shown.length === 0) return `${head}. All ${Object.keys(checks).length} checks are well.`
  return [head, ...shown.flatMap(([name, check]) => lines(name, check, look))].join('\n')
}

const lines = (name: string, check: HealthCheck, { colours, now, long }: RunLook): readonly string[] => {
  const { ok, detail, since, help, figures = {} } = check
  const when = since === undefined ? '' : ` (since ${renderInstant(since, now, long)})`
  const mark = ok ? colours.green('ok') : colours.red('not ok')
  const values = Object.entries(figures).map(([key, value]) => `${key} ${value}`)
  return [
    `  ${name}: ${mark}${detail === undefined ? '' : `: ${detail}`}${when}`,
    ...(help === undefined || ok ? [] : [`    ${help}.`.replace(/\.\.$/, '.')]),
    ...(long && values.length > 0 ? [colours.dim(`    ${values.join(', ')}`)] : []),
  ]
}

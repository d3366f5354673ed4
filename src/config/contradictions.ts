import type { Config } from '../config.ts'
import type { ConfigProblem } from './source.ts'

/** What no single setting can tell: values that do not go together. */
export function contradictions({ api, temporal }: Config): readonly ConfigProblem[] {
  const ports = new Map([['api.port', api.port]])
  if (temporal.address === undefined) {
    ports.set('temporal.port', temporal.port)
    if (temporal.ui) ports.set('temporal.ui_port', temporal.uiPort)
  }
  const taken = new Map<number, string>()
  const problems: ConfigProblem[] = []
  for (const [key, port] of ports) {
    const other = taken.get(port)
    if (port === 0) continue
    if (other === undefined) taken.set(port, key)
    else
      problems.push({
        severity: 'error',
        origin: key,
        message: `Cannot use port ${port} for "${key}": "${other}" has it`,
        help: 'Give one of them another port, or 0 for any free one.',
      })
  }
  return problems
}

import { UsageError, exitCode } from '../exit-codes.ts'
import type { Verb } from '../command.ts'
import { renderUpgrade } from '../render/upgrade.ts'

export interface CheckUpgradeOptions {
  readonly concurrency?: string
  readonly strict?: boolean
}

const DEFAULT_CONCURRENCY = 4
const MAX_CONCURRENCY = 64

export const checkUpgrade: Verb<CheckUpgradeOptions> = async (context, _args, { concurrency, strict }) => {
  const report = await context.ports.checkUpgrade({ concurrency: concurrencyOf(concurrency), json: context.json })
  const isRefused = report.broken.length > 0 || (strict === true && report.noted.length > 0)
  context.show({ ...report, ok: !isRefused }, (clean) => renderUpgrade(clean, context.colours))
  return exitCode(isRefused ? 'failed' : 'ok')
}

const concurrencyOf = (text: string | undefined): number => {
  if (text === undefined) return DEFAULT_CONCURRENCY
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= MAX_CONCURRENCY) return number
  throw new UsageError(`Cannot read --concurrency "${text}": give a whole number from 1 to ${MAX_CONCURRENCY}`)
}

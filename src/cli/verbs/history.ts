import type { Verb } from '../command.ts'
import { readNumber } from '../params.ts'
import { renderRunList } from '../render/run-list.ts'
import { sopCommand } from '../render/shell-word.ts'

export const history: Verb<{ readonly limit?: string; readonly long?: boolean }> = async (
  context,
  [sop = ''],
  options,
) => {
  const limit = readNumber('--limit', options.limit, { least: 1, most: 1_000 }) ?? 10
  const client = await context.client()
  const runs = await client.listRuns({ sop, limit })
  // No runs: of an SOP that is there, or of one that is not? The second is an error.
  if (runs.length === 0) await client.getSop(sop)
  context.show(runs, (clean) =>
    clean.length === 0
      ? `No runs of "${sop}" yet. Start one: ${sopCommand('run', sop)}`
      : renderRunList(clean, { colours: context.colours, now: context.io.now(), long: options.long === true }),
  )
  return undefined
}

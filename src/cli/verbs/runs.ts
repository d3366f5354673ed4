import { CLOSED_STATES } from '../../core/run/state.ts'
import type { Verb } from '../command.ts'
import { readNumber } from '../params.ts'
import { renderRunList } from '../render/run-list.ts'
import { sopCommand } from '../render/shell-word.ts'
import { OPEN_STATES } from './status.ts'

export interface RunsOptions {
  readonly sop?: string
  readonly state?: readonly string[]
  readonly limit?: string
  readonly long?: boolean
}

export const runs: Verb<RunsOptions> = async (context, _args, options) => {
  const limit = readNumber('--limit', options.limit, { least: 1, most: 1_000 })
  const states = options.state?.flatMap((state) =>
    state === 'open' ? OPEN_STATES : state === 'closed' ? CLOSED_STATES : [state],
  )
  const found = await (await context.client()).listRuns({
    ...(options.sop === undefined ? {} : { sop: options.sop }),
    ...(states === undefined ? {} : { states }),
    ...(limit === undefined ? {} : { limit }),
  })
  context.show(found, (clean) =>
    clean.length === 0
      ? emptyText(options)
      : renderRunList(clean, { colours: context.colours, now: context.io.now(), long: options.long === true }),
  )
  return undefined
}

const emptyText = ({ sop, state }: RunsOptions): string => {
  if (state !== undefined)
    return `No runs in state ${state.join(' or ')}. All runs: ${sopCommand('runs', ...(sop === undefined ? [] : ['--sop', sop]))}`
  return sop === undefined
    ? 'No runs yet. Start one: sop run NAME'
    : `No runs of "${sop}" yet. Start one: ${sopCommand('run', sop)}`
}

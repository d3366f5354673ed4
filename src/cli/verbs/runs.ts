import type { RunListFilter, RunPage } from '../../client/client.ts'
import { CLOSED_STATES } from '../../core/run/state.ts'
import type { Verb } from '../command.ts'
import { readNumber } from '../params.ts'
import { renderRunList } from '../render/run-list.ts'
import { shellWord, sopCommand } from '../render/shell-word.ts'
import { OPEN_STATES } from './status.ts'

export interface RunsOptions {
  readonly sop?: string
  readonly state?: readonly string[]
  readonly priority?: readonly string[]
  readonly trigger?: readonly string[]
  readonly waiting?: boolean
  readonly from?: string
  readonly to?: string
  readonly text?: string
  readonly cursor?: string
  readonly limit?: string
  readonly long?: boolean
}

export const runs: Verb<RunsOptions> = async (context, _args, options) => {
  const page = await (await context.client()).listRunPage(filterOf(options))
  context.show(page.runs, (clean) =>
    clean.length === 0
      ? emptyText(options)
      : `${renderRunList(clean, { colours: context.colours, now: context.io.now(), long: options.long === true })}${moreText(page)}`,
  )
  return undefined
}

const filterOf = (options: RunsOptions): RunListFilter => {
  const limit = readNumber('--limit', options.limit, { least: 1, most: 1_000 })
  const { sop, priority, trigger, waiting, from, to, text, cursor } = options
  const states = options.state?.flatMap((state) =>
    state === 'open' ? OPEN_STATES : state === 'closed' ? CLOSED_STATES : [state],
  )
  return {
    ...(sop === undefined ? {} : { sop }),
    ...(states === undefined ? {} : { states }),
    ...(priority === undefined ? {} : { priorities: priority }),
    ...(trigger === undefined ? {} : { triggers: trigger }),
    ...(waiting === true ? { waiting } : {}),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(text === undefined ? {} : { text }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(limit === undefined ? {} : { limit }),
  }
}

/** Where the list goes on, for whoever reads it. */
const moreText = ({ runs: shown, next, total, more }: RunPage): string => {
  if (next === undefined) return ''
  const all = total === undefined ? '' : ` of ${total}${more === true ? ' or more' : ''}`
  return `\n${shown.length}${all} runs. Go on with the same filters and --cursor ${shellWord(next)}`
}

const emptyText = ({ sop, state, cursor, priority, trigger, waiting, from, to, text }: RunsOptions): string => {
  const all = sopCommand('runs', ...(sop === undefined ? [] : ['--sop', sop]))
  const narrows = [priority, trigger, from, to, text].some((filter) => filter !== undefined)
  if (cursor !== undefined) return `No more runs. From the beginning: ${all}`
  if (narrows) return `No runs fit. All runs: ${all}`
  if (waiting === true) return `No run waits for a person. All runs: ${all}`
  if (state !== undefined) return `No runs in state ${state.join(' or ')}. All runs: ${all}`
  return sop === undefined
    ? 'No runs yet. Start one: sop run NAME'
    : `No runs of "${sop}" yet. Start one: ${sopCommand('run', sop)}`
}

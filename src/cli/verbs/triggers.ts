import { resolve } from 'node:path'
import type { DeliveryVerdict } from '../../core/trigger/delivery.ts'
import type { OccurrenceSource } from '../../core/trigger/occurrence.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { exitCode, UsageError } from '../exit-codes.ts'
import { readJson, readNumber, readPairsOf } from '../params.ts'
import { showAccepted } from '../render/accepted.ts'
import { renderDeliveries, renderTests, renderTriggers } from '../render/triggers.ts'

export interface TriggersOptions {
  readonly sop?: string
  readonly payload?: string
  readonly source?: OccurrenceSource
  readonly subject?: string
  readonly action?: string
  readonly header?: readonly string[]
  readonly verdict?: DeliveryVerdict
  readonly limit?: string
  readonly long?: boolean
}

export const triggers: Verb<TriggersOptions> = async (context, [what, of], options) => {
  checkOptions(what, options)
  if (what === 'test') return test(context, of, options)
  if (what === 'deliveries') return deliveries(context, of, options)
  if (what === 'redeliver') {
    if (of === undefined) throw new UsageError('Cannot deliver again: it needs the id of a delivery')
    return showAccepted(context, await (await context.client()).redeliver(of))
  }
  if (of !== undefined) throw new UsageError(`Cannot read "${of}": an SOP stands alone`)
  const sop = sopOf(what, options)
  const found = await (await context.client()).listTriggers(sop)
  context.show(found, (clean) =>
    clean.length === 0
      ? `No triggers${sop === undefined ? '' : ` of "${sop}"`}: runs are started by hand`
      : renderTriggers(clean, look(context, options)),
  )
  for (const { sop: name, problem } of found) if (problem !== undefined) context.hint(`${name}: ${problem}`)
  return undefined
}

/** Options of one action; the others stand everywhere, or are for the lists. */
const BELONGS: Readonly<Partial<Record<keyof TriggersOptions, readonly string[]>>> = {
  payload: ['test'],
  subject: ['test'],
  action: ['test'],
  header: ['test'],
  source: ['test', 'deliveries'],
  verdict: ['deliveries'],
  limit: ['deliveries'],
}

const checkOptions = (what: string | undefined, options: TriggersOptions): void => {
  for (const [name, actions] of Object.entries(BELONGS)) {
    if (options[name as keyof TriggersOptions] === undefined || (what !== undefined && actions.includes(what))) continue
    const belongs = actions.map((action) => `"${action}"`).join(' and ')
    throw new UsageError(`Cannot use --${name} here: it belongs to ${belongs}`)
  }
  if (what === 'redeliver' && options.sop !== undefined)
    throw new UsageError('Cannot use --sop here: a delivery is delivered again to its own SOP')
}

const look = ({ colours, io }: Context, { long }: TriggersOptions) => ({ colours, now: io.now(), long: long === true })

/** The SOP by its place or its option, and not two different ones. */
const sopOf = (argument: string | undefined, { sop }: TriggersOptions): string | undefined => {
  if (argument !== undefined && sop !== undefined && argument !== sop)
    throw new UsageError(`Cannot choose an SOP: it is "${argument}" and --sop says "${sop}"`)
  return argument ?? sop
}

const deliveries = async (context: Context, of: string | undefined, options: TriggersOptions) => {
  const { source, verdict } = options
  const limit = readNumber('--limit', options.limit, { least: 1, most: 1_000 })
  const sop = sopOf(of, options)
  const found = await (await context.client()).listDeliveries({
    ...(sop !== undefined && { sop }),
    ...(source !== undefined && { source }),
    ...(verdict !== undefined && { verdict }),
    ...(limit !== undefined && { limit }),
  })
  context.show(found, (clean) =>
    clean.length === 0 ? 'Nothing came for triggers.' : renderDeliveries(clean, look(context, options)),
  )
  return undefined
}

/** Exit code 1 where nothing would start. */
const test = async (context: Context, file: string | undefined, options: TriggersOptions) => {
  if (file !== undefined && options.payload !== undefined)
    throw new UsageError('Cannot read the payload: give a file or --payload, not both')
  const text = file === undefined ? options.payload : file === '-' ? '-' : `@${file}`
  const { source, subject, action, sop } = options
  if (text === undefined && subject === undefined)
    throw new UsageError('Cannot test triggers: give a file with the payload, --payload, or --source and --subject')
  const headers = readPairsOf('--header', options.header)
  const results = await (await context.client()).testTrigger({
    ...(source !== undefined && { source }),
    ...(subject !== undefined && { subject: source === 'file_watch' ? resolve(context.io.cwd, subject) : subject }),
    ...(action !== undefined && { action }),
    ...(sop !== undefined && { sop }),
    ...(text !== undefined && { payload: await readJson(context.io, 'the payload', text) }),
    ...(headers !== undefined && { headers }),
  })
  context.show(results, (clean) => (clean.length === 0 ? 'No SOP has a trigger for it.' : renderTests(clean)))
  return exitCode(results.some(({ verdict }) => verdict === 'would_start') ? 'ok' : 'failed')
}

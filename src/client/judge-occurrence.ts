import type { Json, Param, SopDefinition, Trigger } from '../core/definition.ts'
import { type ErrorCode, SopError } from '../core/errors.ts'
import { type CheckedParams, checkParams } from '../core/params.ts'
import type { PinnedSop } from '../core/run/run.ts'
import { unsupported } from '../core/run/supported.ts'
import { inAskedOrder, ofOneMessage, ofOneSop } from '../core/trigger/choose.ts'
import { type Addressed, addressed, matchTrigger, secretsBrought, triggerFacts } from '../core/trigger/match.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'
import { inZeroclawWords } from '../core/trigger/zeroclaw.ts'
import { type AskFact, askFacts } from './ask-facts.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import type { Pin } from './pin.ts'
import type { Admission, DeliverOptions } from './trigger-door.ts'

// judge-occurrence.ts: which runs an occurrence would start, with which params, and why not. Starts nothing.

export interface JudgeDeps {
  readonly catalog: Catalog
  readonly pin: Pin
  readonly resolveFact: AskFact
  /** Where relative paths of files begin. Default `/`. */
  readonly workdir?: string
}

/** One SOP that has a trigger for the occurrence. */
export type Judged = Omit<Admission, 'refusal'> & {
  readonly sop: string
  readonly trigger: number
  /** What came for its secret params, whatever the verdict. Absent: nothing did. */
  readonly secrets?: readonly Json[]
} & (
    | {
        readonly verdict: 'ready'
        readonly pinned: PinnedSop
        readonly params: Extract<CheckedParams, { ok: true }>
        readonly taken: number
      }
    | { readonly verdict: 'refused'; readonly code: ErrorCode; readonly reason: string }
    | { readonly verdict: 'unmatched'; readonly reason: string }
  )

/** The triggers that an SOP had when it last compiled: while it is broken its owner is told, not its sender misled. */
export type LastTriggers = Map<string, Asked>
type Asked = Pick<SopDefinition, 'triggers' | 'secrets' | 'params'>

/** Asks every SOP; `core/trigger/choose.ts` says which of several counts. */
export const judge = async (
  deps: JudgeDeps,
  last: LastTriggers,
  occurrence: Occurrence,
  options: DeliverOptions,
): Promise<readonly Judged[]> => {
  const entries = await deps.catalog.list()
  const meant = entries.flatMap((entry) => {
    const { triggers, secrets = [], params = [] } = triggersOf(entry, last)
    const found = triggers.flatMap((trigger, index) => {
      const how = addressed(trigger, occurrence, deps.workdir)
      const isMeant = how !== undefined && options.concerns?.(entry.name, trigger) !== false
      return !isMeant || (options.only !== undefined && !isOnly(options.only, entry.name, index))
        ? []
        : [{ trigger, index, how, secrets, params }]
    })
    return found.length === 0 ? [] : [{ entry, found }]
  })
  const judged = await Promise.all(meant.map(({ entry, found }) => judgeSop(deps, entry, found, occurrence, options)))
  return occurrence.source === 'command' ? withoutPassedOver(judged) : judged
}

const isOnly = (only: NonNullable<DeliverOptions['only']>, sop: string, index: number): boolean =>
  only.sop === sop && (only.trigger === undefined || only.trigger === index)

const triggersOf = ({ path, compiled: { definition } }: CatalogEntry, last: LastTriggers): Asked => {
  if (definition === undefined) return last.get(path) ?? { triggers: [] }
  const { triggers, secrets, params } = definition
  last.set(path, { triggers, ...(secrets && { secrets }), ...(params && { params }) })
  return definition
}

interface Found {
  readonly trigger: Trigger
  readonly index: number
  readonly how: Addressed
  /** Names that the SOP declares. */
  readonly secrets: readonly string[]
  readonly params: readonly Param[]
}

/** Asks no further once a trigger is met. */
const judgeSop = async (
  deps: JudgeDeps,
  entry: CatalogEntry,
  found: readonly Found[],
  occurrence: Occurrence,
  options: DeliverOptions,
): Promise<Judged> => {
  const asked: Judged[] = []
  for (const each of inAskedOrder(found, occurrence.source)) {
    asked.push(await judgeTrigger(deps, entry, each, occurrence, options))
    if (asked.at(-1)?.verdict === 'ready') break
  }
  const secrets = found.flatMap(({ trigger, how, params }) => secretsBrought(trigger, occurrence, how, params))
  return { ...(ofOneSop(asked) as Judged), ...(secrets.length > 0 && { secrets }) }
}

const judgeTrigger = async (
  deps: JudgeDeps,
  entry: CatalogEntry,
  { trigger, index, how, secrets }: Found,
  occurrence: Occurrence,
  { admits, bars }: DeliverOptions,
): Promise<Judged> => {
  const { refusal, ...sender } = (await admits?.(entry.name, trigger, secrets)) ?? {}
  const at = { sop: entry.name, trigger: index, ...sender }
  const refused = (code: ErrorCode, reason: string): Judged => ({ ...at, verdict: 'refused', code, reason })
  if (refusal !== undefined) return refused(refusal.code, refusal.reason)
  const bar = bars?.(entry.name)
  if (bar !== undefined) return refused('conflict', bar)
  let pinned: PinnedSop
  try {
    pinned = deps.pin.pinEntry(entry)
    const [blocker] = unsupported(pinned.definition)
    if (blocker !== undefined) return refused('conflict', `Cannot start SOP "${entry.name}": ${blocker}`)
  } catch (error) {
    if (error instanceof SopError) return refused('conflict', error.message)
    throw error
  }
  const { definition, policy } = pinned
  const known = [...policy.facts, ...policy.env.map((each) => `env.${each}`)]
  const facts = await askFacts(deps.resolveFact, triggerFacts(trigger, known), definition.timezone ?? policy.timezone)
  const told = definition.dialect === 'Z' ? inZeroclawWords(occurrence) : occurrence
  const match = matchTrigger(trigger, told, how, {
    facts: facts.values,
    ...(facts.errors && { factErrors: facts.errors }),
  })
  if (!match.matches && match.why === 'unmet') return { ...at, verdict: 'unmatched', reason: match.reason }
  if (!match.matches) return refused('invalid', `Cannot start SOP "${entry.name}": ${match.reason}`)
  const params = checkParams(definition.params, match.params, 'trigger')
  if (!params.ok) return refused('invalid', `Cannot start SOP "${entry.name}": ${params.problems.join('; ')}`)
  try {
    return { ...at, verdict: 'ready', pinned: await deps.pin.pinChildren(pinned), params, taken: how.taken }
  } catch (error) {
    if (error instanceof SopError) return refused('conflict', error.message)
    throw error
  }
}

/** As if those had not been meant that another SOP is chosen before. */
const withoutPassedOver = (judged: readonly Judged[]): readonly Judged[] => {
  const passedOver = ofOneMessage(judged)
  return judged.map((each) => {
    const { reason } = passedOver.get(each) ?? {}
    const { sop, trigger, key, secrets } = each
    const at = { sop, trigger, ...(key !== undefined && { key }), ...(secrets && { secrets }) }
    return reason === undefined ? each : { ...at, verdict: 'unmatched', reason }
  })
}

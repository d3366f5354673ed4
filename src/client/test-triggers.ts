import { basename, dirname } from 'node:path'
import type { Client } from '@temporalio/client'
import type { Actor } from '../core/access.ts'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { HIDDEN } from '../core/secret-param.ts'
import { awaitedBy } from '../core/trigger/describe.ts'
import type { Occurrence, OccurrenceSource } from '../core/trigger/occurrence.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import { isInTemporal } from './find-run.ts'
import type { Judged } from './judge-occurrence.ts'
import { findEntry } from './pin.ts'
import { keyedRunId } from './start-run.ts'
import type { TriggerTest, TriggerTestResult } from './trigger-client.ts'
import type { TriggerDoor } from './trigger-door.ts'

// test-triggers.ts: what would start, with which params, and why not. Nothing is started or recorded.

export interface TriggerTestDeps {
  readonly temporal: Client
  readonly catalog: Catalog
  readonly triggers: Pick<TriggerDoor, 'judge'>
}

/** What happens where a test does not say. */
const USUAL_ACTION: Readonly<Partial<Record<OccurrenceSource, string>>> = {
  webhook: 'POST',
  file_watch: 'create',
  sop: 'completed',
}

/** What the source itself brings, as far as it can be told without it. */
const usualPayload = (source: OccurrenceSource, subject: string, action: string | undefined): Json => {
  if (source === 'command') return { message: subject }
  if (source === 'sop') return { sop: subject, status: action ?? '' }
  if (source !== 'file_watch') return {}
  return { path: subject, name: basename(subject), folder: dirname(subject), event: action ?? '' }
}

/** Sources whose triggers take a payload from outside. */
const WITH_PAYLOAD: readonly OccurrenceSource[] = ['webhook', 'event', 'mqtt', 'amqp']

/**
 * Judges what would come: at each trigger that takes a payload, or at those that source and subject mean.
 *
 * @throws SopError `invalid` for a source without a subject, or the other way round
 */
export const testTriggers = async (
  deps: TriggerTestDeps,
  test: TriggerTest,
  { principal }: Actor,
): Promise<readonly TriggerTestResult[]> => {
  const entries = test.sop === undefined ? await deps.catalog.list() : [await findEntry(deps.catalog, test.sop)]
  const base = {
    at: new Date().toISOString(),
    payload: test.payload ?? {},
    ...(test.headers && { headers: test.headers }),
    ...(test.key !== undefined && { key: test.key }),
    principal,
  }
  const { source, subject } = test
  if (source !== undefined && subject !== undefined) {
    const action = test.action ?? USUAL_ACTION[source]
    const payload = test.payload ?? usualPayload(source, subject, action)
    const occurrence = { ...base, payload, source, subject, ...(action !== undefined && { action }) }
    const only = test.sop === undefined ? {} : { only: { sop: test.sop } }
    return Promise.all(
      (await deps.triggers.judge(occurrence, only)).map((each) => resultOf(deps, entries, each, occurrence)),
    )
  }
  if (source !== undefined || subject !== undefined)
    throw new SopError('invalid', 'Cannot test triggers: give source and subject together, or neither')
  const results = await Promise.all(
    entries.flatMap((entry) =>
      (entry.compiled.definition?.triggers ?? []).flatMap((trigger, index) => {
        const own = WITH_PAYLOAD.find((each) => each === trigger.type)
        if (own === undefined) return []
        const action = test.action ?? (trigger.type === 'webhook' ? (trigger.methods ?? ['POST'])[0] : undefined)
        const occurrence = {
          ...base,
          source: own,
          subject: awaitedBy(trigger),
          ...(action !== undefined && { action }),
        }
        return [judgeOne(deps, entries, occurrence, { sop: entry.name, trigger: index })]
      }),
    ),
  )
  return results.flat()
}

const judgeOne = async (
  deps: TriggerTestDeps,
  entries: readonly CatalogEntry[],
  occurrence: Occurrence,
  only: { readonly sop: string; readonly trigger: number },
): Promise<readonly TriggerTestResult[]> =>
  Promise.all(
    (await deps.triggers.judge(occurrence, { only })).map((each) => resultOf(deps, entries, each, occurrence)),
  )

const resultOf = async (
  deps: TriggerTestDeps,
  entries: readonly CatalogEntry[],
  judged: Judged,
  { source, key }: Occurrence,
): Promise<TriggerTestResult> => {
  const trigger = entries.find(({ name }) => name === judged.sop)?.compiled.definition?.triggers[judged.trigger]
  const at = {
    sop: judged.sop,
    trigger: judged.trigger,
    type: trigger?.type ?? source,
    awaits: trigger === undefined ? '' : awaitedBy(trigger),
  }
  if (judged.verdict === 'refused') return { ...at, verdict: 'refused', code: judged.code, reason: judged.reason }
  if (judged.verdict === 'unmatched') return { ...at, verdict: 'unmatched', reason: judged.reason }
  const { params, secretNames } = judged.params
  const shown = Object.fromEntries(
    Object.entries(params).map(([name, value]): [string, Json] => [name, secretNames.includes(name) ? HIDDEN : value]),
  )
  const runId = key === undefined ? undefined : keyedRunId(judged.sop, source, key)
  const isThere = runId !== undefined && (await isInTemporal(deps.temporal, runId))
  return isThere
    ? { ...at, verdict: 'duplicate', params: shown, runId }
    : { ...at, verdict: 'would_start', params: shown }
}

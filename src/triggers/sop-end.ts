import { setTimeout as delay } from 'node:timers/promises'
import type { RunFilter, RunIndex } from '../activities/deps.ts'
import type { SourceMemory } from '../core/trigger/source-memory.ts'
import type { TriggerDoor } from '../client/trigger-door.ts'
import type { Json, Trigger } from '../core/definition.ts'
import type { RunSummary, RunView } from '../core/run/view.ts'
import { barredByChain, chainOf, endKey, hasEnded, occurrenceOfEnd } from '../core/trigger/run-end.ts'
import type { Log } from '../log.ts'
import { deliverSurely, type Patience } from './deliver.ts'
import { type SourceTrigger, type TriggerOf, triggersOf, type TriggerSource } from './source.ts'

// sop-end.ts: sop triggers, which begin a run when one of another SOP ends (docs/decisions/0021-ends-of-runs.md). The list of
// runs tells. Invariants:
//   E1 how far it came is kept only after all that lies before was delivered; what is delivered twice has the same key.
//   E2 a trigger hears of ends from the moment on at which it was first seen, and not of older ones; one that was taken away
//      and comes again is a new one.

export interface SopEndDeps {
  readonly door: Pick<TriggerDoor, 'deliver'>
  readonly log: Log
  readonly index: RunIndex
  /** The run as its record has it. @throws where it cannot be read */
  readonly readRun: (runId: string) => Promise<RunView>
  readonly state: SourceMemory
  readonly patience?: Patience
  /** Pause between two looks, in milliseconds. */
  readonly lookMs?: number
  readonly now?: () => Date
}

type EndTrigger = SourceTrigger<TriggerOf<'sop'>>

/** What is kept over restarts. */
interface Progress {
  readonly cursor?: string
  /** Ends that were on record before this instant were delivered. */
  readonly since: string
  /** Since when each trigger hears of ends. */
  readonly begun: Readonly<Record<string, string>>
  /** The last ends that were delivered. */
  readonly told: readonly string[]
}

const STATE = 'sop-ends'
const LOOK_MS = 500
/** A list that begins anew is looked at this far back: an end may be on record later than it was. */
const OVERLAP_MS = 3_600_000
const MAX_LISTED = 10_000
const MAX_TOLD = 1_000
/** Progress without a delivery is kept that often, in milliseconds. */
const KEEP_MS = 10_000
const CLOSED: NonNullable<RunFilter['states']> = ['completed', 'failed', 'cancelled']

/** Delivers the ends of runs that some SOP waits for. */
export const createSopEnd = (deps: SopEndDeps): TriggerSource => {
  const { door, log, index, readRun, state, patience, lookMs = LOOK_MS, now = () => new Date() } = deps
  const closing = new AbortController()
  const { signal } = closing
  const sure = { door, log, signal, ...(patience && { patience }) }
  /** Undefined until somebody said which there are. */
  let triggers: readonly EndTrigger[] | undefined
  let progress: Progress | undefined
  let keptAt = 0
  let problem: string | undefined

  const isConcerned = (run: RunSummary, { sop, trigger }: Pick<EndTrigger, 'sop' | 'trigger'>): boolean =>
    trigger.sop === run.sopName &&
    trigger.on.some((outcome) => outcome === run.status) &&
    (progress?.begun[nameOf(sop, trigger)] ?? '~') <= (run.completedAt ?? '')

  const tell = async (run: RunSummary): Promise<boolean> => {
    const view = await readRun(run.runId)
    // It was retried meanwhile, and ends again.
    if (!hasEnded(view) || view.completedAt !== run.completedAt) return true
    const chain = chainOf(view)
    return deliverSurely(sure, occurrenceOfEnd(view, now().toISOString()), {
      concerns: (sop, trigger) => trigger.type === 'sop' && isConcerned(run, { sop, trigger }),
      bars: (sop) => barredByChain(sop, chain),
    })
  }

  /** Those that may have ended since the last look, and how far that look came. */
  const changed = async (
    before: Progress,
    waiting: readonly EndTrigger[],
  ): Promise<{ runs: readonly RunSummary[]; cursor: string }> => {
    const { runs, cursor, reset } = await index.changes(before.cursor)
    if (before.cursor !== undefined && reset !== true) return { runs, cursor }
    const from = new Date(Date.parse(before.since) - OVERLAP_MS).toISOString()
    const names = [...new Set(waiting.map(({ trigger }) => trigger.sop))]
    const lists = await Promise.all(
      names.map((sop) => index.list({ sop, states: [...(CLOSED ?? [])], limit: MAX_LISTED })),
    )
    const older = lists.flat().filter(({ completedAt = '' }) => completedAt >= from)
    return { runs: older, cursor }
  }

  const look = async (waiting: readonly EndTrigger[]): Promise<void> => {
    progress ??= progressFrom(await state.get(STATE), now())
    const before = withTriggers(progress, waiting, now())
    const isNew = before !== progress
    progress = before
    if (waiting.length === 0) return isNew ? state.put(STATE, before as unknown as Json) : undefined
    const lookedAt = now().toISOString()
    const { runs, cursor } = await changed(before, waiting)
    const told = new Set(before.told)
    const ended = runs.filter((run) => hasEnded(run) && !told.has(endKey(run)))
    const due = ended.filter((run) => waiting.some((each) => isConcerned(run, each)))
    for (const run of due.sort((a, b) => ((a.completedAt ?? '') < (b.completedAt ?? '') ? -1 : 1))) {
      if (signal.aborted || !(await tell(run))) return
      told.add(endKey(run))
      progress = { ...before, told: [...told] }
    }
    progress = { ...before, cursor, since: lookedAt, told: [...told].slice(-MAX_TOLD) }
    if (due.length === 0 && !isNew && (before.cursor === cursor || Date.now() - keptAt < KEEP_MS)) return
    await state.put(STATE, progress as unknown as Json)
    keptAt = Date.now()
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      if (triggers !== undefined) {
        try {
          await look(triggers)
          problem = undefined
        } catch (error) {
          const { message } = error as Error
          if (message !== problem) log.warn(`Cannot look for runs that ended: ${message}. It is tried again`)
          problem = message
        }
      }
      await delay(lookMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }
  const running = run()

  return {
    follow: async (all) => {
      triggers = triggersOf(all, 'sop')
    },
    health: () => {
      if (triggers === undefined || triggers.length === 0) return undefined
      return problem === undefined ? { ok: true } : { ok: false, detail: `cannot look for runs that ended: ${problem}` }
    },
    close: async () => {
      closing.abort()
      await running
    },
  }
}

const nameOf = (sop: string, trigger: Extract<Trigger, { type: 'sop' }>): string => `${sop} < ${trigger.sop}`

/** Each trigger that was not there before hears of ends from now on; one that is not there any more is forgotten. */
const withTriggers = (progress: Progress, triggers: readonly EndTrigger[], now: Date): Progress => {
  const names = new Set(triggers.map(({ sop, trigger }) => nameOf(sop, trigger)))
  const known = Object.keys(progress.begun)
  if (known.length === names.size && known.every((name) => names.has(name))) return progress
  const begun = [...names].map((name) => [name, progress.begun[name] ?? now.toISOString()] as const)
  return { ...progress, begun: Object.fromEntries(begun) }
}

const progressFrom = (kept: Json | undefined, now: Date): Progress => {
  const { cursor, since, begun, told } = (kept ?? {}) as Partial<Progress>
  return {
    ...(typeof cursor === 'string' && { cursor }),
    since: typeof since === 'string' ? since : now.toISOString(),
    begun: typeof begun === 'object' ? begun : {},
    told: Array.isArray(told) ? told : [],
  }
}

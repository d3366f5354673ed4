import { formatDuration } from '../duration.ts'
import { formatSize } from '../size.ts'
import type { EventDraft, RunEvent } from './event.ts'
import type { RunInput } from './input.ts'
import { ENGINE } from './principal.ts'
import type { RecordLimit, Run } from './run.ts'

// record-hold.ts: how far a run goes on whose events cannot be put on record. Past the limit nothing new begins: no step, no
// item, no verification gate. What is under way comes to its end, people may decide, and a walk back goes on, since what
// is half undone is no place to wait. It goes on by itself once everything is on record.

/** Where the installation sets none, and for runs that were pinned before it could. */
const RECORD_LIMIT: RecordLimit = { events: 500, ageMs: 3_600_000 }

/** All of it travels with the run, and Temporal takes no more than 2 MiB at once. */
export const MAX_UNRECORDED_BYTES = 1024 * 1024

type News = Extract<RunInput, { kind: 'record_news' }>

/** The limit of this run. */
export const recordLimitOf = (run: Run): RecordLimit => run.seed.pinned.policy.recordLimit ?? RECORD_LIMIT

/** What the news lead to; nothing where they change nothing, or the run began before there was such a rule. */
export const recordNews = (run: Run, news: News, at: string): readonly EventDraft[] => {
  if (run.seed.rulesVersion < 5 || run.outcome !== undefined || run.sequence === 0) return []
  const by = { principal: ENGINE, via: 'engine' } as const
  if (run.held !== undefined) {
    if (news.unrecorded > 0) return []
    const waitedMs = Math.max(0, Date.parse(at) - Date.parse(run.held.at))
    const details = { duration: formatDuration(waitedMs), duration_ms: waitedMs }
    return [{ eventType: 'run_released', ...by, details }]
  }
  const { since, unrecorded } = news
  const over = since === undefined ? undefined : passed(recordLimitOf(run), news, at)
  if (since === undefined || over === undefined) return []
  const events = unrecorded === 1 ? '1 event waits' : `${unrecorded} events wait`
  const reason = `the record cannot be written since ${since}, and ${events} for it (${over.text}): nothing new begins until it can`
  return [{ eventType: 'run_held', ...by, details: { reason, since, unrecorded, limit: over.limit } }]
}

interface Passed {
  readonly limit: RunEvent<'run_held'>['details']['limit']
  /** Names the setting. */
  readonly text: string
}

const passed = ({ events, ageMs }: RecordLimit, news: News, at: string): Passed | undefined => {
  const { unrecorded, bytes, oldestAt = at } = news
  if (unrecorded >= events) return { limit: 'events', text: `store_down_events: ${events}` }
  if (bytes >= MAX_UNRECORDED_BYTES) return { limit: 'bytes', text: `they have ${formatSize(bytes)}` }
  const isOld = unrecorded > 0 && Date.parse(at) - Date.parse(oldestAt) >= ageMs
  return isOld ? { limit: 'age', text: `store_down_age: ${formatDuration(ageMs)}` } : undefined
}

export const held = (run: Run, { timestamp: at, details }: RunEvent<'run_held'>): Run => {
  const { since, unrecorded, reason } = details
  return { ...run, held: { at, since, unrecorded, reason } }
}

export const released = ({ held: _, ...run }: Run): Run => run

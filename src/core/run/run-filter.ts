import { parseDuration } from '../duration.ts'
import { SopError } from '../errors.ts'
import { isClosed } from './state.ts'
import type { RunSummary } from './view.ts'

// run-filter.ts: which runs a list is asked for, and where a reader goes on. Every store answers by these rules.

/** Which runs. What is absent, or an empty list, does not narrow. */
export interface RunSelection {
  readonly sop?: string
  readonly states?: readonly string[]
  readonly priorities?: readonly string[]
  /** Types of triggers, e.g. `cron`. */
  readonly triggers?: readonly string[]
  /** Only runs that do not go on before a person answers: a gate, a manual step, a pause of any kind. */
  readonly waiting?: boolean
  /** Created at this instant or later; ISO-8601 UTC. */
  readonly from?: string
  /** Created before this instant; ISO-8601 UTC. */
  readonly to?: string
  /** Words that all stand somewhere in the line of the run, in any case. */
  readonly text?: string
  /** `next` of the page before: the list goes on behind it, whatever began meanwhile. */
  readonly cursor?: string
  /** At most this many, newest first. Default 50. */
  readonly limit?: number
}

/** A page of a list of runs, newest first. */
export interface RunPage {
  readonly runs: readonly RunSummary[]
  /** Where the next page begins. Absent: this is the last one. */
  readonly next?: string
  /** How many runs fit in all; only on the first page. */
  readonly total?: number
  /** There are more than `total`: nobody counted further. */
  readonly more?: true
}

/** Runs that are counted for `total`. */
export const RUN_COUNT_MOST = 10_000
/** Longest text that a list is searched for. */
export const RUN_TEXT_MOST = 200

/** A place in the order of lists: by the instant of creation, then by id. */
export interface RunPlace {
  readonly createdAt: string
  readonly runId: string
}

/** The cursor of the page behind this run. */
export const renderRunCursor = ({ createdAt, runId }: RunPlace): string => `${createdAt}~${runId}`

/** The place that a cursor names. @throws SopError `invalid` for what is no cursor */
export const parseRunCursor = (cursor: string): RunPlace => {
  const [, createdAt, runId] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z)~(.+)$/s.exec(cursor) ?? []
  if (createdAt === undefined || runId === undefined) {
    const way = 'Give the "next" of the page before, or leave it out to begin anew'
    throw new SopError('invalid', `Cannot go on from cursor "${cursor.slice(0, 100)}": no page gave it. ${way}`)
  }
  return { createdAt, runId }
}

/** The words of a search, folded. */
export const searchWords = (text: string | undefined): readonly string[] => [
  ...new Set((text ?? '').slice(0, RUN_TEXT_MOST).toLowerCase().split(/\s+/).filter(Boolean)),
]

/** Lines are values that never change, so each is folded once. */
const folded = new WeakMap<RunSummary, string>()

/** What a search looks at in the line of a run. */
const searchedText = (run: RunSummary): string => {
  let text = folded.get(run)
  if (text === undefined) folded.set(run, (text = fold(run)))
  return text
}

const fold = (run: RunSummary): string =>
  [run.runId, run.sopName, run.version, run.startedBy, run.trigger, run.reason ?? '', run.openGates.join(' ')]
    .join(' ')
    .toLowerCase()

/** Whether a run fits, its place in the list aside. */
export const runMatcher = (selection: RunSelection): ((run: RunSummary) => boolean) => {
  const { sop, states = [], priorities = [], triggers = [], waiting, from, to } = selection
  const words = searchWords(selection.text)
  return (run) =>
    (sop === undefined || run.sopName === sop) &&
    (states.length === 0 || states.includes(run.status)) &&
    (priorities.length === 0 || priorities.includes(run.priority)) &&
    (triggers.length === 0 || triggers.includes(run.trigger)) &&
    (waiting !== true || waitsForPerson(run)) &&
    (from === undefined || run.createdAt >= from) &&
    (to === undefined || run.createdAt < to) &&
    (words.length === 0 || hasAll(searchedText(run), words))
}

/** Whether something of a run waits for a person; as a rule that is what `waitingIn` lists. */
export const waitsForPerson = ({ status, openGates, openInputs = [] }: RunSummary): boolean =>
  !isClosed(status) && (status === 'paused' || openGates.length > 0 || openInputs.length > 0)

const hasAll = (text: string, words: readonly string[]): boolean => words.every((word) => text.includes(word))

/** The page that so many runs make: one more than fits says that there is a next one. */
export const pageOf = (found: readonly RunSummary[], limit: number): Pick<RunPage, 'runs' | 'next'> => {
  const runs = found.slice(0, limit)
  const last = runs.at(-1)
  return { runs, ...(found.length > limit && last !== undefined && { next: renderRunCursor(last) }) }
}

/** A count that went one further than it says. */
export const totalOf = (counted: number): Pick<RunPage, 'total' | 'more'> =>
  counted > RUN_COUNT_MOST ? { total: RUN_COUNT_MOST, more: true } : { total: counted }

/** The selection with its times as instants: they may be written as how long ago (`7d`). @throws SopError `invalid` */
export const withInstants = (selection: RunSelection, nowMs: number): RunSelection => ({
  ...selection,
  ...(selection.from !== undefined && { from: readInstant('from', selection.from, nowMs) }),
  ...(selection.to !== undefined && { to: readInstant('to', selection.to, nowMs) }),
})

const readInstant = (key: string, text: string, nowMs: number): string => {
  const duration = /^\s*\d{4}-/.test(text) ? undefined : parseDuration(text)
  const ms = duration === undefined ? Date.parse(text) : duration.ok && duration.ms !== null ? nowMs - duration.ms : NaN
  if (Number.isFinite(ms) && Math.abs(ms) < MAX_MS) return new Date(ms).toISOString()
  const expected = 'expected an instant as in "2026-03-01T09:00:00Z", or how long ago as in "7d"'
  throw new SopError('invalid', `Cannot list runs: "${key}" is "${text.slice(0, 100)}", ${expected}`)
}

/** Years of four digits: instants are compared as text. */
const MAX_MS = Date.UTC(9999, 0, 1)

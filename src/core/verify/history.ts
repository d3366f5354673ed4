import { canonicalJson } from '../canonical.ts'
import type { RecordedEvent, RunEvent } from '../run/event.ts'
import { effectiveEvents } from '../run/fork.ts'
import { type Finding, problem } from './finding.ts'
import type { LinesCheck } from './lines.ts'

// history.ts: a record against the workflow's history, the witness that no store can change. What the history has handed to
// the record, and the record has acknowledged, has to stand there.

/** What the history of a run's newest execution implies. */
export interface ImpliedEvents {
  /** With the run's own sequences, which a reset turns back. */
  readonly events: readonly RunEvent[]
  /** Up to this own sequence the store said that it has them. */
  readonly ackedTo: number
  /** The run closed itself, after all of its events were handed over: there are no others. */
  readonly isAll: boolean
}

/** What the record lacks, or tells otherwise. */
export const compareHistory = (
  runId: string,
  { events: implied, ackedTo, isAll }: ImpliedEvents,
  lines: LinesCheck,
): readonly Finding[] => {
  const record = [...lines.events.values()]
  const isForked = record.some(({ eventType }) => eventType === 'run_forked')
  const counting = isForked ? effectiveEvents(record) : undefined
  const found: Finding[] = []
  for (const event of implied) {
    if (event.sequence > ackedTo) break
    const stored = counting === undefined ? lines.events.get(event.sequence) : counting[event.sequence - 1]
    const name = `event ${event.sequence} (${event.eventType}${step(event)}, by ${event.principal.id})`
    if (stored === undefined) {
      const at = { ...lines.placeOf(event.sequence), runId, sequence: event.sequence }
      found.push(problem('history_missing', `the workflow's history has ${name}, and the record lacks it`, at))
      continue
    }
    const differs = differences(stored, event)
    if (differs.length === 0) continue
    const message = `the workflow's history tells event ${stored.sequence} otherwise: ${differs.join('; ')}`
    found.push(
      problem('history_differs', message, { ...lines.placeOf(stored.sequence), runId, sequence: stored.sequence }),
    )
  }
  const last = implied.at(-1)?.sequence ?? 0
  // What was told from outside (core/run/ended-outside.ts) is in no history.
  const added = isAll ? (counting ?? record).filter((event, at) => at + 1 > last && event.via !== 'temporal') : []
  for (const { sequence, eventType } of added) {
    const at = { ...lines.placeOf(sequence), runId, sequence }
    found.push(
      problem(
        'inserted',
        `event ${sequence} (${eventType}) was put in: the workflow's history has none after ${last}`,
        at,
      ),
    )
  }
  return found
}

const step = ({ stepNumber }: RunEvent): string => (stepNumber === undefined ? '' : ` of step ${stepNumber}`)

/** Instants are left out: a worker that took over may have told the same event at another one. */
const COMPARED = ['eventType', 'stepNumber', 'principal', 'via', 'details'] as const

const differences = (stored: RecordedEvent, told: RunEvent): readonly string[] =>
  COMPARED.flatMap((key) => {
    const [was, is] = [textOf(told[key]), textOf(stored[key])]
    return was === is ? [] : [`${key} was ${short(was)}, and the record has ${short(is)}`]
  })

const textOf = (value: unknown): string => {
  try {
    return canonicalJson(value ?? null)
  } catch {
    return 'nothing that can be read'
  }
}

const SHOWN_CHARS = 200
const short = (text: string): string => (text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`)

import { effectiveEvents } from './run/fork.ts'
import type { EventType, RecordedEvent, RunEvent } from './run/event.ts'

// run-document.ts: a run's record in the forms that people and other programs read: the document of seed 000 and the
// readable log. Made of events alone.

/** The run document of seed 000, with exactly its keys. */
export interface RunDocument {
  readonly sop: string
  readonly started_at: string
  readonly completed_at: string | null
  /** `running` stands only in the document of a run that is still open. */
  readonly status: 'success' | 'failed' | 'cancelled' | 'running'
  readonly steps: readonly DocumentStep[]
  readonly metrics: {
    readonly total_duration_ms: number
    readonly steps_completed: number
    readonly steps_skipped: number
    readonly approval_waits: number
  }
}

export interface DocumentStep {
  readonly number: number
  readonly title: string
  readonly status: string
  readonly duration_ms: number
  readonly output: string
}

/**
 * The document of a run, of its events in order. Steps that the run never came to are not in it; of a step that was
 * done several times the last execution stands there.
 *
 * @throws {RangeError} without a single event
 */
export const runDocument = (sop: string, record: readonly RunEvent[]): RunDocument => {
  const events = effectiveEvents(record)
  const [first, last] = [events[0], events.at(-1)]
  if (first === undefined || last === undefined) {
    throw new RangeError(`Cannot write run document of "${sop}": the run has no events`)
  }
  const end = endOf(events)
  const steps = [...events.reduce(stepAfter, new Map<number, DocumentStep>()).values()]
    .map((step) => (end !== undefined && step.status === 'running' ? { ...step, status: 'skipped' } : step))
    .sort((a, b) => a.number - b.number)
  const count = (status: string): number => steps.filter((step) => step.status === status).length
  return {
    sop,
    started_at: first.timestamp,
    completed_at: end?.timestamp ?? null,
    status: end?.status ?? 'running',
    steps,
    metrics: {
      total_duration_ms: Date.parse((end ?? last).timestamp) - Date.parse(first.timestamp),
      steps_completed: count('success'),
      steps_skipped: count('skipped'),
      approval_waits: events.filter((event) => event.eventType === 'approval_requested').length,
    },
  }
}

const ENDS: Partial<Record<EventType, 'success' | 'failed' | 'cancelled'>> = {
  run_completed: 'success',
  run_failed: 'failed',
  run_cancelled: 'cancelled',
}

/** Whether the event closes its run. A failed run may still be retried, and goes on under the same id. */
export const closesRun = (event: RunEvent): boolean => ENDS[event.eventType] !== undefined

/** A retry, and a reset in Temporal. */
const REOPENS: readonly EventType[] = ['run_retried', 'run_forked']

/** Whether the run is closed after the events, of what it was before them. */
export const isClosedAfter = (wasClosed: boolean, events: readonly RunEvent[]): boolean =>
  events.reduce((isClosed, event) => closesRun(event) || (isClosed && !REOPENS.includes(event.eventType)), wasClosed)

const endOf = (
  events: readonly RunEvent[],
): { readonly status: 'success' | 'failed' | 'cancelled'; readonly timestamp: string } | undefined => {
  const at = events.findLastIndex((event) => closesRun(event) || event.eventType === 'run_retried')
  const event = events[at]
  const status = event === undefined ? undefined : ENDS[event.eventType]
  return event === undefined || status === undefined ? undefined : { status, timestamp: event.timestamp }
}

type Steps = Map<number, DocumentStep>

const stepAfter = (steps: Steps, event: RunEvent): Steps => {
  const number = event.stepNumber
  if (number === undefined || number === 0 || isOfItem(event)) return steps
  const put = (changes: Partial<DocumentStep>): Steps => {
    const before = steps.get(number) ?? { number, title: '', status: 'running', duration_ms: 0, output: '' }
    return steps.set(number, { ...before, ...changes })
  }
  switch (event.eventType) {
    case 'step_started':
      return put({ title: event.details.title, status: 'running', duration_ms: 0, output: '' })
    case 'input_requested':
      return put({ title: event.details.title, status: 'running' })
    case 'step_completed': {
      const { title, duration_ms, output, comment } = event.details
      return put({ title, status: 'success', duration_ms, output: output ?? comment ?? '' })
    }
    case 'step_failed': {
      const { title, duration_ms, output, error } = event.details
      return put({ title, status: 'failed', duration_ms, output: joined(output, error) })
    }
    case 'step_skipped':
      return put({ title: event.details.title, status: 'skipped', output: event.details.reason })
    case 'step_unknown':
      return put({ title: event.details.title, status: 'unknown', output: event.details.error })
    case 'step_rolled_back':
      return put({ title: event.details.title, status: 'rolled_back' })
    default:
      return steps
  }
}

/** What happens to one item of a `for_each` step says nothing of the step as a whole. */
export const isOfItem = ({ eventType, details }: RunEvent): boolean =>
  eventType !== 'input_received' && 'item' in details

const joined = (output: string | undefined, error: string): string =>
  output === undefined || output === '' ? error : `${output}${output.endsWith('\n') ? '' : '\n'}${error}`

/** The lines of the readable log for one event; the last ends with a line feed. */
export const logLines = (event: RecordedEvent | RunEvent): string => {
  const step = event.stepNumber === undefined || event.stepNumber === 0 ? '' : ` step ${event.stepNumber}`
  const details = event.details as Readonly<Record<string, unknown>>
  const said = LOGGED_DETAILS.flatMap((key) => (details[key] === undefined ? [] : [`${key}=${inline(details[key])}`]))
  const by = `by ${event.principal.id}${event.principal.verified === false ? ' (unverified)' : ''} via ${event.via}`
  const head = [event.timestamp, event.eventType + step, by, ...said].join('  ')
  const output = typeof details.output === 'string' ? indented(details.output) : ''
  return `${head}\n${output}`
}

/** The details that a reader of the log wants, in this order; `output` follows on lines of its own. */
const LOGGED_DETAILS = [
  'sop',
  'version',
  'effectiveMode',
  'title',
  'item',
  'value',
  'child',
  'gate',
  'attempt',
  'action',
  'decision',
  'outcome',
  'exitCode',
  'duration',
  'outputs',
  'reason',
  'error',
  'then',
  'condition',
  'comment',
  'decidedBy',
  'deadlineAt',
  'text',
  'ticked',
]

const inline = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:@/+-]+$/.test(value) ? value : JSON.stringify(value)

const indented = (text: string): string =>
  text === ''
    ? ''
    : `${text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `    ${line}`)
        .join('\n')}\n`

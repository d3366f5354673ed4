import type { AuditLog } from '../../client/client.ts'
import type { RecordedEvent } from '../../core/run/event.ts'
import type { RunLook } from './run-view.ts'
import { oneLine, renderTable } from './table.ts'
import { renderUtc } from './time.ts'

/** The record of a run, one event a line; the long form adds every detail and the hash. */
export const renderAudit = ({ runId, events }: AuditLog, look: RunLook): string => {
  const rows = events.map((event) => [
    String(event.sequence),
    renderUtc(event.timestamp),
    event.eventType,
    event.stepNumber === undefined ? '' : String(event.stepNumber),
    `${event.principal.id}${event.principal.verified === false ? ' (unverified)' : ''}`,
    event.via,
    look.long ? '' : summaryOf(event),
  ])
  const table = renderTable(
    ['#', 'TIME', 'EVENT', 'STEP', 'BY', 'VIA', look.long ? '' : 'DETAILS'].map((heading) => look.colours.dim(heading)),
    rows,
  )
  if (!look.long) return `Run ID: ${runId}\n\n${table}`
  const [head, ...lines] = table.split('\n')
  return [`Run ID: ${runId}\n`, head, ...lines.flatMap((line, index) => [line, ...longLines(events[index])])].join('\n')
}

const longLines = (event: RecordedEvent | undefined): readonly string[] =>
  event === undefined
    ? []
    : [
        ...Object.entries(event.details).map(([key, value]) => `     ${key}: ${oneLine(textOf(value))}`),
        `     hash: ${event.hash}`,
      ]

// What a reader looks for first, in this order; the rest is in the long form.
const TELLING = [
  'gate',
  'title',
  'action',
  'pool',
  'decision',
  'reason',
  'error',
  'comment',
  'duration',
  'exitCode',
  'item',
  'channel',
] as const

const summaryOf = (event: RecordedEvent): string => {
  const details: Readonly<Record<string, unknown>> = { ...event.details }
  return TELLING.filter((key) => details[key] !== undefined)
    .map((key) => (key === 'title' || key === 'gate' ? textOf(details[key]) : `${key}: ${textOf(details[key])}`))
    .join(', ')
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

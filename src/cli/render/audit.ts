import type { AuditLog } from '../../client/client.ts'
import type { RecordedEvent } from '../../core/run/event.ts'
import type { RunLook } from './run-view.ts'
import { oneLine, renderTable } from './table.ts'
import { renderUtc } from './time.ts'

/** The record of a run as sentences, one a line; the long form has a column for everything, every detail and the hash. */
export const renderAudit = (log: AuditLog, look: RunLook): string =>
  `Run ID: ${log.runId}\n\n${look.long ? longForm(log, look) : shortForm(log, look)}`

const shortForm = ({ events, sentences }: AuditLog, { colours }: RunLook): string =>
  renderTable(
    ['#', 'TIME', 'WHAT HAPPENED'].map((heading) => colours.dim(heading)),
    events.map(({ sequence, timestamp }, index) => [String(sequence), renderUtc(timestamp), sentences[index] ?? '']),
  )

const longForm = ({ events }: AuditLog, { colours }: RunLook): string => {
  const rows = events.map((event) => [
    String(event.sequence),
    renderUtc(event.timestamp),
    event.eventType,
    event.stepNumber === undefined ? '' : String(event.stepNumber),
    `${event.principal.id}${event.principal.verified === false ? ' (unverified)' : ''}`,
    event.via,
  ])
  const headings = ['#', 'TIME', 'EVENT', 'STEP', 'BY', 'VIA'].map((heading) => colours.dim(heading))
  const [head, ...lines] = renderTable(headings, rows).split('\n')
  return [head, ...lines.flatMap((line, index) => [line, ...longLines(events[index])])].join('\n')
}

const longLines = (event: RecordedEvent | undefined): readonly string[] =>
  event === undefined
    ? []
    : [
        ...Object.entries(event.details).map(([key, value]) => `     ${key}: ${oneLine(textOf(value))}`),
        `     hash: ${event.hash}`,
      ]

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

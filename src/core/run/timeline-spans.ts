import type { RunEvent } from './event.ts'
import { itemText } from './items.ts'
import type { Principal } from './principal.ts'
import type { Run } from './run.ts'

// timeline-spans.ts: the bars of a timeline: opened and closed by the events of a run.

/** What a bar stands for. */
export const SPAN_KINDS = [
  'queue',
  'gate',
  'input',
  'work',
  'wait',
  'child',
  'check',
  'pool',
  'retry',
  'undo',
  'paused',
  'rollback',
] as const
export type SpanKind = (typeof SPAN_KINDS)[number]

/** How a bar ended. `ended`: the run, or the step, ended around it. */
export const SPAN_OUTCOMES = ['ok', 'failed', 'skipped', 'unknown', 'approved', 'rejected', 'timer', 'ended'] as const
export type SpanOutcome = (typeof SPAN_OUTCOMES)[number]

/** Something that took time. */
export interface TimelineSpan {
  readonly kind: SpanKind
  readonly from: string
  /** Absent: it goes on. */
  readonly to?: string
  readonly outcome?: SpanOutcome
  /** The attempt of the step, or of the gate. */
  readonly attempt?: number
  /** For one item of a `for_each` step. */
  readonly item?: number
  /** Gate id, pool, value of the item, or why it stands. */
  readonly label?: string
  /** Who ended it, where a person, a program or the timer did. */
  readonly by?: string
  /** Sequence of the event that began it. */
  readonly sequence: number
}

export interface OpenSpans {
  /** An event, and the run before and after it. */
  tell(before: Run, event: RunEvent, after: Run): void
  /** The bars of a row: `run`, `step:3`, `gate:start`; `dropped` more were before them. */
  of(row: string): { readonly spans: readonly TimelineSpan[]; readonly dropped: number }
}

/** Bars of one row that are kept while the run is read; older ones that ended are forgotten. */
const KEPT = 400

type Writable = { -readonly [K in keyof TimelineSpan]: TimelineSpan[K] }
type Ends = Pick<Writable, 'outcome' | 'by'>

export const createSpans = (): OpenSpans => {
  const rows = new Map<string, { spans: Writable[]; dropped: number }>()
  const open = new Map<string, Writable>()
  const begin = (row: string, key: string, span: Writable): void => {
    finish(key, span.from, { outcome: 'ended' })
    const kept = rows.get(row) ?? { spans: [], dropped: 0 }
    rows.set(row, kept)
    kept.spans.push(span)
    open.set(key, span)
    const { length } = kept.spans
    if (length <= 2 * KEPT) return
    kept.spans = kept.spans.filter((each, index) => each.to === undefined || index >= length - KEPT)
    kept.dropped += length - kept.spans.length
  }
  const finish = (key: string, at: string, ends: Ends): void => {
    const span = open.get(key)
    if (span === undefined) return
    open.delete(key)
    Object.assign(span, { to: at, ...ends })
  }
  const finishAll = (prefix: string, at: string, ends: Ends): void => {
    for (const key of open.keys()) if (key.startsWith(prefix)) finish(key, at, ends)
  }
  const writer: Writer = { begin, finish, finishAll }
  return {
    tell: (before, event, after) => {
      tellPause(writer, before, event, after)
      tellEvent(writer, event)
      tellGates(writer, before, event, after)
    },
    of: (row) => rows.get(row) ?? { spans: [], dropped: 0 },
  }
}

interface Writer {
  begin(row: string, key: string, span: Writable): void
  finish(key: string, at: string, ends: Ends): void
  /** Whatever is open whose key begins so. */
  finishAll(prefix: string, at: string, ends: Ends): void
}

/** Whether a run is paused, or walks back, only its rules know. */
const tellPause = (writer: Writer, before: Run, event: RunEvent, after: Run): void => {
  const at = event.timestamp
  const { sequence } = event
  if (before.paused !== undefined && after.paused === undefined) writer.finish('paused', at, endedBy(event.principal))
  if (after.paused !== undefined && before.paused === undefined) {
    writer.begin('run', 'paused', { kind: 'paused', from: at, label: after.paused.reason, sequence })
  }
  if (before.rollback === undefined && after.rollback !== undefined) {
    writer.begin('run', 'rollback', { kind: 'rollback', from: at, label: after.rollback.reason, sequence })
  }
  if (before.queued === undefined && after.queued !== undefined) {
    writer.begin('run', 'queue', { kind: 'queue', from: at, label: after.queued.reason, sequence })
  }
  if (before.queued !== undefined && after.queued === undefined) writer.finish('queue', at, { outcome: 'ok' })
  if (before.outcome === undefined && after.outcome !== undefined) writer.finishAll('', at, { outcome: 'ended' })
}

const endedBy = ({ id }: Principal): Ends => ({ outcome: 'ended', ...(id !== 'engine' && { by: id }) })
const personOf = ({ id, kind }: Principal): { readonly by?: string } =>
  id === 'engine' && kind === 'service' ? {} : { by: id }

const rowOf = (stepNumber: number | undefined, gate: string): string =>
  stepNumber === undefined || stepNumber === 0 ? `gate:${gate}` : `step:${stepNumber}`

/** `3`, or `3[5]` for an item. Ends in a mark, so that step 1 is no prefix of step 12. */
const keyOf = (stepNumber: number | undefined, item: number | undefined): string =>
  item === undefined ? `${stepNumber ?? 0}|` : `${stepNumber ?? 0}[${item}]|`

const WORK_KIND: Readonly<Record<string, SpanKind>> = { manual: 'input', wait: 'wait', sop: 'child' }

/** Gates that closed with something else: their step was skipped, or is done again. */
const tellGates = (writer: Writer, before: Run, event: RunEvent, after: Run): void => {
  if (before.gates === after.gates) return
  for (const [id, gate] of Object.entries(after.gates)) {
    if (gate === before.gates[id] || gate.state === 'open' || gate.state === 'verifying') continue
    const outcome = event.eventType === 'step_skipped' ? 'skipped' : 'ended'
    writer.finish(`g ${id}`, event.timestamp, { outcome, ...personOf(event.principal) })
  }
}

const tellEvent = (writer: Writer, event: RunEvent): void => {
  const { timestamp: at, stepNumber, sequence, principal } = event
  const row = `step:${stepNumber ?? 0}`
  const person = personOf(principal)
  switch (event.eventType) {
    case 'approval_requested': {
      const { gate, attempt } = event.details
      writer.begin(rowOf(stepNumber, gate), `g ${gate}`, { kind: 'gate', from: at, attempt, label: gate, sequence })
      return
    }
    case 'approval_granted':
      return writer.finish(`g ${event.details.gate}`, at, { outcome: 'approved', ...person })
    case 'approval_rejected':
      return writer.finish(`g ${event.details.gate}`, at, { outcome: 'rejected', ...person })
    case 'approval_timeout':
      if (event.details.action === 'escalate') return
      return writer.finish(`g ${event.details.gate}`, at, { outcome: 'timer', by: 'timer' })
    case 'step_started': {
      const { attempt, kind, item, value } = event.details
      // Items have bars of their own; that of the step as a whole would hide them.
      if (event.details.items !== undefined) return
      writer.begin(row, `w ${keyOf(stepNumber, item)}`, {
        kind: WORK_KIND[kind] ?? 'work',
        from: at,
        attempt,
        ...(item !== undefined && { item }),
        ...(value !== undefined && { label: itemText(value, 60) }),
        sequence,
      })
      return
    }
    case 'step_waiting': {
      const { pool, workId, attempt } = event.details
      writer.begin(row, `p ${keyOf(stepNumber, undefined)} ${workId}`, {
        kind: 'pool',
        from: at,
        label: pool,
        attempt,
        sequence,
      })
      return
    }
    case 'step_taken':
      return writer.finish(`p ${keyOf(stepNumber, undefined)} ${event.details.workId}`, at, { outcome: 'ok' })
    case 'verification_started': {
      const { gate, item, attempt } = event.details
      const key = gate === undefined ? `c ${keyOf(stepNumber, item)}` : `g ${gate}`
      if (gate === undefined) writer.finish(`w ${keyOf(stepNumber, item)}`, at, { outcome: 'ok', ...person })
      const label = gate === undefined ? {} : { label: gate }
      writer.begin(gate === undefined ? row : rowOf(stepNumber, gate), key, {
        kind: 'check',
        from: at,
        attempt,
        ...(item !== undefined && { item }),
        ...label,
        sequence,
      })
      return
    }
    case 'verification_passed':
    case 'verification_failed': {
      const { gate, item } = event.details
      const outcome = event.eventType === 'verification_passed' ? 'ok' : 'failed'
      return writer.finish(gate === undefined ? `c ${keyOf(stepNumber, item)}` : `g ${gate}`, at, { outcome })
    }
    case 'step_completed':
      return ends(writer, stepNumber, event.details.item, at, { outcome: 'ok', ...person })
    case 'step_unknown':
      return ends(writer, stepNumber, event.details.item, at, { outcome: 'unknown' })
    case 'step_skipped':
      return ends(writer, stepNumber, event.details.item, at, { outcome: 'skipped', ...person })
    case 'step_failed': {
      const { item, then, retryAt, attempt } = event.details
      ends(writer, stepNumber, item, at, { outcome: 'failed', ...person })
      if (then !== 'retry' || retryAt === undefined) return
      const about = { attempt: attempt + 1, ...(item !== undefined && { item }) }
      writer.begin(row, `w ${keyOf(stepNumber, item)}`, { kind: 'retry', from: at, ...about, label: retryAt, sequence })
      return
    }
    case 'step_rolled_back':
    case 'rollback_failed': {
      if (event.eventType === 'step_rolled_back' && event.details.items !== undefined) return
      const { duration_ms: ms, item, attempt } = event.details
      const outcome = event.eventType === 'step_rolled_back' ? 'ok' : 'failed'
      const key = `u ${keyOf(stepNumber, item)}`
      const from = new Date(Date.parse(at) - ms).toISOString()
      writer.begin(row, key, { kind: 'undo', from, attempt, ...(item !== undefined && { item }), sequence })
      return writer.finish(key, at, { outcome })
    }
    default:
      return
  }
}

/** Whatever of the step, or of its item, is under way; with the step as a whole its items end, too. */
const ends = (
  writer: Writer,
  stepNumber: number | undefined,
  item: number | undefined,
  at: string,
  how: Ends,
): void => {
  if (item !== undefined) {
    writer.finish(`w ${keyOf(stepNumber, item)}`, at, how)
    writer.finish(`c ${keyOf(stepNumber, item)}`, at, how)
    return
  }
  for (const kind of ['w', 'c']) {
    writer.finish(`${kind} ${keyOf(stepNumber, undefined)}`, at, how)
    writer.finishAll(`${kind} ${stepNumber ?? 0}[`, at, { outcome: 'ended' })
  }
  writer.finishAll(`p ${keyOf(stepNumber, undefined)}`, at, { outcome: 'ended' })
}

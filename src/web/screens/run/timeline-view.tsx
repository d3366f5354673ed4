import { useEffect, useRef, useState } from 'react'
import type { Timeline, TimelineRow, TimelineSpan } from '../../../client/client.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { absolute, length } from '../../parts/time-text.ts'
import { useNow } from '../../parts/time.tsx'
import { visible } from '../../parts/visible.ts'
import { lengthOf, marksOf, type Scale, scaleOf } from './timeline-scale.ts'

interface TimelineViewProps {
  readonly timeline: Timeline
  /** Number of the step that is looked at. */
  readonly step: number | undefined
  readonly onChoose: (step: number) => void
}

/** The run as bars over time: a row for each step and gate, in the order of the procedure. */
export function TimelineView({ timeline, step, onChoose }: TimelineViewProps) {
  const now = useNow()
  const [shortWaits, setShortWaits] = useState(false)
  const isOpen = timeline.to === undefined
  const scale = scaleOf(timeline, isOpen ? now : 0, shortWaits)
  const list = useRef<HTMLOListElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the row of the step comes into sight when another is looked at
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }, [step])
  return (
    <section className="card timeline" aria-label="Timeline">
      <div className="timeline-head">
        <h2>Timeline</h2>
        <span className="muted small tabular">
          {length(scale.toMs - scale.fromMs)} {isOpen ? 'so far' : 'altogether'}
        </span>
        <label className="check-field small">
          <input type="checkbox" checked={shortWaits} onChange={(event) => setShortWaits(event.target.checked)} />
          <span>Shorten waits</span>
        </label>
        <Legend />
      </div>
      <div className="timeline-axis" aria-hidden="true">
        <span className="timeline-names" />
        <span className="timeline-track">
          {marksOf(scale, 6)
            // One at the very end has no room for its words.
            .filter((ms) => scale.at(scale.fromMs + ms) < 0.94)
            .map((ms) => (
              <span key={ms} className="timeline-mark" style={{ left: percent(scale.at(scale.fromMs + ms)) }}>
                {ms === 0 ? '' : length(ms)}
              </span>
            ))}
        </span>
      </div>
      <ol ref={list} className="timeline-rows">
        {timeline.rows.map((row) => (
          <Row
            key={`${row.kind} ${row.id}`}
            row={row}
            lanes={timeline.lanes}
            scale={scale}
            runSpans={timeline.spans}
            isChosen={row.kind === 'step' && row.stepNumber === step}
            onChoose={onChoose}
          />
        ))}
      </ol>
    </section>
  )
}

const percent = (share: number): string => `${(100 * share).toFixed(3)}%`

interface RowProps {
  readonly row: TimelineRow
  readonly lanes: number
  readonly scale: Scale
  readonly runSpans: readonly TimelineSpan[]
  readonly isChosen: boolean
  readonly onChoose: (step: number) => void
}

function Row({ row, lanes, scale, runSpans, isChosen, onChoose }: RowProps) {
  const { kind, title, stepNumber, status, spans, lane, items, attempt } = row
  const took = lengthOf(
    spans.filter(({ item }) => item === undefined),
    scale.toMs,
  )
  const begun = spans.length > 0
  const time = begun && items === undefined ? length(took) : ''
  const content = (
    <>
      <span className="timeline-names">
        {lanes > 1 && (
          <span className="timeline-lanes" aria-hidden="true" style={{ width: `${Math.min(lanes, 8) * 12}px` }}>
            {Array.from({ length: Math.min(lanes, 8) }, (_, at) => (
              <span
                key={at}
                className={
                  at === Math.min(lane, 7) && kind === 'step' ? `lane lane-dot tone-${toneOf(status)}` : 'lane'
                }
              />
            ))}
          </span>
        )}
        <span className={`timeline-state tone-${toneOf(status)}`} aria-hidden="true">
          {SIGNS[toneOf(status)]}
        </span>
        <span className="timeline-title">
          <span className="visually-hidden">{kind === 'step' ? 'Step ' : 'Gate '}</span>
          {kind === 'step' && <span className="muted tabular">{stepNumber} </span>}
          <PlainText text={title} />
          <span className="visually-hidden">, {status.replaceAll('_', ' ')} </span>
          {attempt > 1 && <span className="muted small"> ×{attempt}</span>}
          {items !== undefined && (
            <span className="muted small tabular">
              {' '}
              {items.success + items.skipped}/{items.total}
            </span>
          )}
        </span>
        <span className="timeline-took muted tabular">{time}</span>
      </span>
      <span className="timeline-track" aria-hidden="true">
        {runSpans.map((span) => (
          <Bar key={`${span.kind} ${span.sequence}`} span={span} scale={scale} isBehind />
        ))}
        {spans.map((span) => (
          <Bar key={`${span.kind} ${span.sequence} ${span.item ?? ''}`} span={span} scale={scale} />
        ))}
      </span>
    </>
  )
  return (
    <li className={isChosen ? 'timeline-row timeline-row-chosen' : 'timeline-row'}>
      {kind === 'step' ? (
        <button
          type="button"
          className="timeline-button"
          {...(isChosen && { 'aria-current': 'true' as const })}
          onClick={() => onChoose(stepNumber)}
        >
          {content}
        </button>
      ) : (
        <div className="timeline-button">{content}</div>
      )}
    </li>
  )
}

interface BarProps {
  readonly span: TimelineSpan
  readonly scale: Scale
  readonly isBehind?: boolean
}

function Bar({ span, scale, isBehind = false }: BarProps) {
  const left = scale.at(Date.parse(span.from))
  const right = scale.at(span.to === undefined ? scale.toMs : Date.parse(span.to))
  const state = span.to === undefined ? 'bar-open' : `bar-${span.outcome ?? 'ok'}`
  return (
    <span
      className={`bar bar-kind-${span.kind} ${state} ${isBehind ? 'bar-behind' : ''}`}
      title={wordsOf(span)}
      style={{ left: percent(left), width: percent(right - left) }}
    />
  )
}

const KINDS: Readonly<Record<TimelineSpan['kind'], string>> = {
  queue: 'in the queue',
  gate: 'waits for approval',
  input: 'waits for a person',
  work: 'runs',
  wait: 'waits',
  child: 'runs an SOP',
  check: 'is checked',
  pool: 'waits for a worker',
  retry: 'waits for the next try',
  undo: 'is undone',
  paused: 'paused',
  rollback: 'walks back',
}

const wordsOf = ({ kind, from, to, outcome, attempt, item, label, by }: TimelineSpan): string =>
  [
    `${item === undefined ? '' : `Item ${item} `}${KINDS[kind]}${label === undefined ? '' : ` (${visible(label)})`}`,
    ...(attempt !== undefined && attempt > 1 ? [`attempt ${attempt}`] : []),
    `${absolute(from)}${to === undefined ? ', goes on' : `, ${length(Date.parse(to) - Date.parse(from))}`}`,
    ...(outcome === undefined ? [] : [`${outcome}${by === undefined ? '' : ` by ${visible(by)}`}`]),
  ].join('\n')

type Tone = 'good' | 'bad' | 'warn' | 'wait' | 'active' | 'quiet'

const SIGNS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', warn: '?', wait: '‖', active: '▸', quiet: '·' }

function toneOf(status: TimelineRow['status']): Tone {
  switch (status) {
    case 'success':
    case 'passed':
      return 'good'
    case 'failed':
    case 'rejected':
      return 'bad'
    case 'unknown':
      return 'warn'
    case 'awaiting_approval':
    case 'awaiting_input':
    case 'open':
      return 'wait'
    case 'running':
    case 'verifying':
      return 'active'
    default:
      return 'quiet'
  }
}

function Legend() {
  return (
    <span className="timeline-legend muted small" aria-hidden="true">
      <i className="bar-kind-work" /> work
      <i className="bar-kind-gate" /> people
      <i className="bar-kind-retry" /> waiting
      <i className="bar-kind-undo" /> undo
    </span>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import type { Control, LogList, TimelineRow } from '../../../client/client.ts'
import type { RunView, StepView } from '../../../core/run/view.ts'
import { request } from '../../api/request.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { length } from '../../parts/time-text.ts'
import { ControlsBar } from './controls-bar.tsx'
import { type LogChoice, pathOf } from './log-choice.ts'
import { LogView } from './log-view.tsx'

interface StepPanelProps {
  readonly run: RunView
  readonly step: StepView
  readonly row: TimelineRow | undefined
  readonly log: LogChoice
  readonly controls: readonly Control[]
  readonly onChoose: (log: LogChoice) => void
  readonly onDone: () => void
}

/** One step: how it stands, and what it printed, by attempt, item and source. */
export function StepPanel({ run, step, row, log, controls, onChoose, onDone }: StepPanelProps) {
  const back = controls.filter(({ name, body }) => name === 'retry_from' && body.step === step.number)
  const logs = useLogs(run, step)
  // What runs no command has no log, unless its check or its undo wrote one.
  const isSilent = NO_COMMAND.has(step.kind) && (logs === undefined || logs.length === 0)
  return (
    <section className="card step-panel" aria-label={`Step ${step.number}`}>
      <div className="step-head">
        <h2>
          <span className="muted tabular">{step.number}</span> <PlainText text={step.title} />
        </h2>
        <StateBadge state={step.status} />
        {step.durationMs !== undefined && <span className="muted small tabular">{length(step.durationMs)}</span>}
        {step.exitCode !== undefined && <span className="muted small tabular">exit {step.exitCode}</span>}
        {step.runsOn !== undefined && <span className="muted small">pool {step.runsOn}</span>}
        {row?.child !== undefined && <Link to={`/runs/${encodeURIComponent(row.child)}`}>Its own run</Link>}
      </div>
      {(step.error ?? step.reason) !== undefined && (
        <p className={step.error === undefined ? 'muted' : 'step-error'}>
          <PlainText text={step.error ?? step.reason ?? ''} />
        </p>
      )}
      {isSilent ? (
        <p className="muted step-silent">{SILENT[step.kind]}</p>
      ) : (
        <>
          <LogChoices step={step} logs={logs ?? []} log={log} onChoose={onChoose} />
          <LogView key={nameOfNewest(log, logs ?? [])} runId={run.runId} log={log} empty={emptyWords(step)} />
        </>
      )}
      {back.length > 0 && <ControlsBar name="Go back" run={run} controls={back} onDone={onDone} />}
    </section>
  )
}

function emptyWords({ status }: StepView): string {
  if (status === 'pending' || status === 'awaiting_approval') return 'The step has not begun.'
  if (status === 'running') return 'It has printed nothing so far.'
  return 'It printed nothing.'
}

const SILENT: Readonly<Partial<Record<StepView['kind'], string>>> = {
  manual: 'A person does this step, so it prints nothing.',
  wait: 'The run waits here; nothing is printed.',
  sop: 'This step runs another SOP, whose steps print in a run of its own.',
}
const NO_COMMAND: ReadonlySet<string> = new Set(Object.keys(SILENT))

/** A new attempt, or the next item, has a log of its own: it takes the place of the one before where nobody chose. */
const nameOfNewest = (log: LogChoice, logs: LogList['logs']): string => {
  const newest = logs.findLast(
    ({ attempt, item, source }) =>
      source === (log.source ?? 'step') &&
      (log.item === undefined || item === log.item) &&
      (log.attempt === undefined || attempt === log.attempt),
  )
  return JSON.stringify([log, newest])
}

/** The logs that the step has; `undefined` until it is known. */
function useLogs(run: RunView, step: StepView): LogList['logs'] | undefined {
  const { data } = useQuery({
    queryKey: ['run', run.runId, 'logs', step.number],
    queryFn: ({ signal }) => request<LogList>(`${pathOf(run.runId)}/logs/list?step=${step.number}`, { signal }),
  })
  return data?.logs
}

interface LogChoicesProps {
  readonly step: StepView
  readonly logs: LogList['logs']
  readonly log: LogChoice
  readonly onChoose: (log: LogChoice) => void
}

/** Which of the logs of the step: there is one for each attempt, item, check and undo. */
function LogChoices({ step, logs, log, onChoose }: LogChoicesProps) {
  const distinct = <T,>(values: readonly T[]): readonly T[] => [...new Set(values)]
  const items = distinct(logs.flatMap(({ item }) => (item === undefined ? [] : [item])))
  const sources = distinct(logs.map(({ source }) => source))
  const ofSource = logs.filter(({ source }) => source === (log.source ?? 'step'))
  const attempts = distinct(
    ofSource.filter(({ item }) => log.item === undefined || item === log.item).map(({ attempt }) => attempt),
  )
  if (items.length < 2 && sources.length < 2 && attempts.length < 2) return null
  const shown = new Map((step.items?.shown ?? []).map((each) => [each.item, each]))
  const nameOf = (item: number): string => {
    const found = shown.get(item)
    return found === undefined ? String(item) : `${item} ${found.value} · ${found.status}`
  }
  return (
    <div className="log-choices">
      {items.length > 0 && (
        <label>
          Item
          <select
            className="input"
            value={log.item ?? ''}
            onChange={(event) =>
              onChoose({ step: step.number, ...(event.target.value !== '' && { item: Number(event.target.value) }) })
            }
          >
            <option value="">newest</option>
            {items.map((item) => (
              <option key={item} value={item}>
                {nameOf(item)}
              </option>
            ))}
          </select>
        </label>
      )}
      {attempts.length > 1 && (
        <label>
          Attempt
          <select
            className="input"
            value={log.attempt ?? ''}
            onChange={(event) => {
              const { attempt: _, ...rest } = log
              onChoose({ ...rest, ...(event.target.value !== '' && { attempt: Number(event.target.value) }) })
            }}
          >
            <option value="">newest</option>
            {attempts.map((attempt) => (
              <option key={attempt} value={attempt}>
                {attempt}
              </option>
            ))}
          </select>
        </label>
      )}
      {sources.length > 1 && (
        <label>
          Output of
          <select
            className="input"
            value={log.source ?? 'step'}
            onChange={(event) => {
              const { source: _, attempt: _attempt, ...rest } = log
              onChoose({ ...rest, ...(event.target.value !== 'step' && { source: event.target.value }) })
            }}
          >
            {sources.map((source) => (
              <option key={source} value={source}>
                {{ step: 'the step', verify: 'its check', rollback: 'its undo' }[source] ?? source}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}

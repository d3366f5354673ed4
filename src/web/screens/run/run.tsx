import { useCallback, useEffect } from 'react'
import { useParams, useSearchParams } from 'react-router'
import type { RunView } from '../../../core/run/view.ts'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { LinkTabs } from '../../parts/link-tabs.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { useTabTitle } from '../../parts/screen.tsx'
import { Time } from '../../parts/time.tsx'
import { Attention, standsFor } from './attention.tsx'
import { AuditView } from './audit-view.tsx'
import { FactsView } from './facts-view.tsx'
import { addressOf, type LogChoice } from './log-choice.ts'
import { NextView } from './next-view.tsx'
import { QueueCard } from './queue-card.tsx'
import { RecordView } from './record-view.tsx'
import { RunHead } from './run-head.tsx'
import './run.css'
import './log.css'
import { StepPanel } from './step-panel.tsx'
import { TimelineView } from './timeline-view.tsx'
import { useRun } from './use-run.ts'

const TABS = ['steps', 'facts', 'audit'] as const
const TAB_NAMES = { steps: 'Output', facts: 'Params and outputs', audit: 'Audit' } as const

/** One run: where it stands, what it did and prints, what comes next, and everything that can be done about it. */
export function Component() {
  const { id = '' } = useParams()
  const [search, setSearch] = useSearchParams()
  const { view, timeline, controls, next, refresh } = useRun(id)
  const run = view.data
  useTabTitle(run === undefined ? 'Run' : `${run.title} · ${run.status.replaceAll('_', ' ')}`)
  const onDone = useCallback(() => void refresh(), [refresh])
  // A problem of the rest is shown once, and the run itself stays.
  const trouble = view.error ?? timeline.error ?? controls.error ?? next.error
  useEffect(() => {
    // What is not on record is told by no event.
    if (run !== undefined && (run.stale === true || run.held !== undefined)) {
      const timer = setTimeout(() => void refresh(), 5_000)
      return () => clearTimeout(timer)
    }
    return undefined
  }, [run, refresh])
  if (run === undefined) {
    return (
      <div className="screen">
        {view.error === null ? (
          <div className="run-loading" aria-busy="true" />
        ) : (
          <>
            <h1>Run</h1>
            <ErrorBox title="This run cannot be shown" error={view.error} retry={onDone} />
          </>
        )}
      </div>
    )
  }
  const tab = TABS.find((name) => name === search.get('tab')) ?? 'steps'
  const log = chosenLog(search) ?? defaultLog(run)
  const queue = controls.data?.queue ?? []
  const choose = (choice: LogChoice): void =>
    setSearch(new URLSearchParams(addressOf(choice)), { replace: true, preventScrollReset: true })
  const step = run.stepResults.find(({ number }) => number === log.step)
  const addressOfTab = (name: (typeof TABS)[number]): string => {
    const to = new URLSearchParams(search)
    if (name === 'steps') to.delete('tab')
    else to.set('tab', name)
    return to.size === 0 ? '.' : `?${to.toString()}`
  }
  return (
    <div className="screen run-screen">
      <RunHead run={run} controls={controls.data} onDone={onDone} />
      {trouble !== null && <ErrorBox title="Not all of it is up to date" error={trouble} retry={onDone} />}
      <Notes run={run} isTold={queue.length > 0 || saysWhy(run, controls.data?.waiting ?? [])} />
      {queue.length > 0 && <QueueCard of={id} runId={run.runId} orders={queue} onDone={onDone} />}
      {controls.data !== undefined && (
        <Attention
          run={run}
          waiting={controls.data.waiting}
          controls={controls.data.controls}
          onChoose={choose}
          onDone={onDone}
        />
      )}
      {timeline.data !== undefined && (
        <TimelineView
          timeline={timeline.data}
          step={tab === 'steps' ? step?.number : undefined}
          onChoose={(number) => choose({ step: number })}
        />
      )}
      <div className="run-columns">
        <div className="run-main">
          <LinkTabs
            label="Parts of the run"
            current={addressOfTab(tab)}
            tabs={TABS.map((name) => ({
              name: TAB_NAMES[name],
              to: addressOfTab(name),
            }))}
          />
          {tab === 'steps' && step !== undefined && (
            <StepPanel
              run={run}
              step={step}
              row={timeline.data?.rows.find((row) => row.kind === 'step' && row.stepNumber === step.number)}
              log={log}
              controls={controls.data?.controls ?? []}
              onChoose={choose}
              onDone={onDone}
            />
          )}
          {tab === 'facts' && <FactsView run={run} />}
          {tab === 'audit' && <AuditView runId={run.runId} sequence={timeline.data?.sequence ?? run.sequence} />}
        </div>
        <aside className="run-aside" aria-label="More of the run">
          <NextView next={next.data} isClosed={run.completedAt !== undefined} />
          <RecordView runId={run.runId} />
        </aside>
      </div>
    </div>
  )
}

/** Why it stands still, ends or waits, in a line each; `isTold`: what waits says so itself. */
function Notes({ run, isTold }: { readonly run: RunView; readonly isTold: boolean }) {
  return (
    <div className="run-notes" role="status">
      {run.held !== undefined && (
        <p className="run-note">
          Nothing new begins since <Time at={run.held.since} />: the record cannot be written since{' '}
          <Time at={run.held.storeDownSince} as="both" />, and {run.held.unrecorded.toLocaleString()} events waited for
          it then. What is under way goes on, nothing is lost, and the run goes on by itself once all is on record.
          Timeline and audit show what is recorded.
        </p>
      )}
      {run.reason !== undefined && run.held === undefined && !isTold && (
        <p className={`run-note ${run.status === 'failed' ? 'run-note-bad' : ''}`}>
          <PlainText text={`${run.reason.slice(0, 1).toUpperCase()}${run.reason.slice(1)}`} />
          {run.paused !== undefined && (
            <span className="muted">
              {' '}
              · paused by <PlainText text={run.paused.by} /> <Time at={run.paused.since} />
            </span>
          )}
        </p>
      )}
      {(run.poolWaits ?? []).map(({ stepNumber, title, pool, since }) => (
        <p key={stepNumber} className="run-note">
          Step {stepNumber} “<PlainText text={title} />” waits for a worker of pool <PlainText text={pool} />, since{' '}
          <Time at={since} />. Start one on a host of the pool: <code>sop worker --pool {pool}</code>
        </p>
      ))}
      {run.stale === true && (
        <p className="run-note">No worker answers: this is what the record knows. The run may be further on.</p>
      )}
    </div>
  )
}

function chosenLog(search: URLSearchParams): LogChoice | undefined {
  const number = (name: string): number | undefined => {
    const text = search.get(name)
    return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined
  }
  const [step, attempt, item, source] = [number('step'), number('attempt'), number('item'), search.get('source')]
  if (step === undefined) return undefined
  return {
    step,
    ...(attempt !== undefined && { attempt }),
    ...(item !== undefined && { item }),
    ...(source !== null && { source }),
  }
}

/** Until somebody chooses, what matters now: a step that runs, else where the run stands, else the last one that did anything. */
function defaultLog({ stepResults, currentStep, paused }: RunView): LogChoice {
  const active = stepResults.find(({ status }) => status === 'running' || status === 'unknown')
  const last = stepResults.findLast(({ status }) => status === 'success' || status === 'failed')
  const step = active?.number ?? paused?.stepNumber ?? last?.number ?? currentStep ?? stepResults[0]?.number ?? 1
  // Of many items the one that the run stands still for.
  const shown = stepResults.find(({ number }) => number === step)?.items?.shown ?? []
  const item = shown.find(({ status }) => status === 'unknown') ?? shown.find(({ status }) => status === 'failed')
  return { step, ...(paused !== undefined && item !== undefined && { item: item.item }) }
}

/** Whether what waits says why the run stands still. */
const saysWhy = ({ paused, stepResults }: RunView, waiting: readonly WaitingItem[]): boolean =>
  waiting.some(({ kind }) => kind === 'unknown') ||
  (paused !== undefined && stepResults.some((step) => standsFor(paused, step)))

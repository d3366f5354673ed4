import { useMutation } from '@tanstack/react-query'
import { type SubmitEvent, useId, useState } from 'react'
import { Link } from 'react-router'
import type { OccurrenceSource } from '../../../core/trigger/occurrence.ts'
import { request } from '../../api/request.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { triggerName } from '../runs/filters.ts'
import type { TestResult } from './trigger-queries.ts'
import { Verdict } from './verdict.tsx'

const SOURCES: Readonly<Record<OccurrenceSource, { readonly name: string; readonly subject: string }>> = {
  webhook: { name: 'Webhook', subject: 'Path, e.g. /hooks/github' },
  event: { name: 'Event', subject: 'Name of the event' },
  command: { name: 'Message', subject: 'Text of the message' },
  file_watch: { name: 'File', subject: 'Path of the file' },
  mqtt: { name: 'MQTT', subject: 'Topic' },
  amqp: { name: 'AMQP', subject: 'Routing key' },
  sop: { name: 'End of a run', subject: 'Name of the SOP' },
}

interface Question {
  readonly source: string
  readonly subject: string
  readonly action: string
  readonly payload: string
}

/** What something would start, with which params, and why not. Nothing is started or recorded. */
export function TriggerTest() {
  const id = useId()
  const [question, setQuestion] = useState<Question>({ source: 'webhook', subject: '', action: '', payload: '{}' })
  const [notJson, setNotJson] = useState<string>()
  const ask = useMutation({
    mutationFn: (body: unknown) =>
      request<{ readonly results: readonly TestResult[] }>('/api/v1/triggers/test', { method: 'POST', body }),
  })
  const set = (change: Partial<Question>): void => setQuestion({ ...question, ...change })
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const payload = payloadOf(question.payload)
    setNotJson('reason' in payload ? payload.reason : undefined)
    if ('reason' in payload) return
    const { source, subject, action } = question
    ask.mutate({
      ...(source !== '' && { source }),
      ...(subject !== '' && { subject }),
      ...(action !== '' && { action }),
      ...payload,
    })
  }
  const { subject } = SOURCES[question.source as OccurrenceSource] ?? { subject: 'Path, name, message, topic' }
  return (
    <div className="two-columns">
      <form className="card trigger-form" onSubmit={submit} aria-label="Test a trigger">
        <label className="field">
          <span>What comes</span>
          <select value={question.source} onChange={(event) => set({ source: event.target.value })}>
            {Object.entries(SOURCES).map(([value, { name }]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>{subject}</span>
          <input value={question.subject} onChange={(event) => set({ subject: event.target.value })} />
        </label>
        <label className="field">
          <span>Action, if any: HTTP method, kind of change, end of a run</span>
          <input value={question.action} onChange={(event) => set({ action: event.target.value })} />
        </label>
        <div className={`field${notJson === undefined ? '' : ' field-wrong'}`}>
          <label className="field-name" htmlFor={id}>
            Payload, as JSON
          </label>
          <textarea
            id={id}
            rows={8}
            className="trigger-payload"
            spellCheck={false}
            value={question.payload}
            aria-invalid={notJson !== undefined}
            aria-describedby={notJson === undefined ? undefined : `${id}-error`}
            onChange={(event) => set({ payload: event.target.value })}
          />
          {notJson !== undefined && (
            <p id={`${id}-error`} className="field-error" role="alert">
              It is not JSON: {notJson}
            </p>
          )}
        </div>
        <div className="dialog-buttons">
          <button type="submit" className="button button-primary" disabled={ask.isPending}>
            Test
          </button>
        </div>
      </form>
      <section aria-label="What would start" aria-live="polite">
        {ask.error !== null ? (
          <ErrorBox title="It cannot be tested" error={ask.error} />
        ) : ask.data === undefined ? (
          <p className="muted">
            It says which SOPs would start, with which params, and why others would not. It starts nothing.
          </p>
        ) : ask.data.results.length === 0 ? (
          <Empty title="Nothing waits for that">
            <p>No trigger of that kind.</p>
          </Empty>
        ) : (
          <ul className="test-results">
            {ask.data.results.map((result) => (
              <TestRow key={`${result.sop} ${result.trigger}`} result={result} />
            ))}
          </ul>
        )}
      </section>
    </div>
  )
}

const payloadOf = (text: string): { readonly payload?: unknown } | { readonly reason: string } => {
  if (text.trim() === '') return {}
  try {
    return { payload: JSON.parse(text) as unknown }
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}

function TestRow({ result: { sop, type, awaits, verdict, reason, params, runId } }: { readonly result: TestResult }) {
  return (
    <li className="card test-result">
      <p>
        <Verdict verdict={verdict} />{' '}
        <Link to={`/sops/${encodeURIComponent(sop)}`}>
          <PlainText text={sop} />
        </Link>{' '}
        <span className="small muted">
          {triggerName(type)} <PlainText text={awaits} />
        </span>
      </p>
      {reason !== undefined && (
        <p className="small">
          <PlainText text={reason} />
        </p>
      )}
      {runId !== undefined && (
        <p className="small">
          <Link to={`/runs/${encodeURIComponent(runId)}`}>{runId}</Link>
        </p>
      )}
      {params !== undefined && Object.keys(params).length > 0 && (
        <pre tabIndex={0} aria-label="Params">
          <PlainText text={JSON.stringify(params, null, 2)} />
        </pre>
      )}
    </li>
  )
}

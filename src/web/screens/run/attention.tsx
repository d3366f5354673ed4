import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { Control } from '../../../client/client.ts'
import type { GateView, InputView, RunView } from '../../../core/run/view.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { Markdown } from '../../parts/markdown.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Time } from '../../parts/time.tsx'
import { ControlsBar } from './controls-bar.tsx'
import { Commands, sendControl } from './decide.tsx'
import { type FieldTexts, ParamFields, valuesOf, withDefaults } from './param-fields.tsx'

interface AttentionProps {
  readonly run: RunView
  readonly controls: readonly Control[]
  readonly onDone: () => void
}

/** What waits for a person, with everything that the answer is about. */
export function Attention({ run, controls, onDone }: AttentionProps) {
  const unknown = run.stepResults.filter(({ status }) => status === 'unknown')
  const items = run.stepResults.filter(({ items: list }) => (list?.unknown ?? 0) + (list?.failed ?? 0) > 0)
  const failed = run.stepResults.filter(
    ({ status, number }) => status === 'failed' && run.paused?.stepNumber === number,
  )
  return (
    <>
      {run.openGates.map((gate) => (
        <GateCard
          key={`${gate.gate}#${gate.attempt}`}
          run={run}
          gate={gate}
          controls={controls.filter(({ about, body }) => about === 'gate' && body.gate === gate.gate)}
          onDone={onDone}
        />
      ))}
      {run.openInputs.map((input) => (
        <InputCard
          key={`${input.stepNumber} ${input.since}`}
          run={run}
          input={input}
          controls={controls.filter(({ about, body }) => about === 'step' && body.step === input.stepNumber)}
          onDone={onDone}
        />
      ))}
      {[...unknown, ...failed].map((step) => (
        <section key={step.number} className="card attention" aria-label={`Step ${step.number}`}>
          <h2>
            {step.status === 'unknown' ? 'Did it run? ' : 'It failed: '}
            <PlainText text={step.title} />
          </h2>
          {step.error !== undefined && (
            <p>
              <PlainText text={step.error} />
            </p>
          )}
          <ControlsBar
            name={`Step ${step.number}`}
            run={run}
            controls={controls.filter(
              ({ about, body, name }) => about === 'step' && body.step === step.number && name !== 'retry_from',
            )}
            onDone={onDone}
          />
        </section>
      ))}
      {run.paused !== undefined &&
        items.map((step) => (
          <section key={step.number} className="card attention" aria-label={`Items of step ${step.number}`}>
            <h2>
              Items of <PlainText text={step.title} />
            </h2>
            {(step.items?.shown ?? [])
              .filter(({ status }) => status === 'failed' || status === 'unknown')
              .map(({ item, value, status, error }) => (
                <div key={item} className="attention-item">
                  <p>
                    <strong>
                      {item}. <PlainText text={value} />
                    </strong>{' '}
                    {status}
                    {error !== undefined && (
                      <>
                        : <PlainText text={error} />
                      </>
                    )}
                  </p>
                  <ControlsBar
                    name={`Item ${item}`}
                    run={run}
                    controls={controls.filter(
                      ({ about, body }) => about === 'item' && body.step === step.number && body.item === item,
                    )}
                    onDone={onDone}
                  />
                </div>
              ))}
          </section>
        ))}
    </>
  )
}

const THEN: Readonly<Record<string, string>> = {
  approve: 'is approved by the timer',
  reject: 'is rejected by the timer',
  escalate: 'is escalated',
  fail: 'fails the run',
}

interface GateCardProps extends AttentionProps {
  readonly gate: GateView
}

function GateCard({ run, gate, controls, onDone }: GateCardProps) {
  return (
    <section className="card attention" aria-label={`Gate ${gate.gate}`}>
      <h2>
        Approval: <PlainText text={gate.title} />
      </h2>
      <p className="attention-facts muted small">
        Gate <code>{gate.gate}</code>
        {gate.attempt > 1 && `, attempt ${gate.attempt}`} · open since <Time at={gate.openedAt} />
        {gate.deadlineAt !== undefined && (
          <>
            {' '}
            · <Time at={gate.deadlineAt} /> it {THEN[gate.onTimeout ?? 'approve'] ?? 'ends'}
          </>
        )}
        {gate.approvers !== undefined && (
          <>
            {' '}
            · for <PlainText text={gate.approvers.join(', ')} />
          </>
        )}
        {gate.covers !== undefined && (
          <>
            {' '}
            · covers <code title={gate.covers}>{gate.covers.slice(0, 12)}</code>
          </>
        )}
      </p>
      {gate.commands !== undefined && <Commands commands={gate.commands} />}
      <ControlsBar name={`Gate ${gate.gate}`} run={run} controls={controls} onDone={onDone} />
    </section>
  )
}

interface InputCardProps extends AttentionProps {
  readonly input: InputView
}

function InputCard({ run, input, controls, onDone }: InputCardProps) {
  const { stepNumber, title, body, checklist = [], form = [] } = input
  const [texts, setTexts] = useState<FieldTexts>({})
  const [comment, setComment] = useState('')
  const complete = controls.find(({ name }) => name === 'complete')
  const others = controls.filter(({ name }) => name !== 'complete' && name !== 'retry_from')
  const sending = useMutation({
    mutationFn: (more: Readonly<Record<string, unknown>>) =>
      sendControl(run.runId, complete ?? { verb: 'complete', body: { step: stepNumber } }, more),
    onSuccess: onDone,
  })
  const isAllowed = complete?.allowed === true
  return (
    <section className="card attention" aria-label={`Step ${stepNumber}`}>
      <h2>
        To do: <PlainText text={title} />
      </h2>
      <p className="attention-facts muted small">
        Waits since <Time at={input.since} />
        {input.assignee !== undefined && (
          <>
            {' '}
            for <PlainText text={input.assignee} />
          </>
        )}
        {input.dueAt !== undefined && (
          <>
            {' '}
            · due <Time at={input.dueAt} />
          </>
        )}
        {input.overdue === true && <strong className="attention-overdue"> · overdue</strong>}
      </p>
      {body !== undefined && <Markdown text={body} />}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          sending.mutate({
            ...(form.length > 0 && { values: valuesOf(form, withDefaults(form, texts)) }),
            ...(comment.trim() !== '' && { comment: comment.trim() }),
          })
        }}
      >
        {checklist.length > 0 && (
          <ul className="checklist">
            {checklist.map(({ item, text, ticked }) => (
              <li key={item}>
                <label className="check-field">
                  <input
                    type="checkbox"
                    checked={ticked}
                    disabled={!isAllowed || sending.isPending}
                    onChange={(event) => sending.mutate({ item, ticked: event.target.checked })}
                  />
                  <PlainText text={text} />
                </label>
              </li>
            ))}
          </ul>
        )}
        <ParamFields params={form} texts={texts} onChange={setTexts} />
        <label className="field">
          <span>Comment</span>
          <textarea rows={2} maxLength={10_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        </label>
        {sending.error !== null && <ErrorBox title="It was refused" error={sending.error} />}
        <div className="attention-buttons">
          <button type="submit" className="button button-good" disabled={!isAllowed || sending.isPending}>
            Complete
          </button>
          <ControlsBar name={`Step ${stepNumber}`} run={run} controls={others} onDone={onDone} />
        </div>
        {complete !== undefined && !complete.allowed && <p className="muted small">{complete.reason}</p>}
      </form>
    </section>
  )
}

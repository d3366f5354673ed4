import { useCallback, useRef } from 'react'
import type { Control } from '../../../client/client.ts'
import type { RunView, StepView } from '../../../core/run/view.ts'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { Time } from '../../parts/time.tsx'
import { WaitingCard } from '../waiting/card.tsx'
import { useCards } from '../waiting/use-cards.ts'
import '../waiting/waiting.css'
import { ControlsBar } from './controls-bar.tsx'
import type { LogChoice } from './log-choice.ts'

interface AttentionProps {
  readonly run: RunView
  readonly waiting: readonly WaitingItem[]
  readonly controls: readonly Control[]
  readonly onChoose: (log: LogChoice) => void
  readonly onDone: () => void
}

const NOTHING = (): void => {}

/** What waits for a person, answered in place by the same cards as on the first screen; then what a pause is about. */
export function Attention({ run, waiting, controls, onChoose, onDone }: AttentionProps) {
  const mine = useRef(new Set<string>())
  const { cards, lose } = useCards(
    waiting,
    useCallback((key: string) => mine.current.has(key), []),
  )
  const onMine = useCallback((key: string) => void mine.current.add(key), [])
  const onRefused = useCallback(
    (item: WaitingItem, reason: string) => {
      mine.current.delete(item.key)
      lose(item, reason)
    },
    [lose],
  )
  // A pause stands in the note above, with its buttons in the head.
  const hasItems = run.stepResults.some(({ items }) => (items?.unknown ?? 0) + (items?.failed ?? 0) > 0)
  // Items stand below, each with its own answers.
  const shown = cards.filter(({ item }) => item.kind !== 'paused' && !(item.kind === 'unknown' && hasItems))
  return (
    <>
      {shown.length > 0 && (
        <ul className="waiting run-waiting" aria-label="Waits for a person">
          {shown.map((card) => (
            <WaitingCard
              key={card.item.key}
              {...card}
              asked={undefined}
              onAsked={NOTHING}
              onMine={onMine}
              onRefused={onRefused}
            />
          ))}
        </ul>
      )}
      {run.paused !== undefined && <Stopped run={run} controls={controls} onChoose={onChoose} onDone={onDone} />}
    </>
  )
}

/** A step that failed, and for which the run stands still. */
export const standsFor = ({ stepNumber }: NonNullable<RunView['paused']>, { number, status }: StepView): boolean =>
  status === 'failed' && stepNumber === number

/** The step, and the items of it, that a run stands still for. */
function Stopped({ run, controls, onChoose, onDone }: Omit<AttentionProps, 'waiting'>) {
  const { paused } = run
  if (paused === undefined) return null
  const failed = run.stepResults.filter((step) => standsFor(paused, step))
  const items = run.stepResults.filter(({ items: list }) => (list?.unknown ?? 0) + (list?.failed ?? 0) > 0)
  const retry = controls.filter(({ about, name }) => about === 'run' && name === 'retry')
  return (
    <>
      {failed.map((step) => (
        <section key={step.number} className="card attention" aria-label={`Step ${step.number} failed`}>
          <h2>
            It failed: <PlainText text={step.title} />
          </h2>
          <p>
            <PlainText text={step.error ?? run.reason ?? ''} />{' '}
            <span className="muted">
              · paused by <PlainText text={paused.by} /> <Time at={paused.since} />
            </span>
          </p>
          <ControlsBar
            name={`Step ${step.number}`}
            run={run}
            // Back to the step that failed is what a retry is.
            controls={[
              ...retry,
              ...controls.filter(
                ({ about, name, body }) => about === 'step' && name !== 'retry_from' && body.step === step.number,
              ),
            ]}
            onDone={onDone}
          />
        </section>
      ))}
      {items.map((step) => (
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
                  )}{' '}
                  <button
                    type="button"
                    className="button button-plain button-small"
                    aria-label={`Its output, item ${item}`}
                    onClick={() => onChoose({ step: step.number, item })}
                  >
                    Its output
                  </button>
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

import { useEffect, useId, useState } from 'react'
import type { Control } from '../../../core/run/controls.ts'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { problemOf } from '../../api/problem.ts'
import { ParamField } from '../../parts/param-field.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { say } from '../../shell/toasts.tsx'
import { Confirm, toneOf } from './confirm.tsx'
import { answer, tick } from './decide.ts'
import { outcomeOf } from './outcome.ts'

/** What a single key asks for. */
export type Asked = 'approve' | 'reject'

/** What people have typed, by what it is about: it outlives a look at another screen. */
const drafts = new Map<string, { comment: string; values: Readonly<Record<string, string>> }>()

interface AnswerProps {
  readonly item: WaitingItem
  readonly asked: Asked | undefined
  readonly onAsked: () => void
  readonly onMine: (key: string) => void
  readonly onRefused: (item: WaitingItem, reason: string) => void
}

/** The answer to something that waits, in place: checklist and form, comment, buttons, and why one may not. */
export function Answer({ item, asked, onAsked, onMine, onRefused }: AnswerProps) {
  const [draft, setDraft] = useState(() => drafts.get(item.key) ?? { comment: '', values: {} })
  const [confirming, setConfirming] = useState<Control>()
  const [problem, setProblem] = useState<string>()
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({})
  const [busy, setBusy] = useState<string>()
  const noteId = useId()
  useEffect(() => void drafts.set(item.key, draft), [draft, item.key])

  const send = async (control: Control, comment: string): Promise<void> => {
    if (busy !== undefined) return
    setBusy(control.name)
    setProblem(undefined)
    setWrong({})
    onMine(item.key)
    try {
      const isCompletion = control.name === 'complete' && item.kind === 'input'
      const reply = await answer(item, control, {
        comment,
        ...(isCompletion && { values: valuesOf(item, draft.values) }),
      })
      drafts.delete(item.key)
      // Of several items that wait on one card, the next one gets words of its own.
      setDraft({ comment: '', values: {} })
      say(
        `${DONE[control.name] ?? control.label}: ${item.title.slice(0, 80)}${reply.stored === true ? ' (stored; no worker has seen it yet)' : ''}`,
      )
    } catch (error) {
      const { message, code, document } = problemOf(error)
      // Too late: whoever was quicker has a name.
      const how = code === 'conflict' ? await outcomeOf(item).catch(() => undefined) : undefined
      const found = wrongIn(document['errors'])
      setWrong(found)
      const told =
        how !== undefined
          ? `${how} Your answer came too late: ${message}`
          : Object.keys(found).length > 0
            ? 'Not taken: correct the values above.'
            : message
      setProblem(told)
      onRefused(item, told)
    } finally {
      setBusy(undefined)
    }
  }
  const press = (control: Control): void => {
    const isGrave = control.secondLook === true || (control.name === 'approve' && item.secondLook !== undefined)
    if (isGrave) setConfirming(control)
    else void send(control, draft.comment)
  }
  const main = item.actions.filter(
    ({ name, about }) => MAIN[item.kind].includes(name) && (item.kind === 'unknown' || about !== 'item'),
  )
  const others = item.actions.filter(
    (control) => control.allowed && !main.includes(control) && control.name !== 'retry_from',
  )
  useEffect(() => {
    if (asked === undefined) return
    onAsked()
    const control = main.find(({ name, allowed }) => allowed && KEYS[asked].includes(name))
    if (control !== undefined) setConfirming(control)
  }, [asked, onAsked, main])
  const refused = main.find(({ allowed }) => !allowed)
  const canAnswer = item.actions.some(({ allowed }) => allowed)
  return (
    <div className="answer">
      {item.input?.checklist !== undefined && <Checklist item={item} canTick={canAnswer} onProblem={setProblem} />}
      {canAnswer &&
        item.input?.form?.map((param) => (
          <ParamField
            key={param.name}
            param={param}
            value={draft.values[param.name] ?? String(param.default ?? '')}
            error={wrong[param.name]}
            onChange={(value) => setDraft({ ...draft, values: { ...draft.values, [param.name]: value } })}
          />
        ))}
      {canAnswer && (
        <label className="field">
          <span>Comment for the record</span>
          <textarea
            rows={1}
            maxLength={10_000}
            value={draft.comment}
            onChange={(event) => setDraft({ ...draft, comment: event.target.value })}
          />
        </label>
      )}
      {problem !== undefined && (
        <p className="answer-problem" role="alert">
          <PlainText text={problem} />
        </p>
      )}
      <div className="answer-buttons">
        {main
          .filter(({ allowed }) => allowed)
          .map((control) => (
            <button
              key={keyOf(control)}
              type="button"
              className={`button ${control.name === 'reject' || control.name === 'fail' ? '' : toneOf(control)}`}
              aria-disabled={busy !== undefined}
              onClick={() => press(control)}
            >
              {busy === control.name ? `${control.label} …` : control.label}
            </button>
          ))}
        {others.map((control) => (
          <button
            key={keyOf(control)}
            type="button"
            className="button"
            aria-disabled={busy !== undefined}
            onClick={() => press(control)}
          >
            {control.label}
          </button>
        ))}
      </div>
      {!canAnswer && refused?.reason !== undefined && (
        <p id={noteId} className="muted small">
          <PlainText text={refused.reason} />
        </p>
      )}
      {confirming !== undefined && (
        <Confirm
          item={item}
          control={confirming}
          comment={draft.comment}
          onClose={() => setConfirming(undefined)}
          onAnswer={(comment) => {
            setDraft({ ...draft, comment })
            setConfirming(undefined)
            void send(confirming, comment)
          }}
        />
      )}
    </div>
  )
}

const keyOf = ({ name, about, body }: Control): string => `${name}/${about}/${body.step ?? ''}/${body.item ?? ''}`

/** Which answers are the usual ones. */
const MAIN: Readonly<Record<WaitingItem['kind'], readonly Control['name'][]>> = {
  gate: ['approve', 'reject'],
  input: ['complete', 'fail'],
  unknown: ['complete', 'did_not_run'],
  paused: ['resume', 'retry'],
}
const KEYS: Readonly<Record<Asked, readonly Control['name'][]>> = {
  approve: ['approve', 'complete', 'resume', 'retry'],
  reject: ['reject', 'fail'],
}
const DONE: Partial<Record<Control['name'], string>> = {
  approve: 'Approved',
  reject: 'Rejected',
  complete: 'Completed',
  fail: 'Reported as failed',
  skip: 'Skipped',
  resume: 'Resumed',
  retry: 'Tried again',
  did_not_run: 'Said that it did not run',
  run_again: 'Run again',
  cancel: 'Cancelled',
}

interface ChecklistProps {
  readonly item: WaitingItem
  readonly canTick: boolean
  readonly onProblem: (text: string) => void
}

function Checklist({ item, canTick, onProblem }: ChecklistProps) {
  const [pending, setPending] = useState<Readonly<Record<number, boolean>>>({})
  const change = async (number: number, ticked: boolean): Promise<void> => {
    setPending((before) => ({ ...before, [number]: ticked }))
    try {
      await tick(item, number, ticked)
    } catch (error) {
      onProblem(problemOf(error).message)
    } finally {
      setPending(({ [number]: _, ...rest }) => rest)
    }
  }
  return (
    <fieldset className="checklist">
      <legend>Checklist</legend>
      {item.input?.checklist?.map(({ item: number, text, ticked }) => (
        <label key={number} className="check">
          <input
            type="checkbox"
            checked={pending[number] ?? ticked}
            disabled={!canTick}
            onChange={(event) => void change(number, event.target.checked)}
          />
          <span>
            <PlainText text={text} />
          </span>
        </label>
      ))}
    </fieldset>
  )
}

/** What was typed, as the types of the form want it; what was left empty is not said. What does not fit is the engine's to refuse. */
function valuesOf(item: WaitingItem, typed: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const { name, type, default: value } of item.input?.form ?? []) {
    const text = typed[name] ?? String(value ?? '')
    if (text === '') continue
    const number = Number(text)
    values[name] = type === 'boolean' ? text === 'true' : type === 'number' && Number.isFinite(number) ? number : text
  }
  return values
}

/** Which fields the engine says are wrong. */
function wrongIn(errors: unknown): Readonly<Record<string, string>> {
  const wrong: Record<string, string> = {}
  for (const each of Array.isArray(errors) ? (errors as readonly unknown[]) : []) {
    const { path, message } = (each ?? {}) as { readonly path?: unknown; readonly message?: unknown }
    if (typeof path === 'string' && typeof message === 'string') wrong[path.replace(/^values\./, '')] = message
  }
  return wrong
}

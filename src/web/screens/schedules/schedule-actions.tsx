import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, type SubmitEvent, useId, useState } from 'react'
import { Link } from 'react-router'
import { request } from '../../api/request.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { absolute } from '../../parts/time-text.ts'
import type { Schedule } from './trigger-queries.ts'

type Verb = 'pause' | 'resume' | 'trigger' | 'backfill'

interface Done {
  readonly runId?: string
  readonly fires?: readonly string[]
}

const NAMES: Readonly<Record<Verb, string>> = {
  pause: 'Pause…',
  resume: 'Resume…',
  trigger: 'Run now…',
  backfill: 'Backfill…',
}

/** What can be done with a schedule. Each asks once more before it is done, and says what came of it. */
export function ScheduleActions({ schedule }: { readonly schedule: Schedule }) {
  const [verb, setVerb] = useState<Verb>()
  const [said, setSaid] = useState<ReactNode>()
  const client = useQueryClient()
  const done = (what: Verb, answer: Done | Schedule): void => {
    setVerb(undefined)
    setSaid(outcome(what, 'state' in answer ? {} : answer))
    void client.invalidateQueries({ queryKey: ['upcoming'] })
    if ('state' in answer) void show(client, answer)
    else void client.invalidateQueries({ queryKey: ['schedules'] })
  }
  const verbs: readonly Verb[] = [schedule.state === 'paused' ? 'resume' : 'pause', 'trigger', 'backfill']
  return (
    <div className="schedule-actions">
      {verbs.map((each) => (
        <button key={each} type="button" className="button" onClick={() => setVerb(each)}>
          {NAMES[each]}
          <span className="visually-hidden"> {schedule.sop}</span>
        </button>
      ))}
      <span className="small" role="status">
        {said}
      </span>
      {verb !== undefined && (
        <ActionDialog schedule={schedule} verb={verb} onClose={() => setVerb(undefined)} onDone={done} />
      )}
    </div>
  )
}

/** The answer says how the schedule stands; the list may lag behind it by a moment, and nobody would ask for it again. */
const show = async (client: QueryClient, schedule: Schedule): Promise<void> => {
  await client.cancelQueries({ queryKey: ['schedules'] })
  client.setQueryData<{ readonly schedules: readonly Schedule[] }>(
    ['schedules'],
    (data) => data && { schedules: data.schedules.map((each) => (each.id === schedule.id ? schedule : each)) },
  )
}

const outcome = (verb: Verb, { runId, fires = [] }: Done): ReactNode => {
  if (verb === 'pause') return 'Paused.'
  if (verb === 'resume') return 'Resumed.'
  if (verb === 'backfill') return `${fires.length} ${fires.length === 1 ? 'run was' : 'runs were'} asked for.`
  if (runId === undefined) return 'No run has begun yet: its overlap policy may hold the fire back.'
  return (
    <>
      Started <Link to={`/runs/${encodeURIComponent(runId)}`}>its run</Link>.
    </>
  )
}

interface ActionDialogProps {
  readonly schedule: Schedule
  readonly verb: Verb
  readonly onClose: () => void
  readonly onDone: (verb: Verb, answer: Done | Schedule) => void
}

const ASKS = {
  pause: {
    title: 'Pause this schedule',
    text: 'It starts nothing until somebody resumes it, whatever happens to its file.',
    button: 'Pause',
  },
  resume: {
    title: 'Resume this schedule',
    text: 'It goes on with its next time. What it missed is not made up for; a backfill does that.',
    button: 'Resume',
  },
  trigger: {
    title: 'Run now',
    text: 'It fires at once, also while it is paused. Conditions, cooldown and blackouts hold as ever.',
    button: 'Run now',
  },
  backfill: {
    title: 'Backfill',
    text: 'It fires at each of its times in a range that is past, at most 1,000.',
    button: 'Backfill',
  },
} as const

function ActionDialog({ schedule, verb, onClose, onDone }: ActionDialogProps) {
  const id = useId()
  const [comment, setComment] = useState('')
  const [range, setRange] = useState({ from: '', to: '' })
  const act = useMutation({
    mutationFn: () =>
      request<Done | Schedule>(`/api/v1/schedules/${encodeURIComponent(schedule.id)}/${verb}`, {
        method: 'POST',
        body: bodyOf(verb, comment, range),
      }),
    onSuccess: (answer) => onDone(verb, answer),
  })
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    act.mutate()
  }
  const { title, text, button } = ASKS[verb]
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <p>
          <strong>{schedule.sop}</strong> <code>{schedule.expression}</code>{' '}
          <span className="muted">{schedule.timezone}</span>
        </p>
        <p>{text}</p>
        {verb === 'resume' && schedule.next[0] !== undefined && <p>Its next time is {absolute(schedule.next[0])}.</p>}
        {verb === 'pause' && (
          <div className="field">
            <label htmlFor={id} className="field-name">
              Note
            </label>
            <input id={id} value={comment} maxLength={500} onChange={(event) => setComment(event.target.value)} />
            <p className="small muted">Everybody who looks at it reads why.</p>
          </div>
        )}
        {verb === 'backfill' &&
          (['from', 'to'] as const).map((key) => (
            <div className="field" key={key}>
              <label htmlFor={`${id}-${key}`} className="field-name">
                {key === 'from' ? 'From' : 'To, not included'}
              </label>
              <input
                id={`${id}-${key}`}
                type="datetime-local"
                required
                value={range[key]}
                onChange={(event) => setRange({ ...range, [key]: event.target.value })}
              />
            </div>
          ))}
        {act.error !== null && <ErrorBox title="It was not done" error={act.error} />}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={act.isPending}>
            {button}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const bodyOf = (verb: Verb, comment: string, range: { readonly from: string; readonly to: string }): unknown => {
  if (verb === 'pause') return comment.trim() === '' ? {} : { comment: comment.trim() }
  if (verb === 'backfill') return { from: instantOf(range.from), to: instantOf(range.to) }
  return {}
}

/** What a field of a form says in the viewer's zone; the engine refuses what is no time. */
const instantOf = (local: string): string => {
  const at = new Date(local)
  return Number.isNaN(at.getTime()) ? local : at.toISOString()
}

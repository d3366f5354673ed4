import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import type { Queue, QueueControl, QueueReason } from '../../../client/client.ts'
import { request } from '../../api/request.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { ReasonField } from '../../parts/reason-field.tsx'
import { Time } from '../../parts/time.tsx'
import { ReasonedButtons } from './reasoned-buttons.tsx'

interface QueueCardProps {
  /** The address or id by which the screen asks for the run. */
  readonly of: string
  readonly runId: string
  readonly orders: readonly QueueControl[]
  readonly onDone: () => void
}

/** Places change without an event of this run. */
const LOOK_AGAIN_MS = 5_000

/** Where a run stands that waits for admission, for what, who has it, and what can be done about it. */
export function QueueCard({ of, runId, orders, onDone }: QueueCardProps) {
  const [open, setOpen] = useState<QueueControl>()
  const { data, error } = useQuery({
    queryKey: ['run', of, 'queue'],
    queryFn: ({ signal }) => request<Queue>('/api/v1/queue', { signal }),
    refetchInterval: LOOK_AGAIN_MS,
  })
  const entry = data?.waiting.find((each) => each.runId === runId)
  return (
    <section className="card attention queue-card" aria-label="The queue">
      <h2>It waits for admission</h2>
      {error !== null && <ErrorBox title="The queue cannot be shown" error={error} />}
      <p className="queue-place">
        {entry === undefined ? (
          <span className="muted">{data === undefined ? 'Looking for its place …' : 'It is being let in.'}</span>
        ) : (
          <>
            Place <strong>{entry.position}</strong> of {data?.waiting.length}, since <Time at={entry.since} />
          </>
        )}
      </p>
      {entry !== undefined && (
        <ul className="queue-reasons">
          {entry.waitsFor.map((reason) => (
            <Reason key={`${reason.kind} ${reason.text}`} reason={reason} />
          ))}
        </ul>
      )}
      <ReasonedButtons
        name="The queue"
        buttons={orders.map((order) => ({ ...order, key: order.action, tone: '' }))}
        onPress={(key) => setOpen(orders.find(({ action }) => action === key))}
      />
      {open !== undefined && (
        <OrderDialog
          runId={runId}
          order={open}
          queue={data}
          onClose={() => setOpen(undefined)}
          onDone={() => {
            setOpen(undefined)
            onDone()
          }}
        />
      )}
    </section>
  )
}

/** Runs that a reason names here; the queue has all. */
const NAMED = 3

function Reason({ reason: { text, by = [], until } }: { readonly reason: QueueReason }) {
  return (
    <li>
      <PlainText text={`${text.slice(0, 1).toUpperCase()}${text.slice(1)}`} />
      {by.slice(0, NAMED).map((runId, at) => (
        <span key={runId}>
          {at === 0 ? ': ' : ', '}
          <Link to={`/runs/${encodeURIComponent(runId)}`} className="queue-run">
            {runId}
          </Link>
        </span>
      ))}
      {by.length > NAMED && ` and ${by.length - NAMED} more`}
      {until !== undefined && (
        <>
          , until <Time at={until} as="both" />
        </>
      )}
    </li>
  )
}

const WORDS: Readonly<Record<QueueControl['action'], string>> = {
  move: 'It goes before the others that wait. What it waits for stays as it is.',
  admit: 'It begins now, over its limits, its cooldown or a blackout; never past a lock that another run holds.',
  drop: 'It is taken out of the queue and ends cancelled. Nothing of it has run.',
}

interface OrderDialogProps {
  readonly runId: string
  readonly order: QueueControl
  readonly queue: Queue | undefined
  readonly onClose: () => void
  readonly onDone: () => void
}

function OrderDialog({ runId, order: { action, label }, queue, onClose, onDone }: OrderDialogProps) {
  const [reason, setReason] = useState('')
  const [before, setBefore] = useState('')
  const sending = useMutation({
    mutationFn: () =>
      request(`/api/v1/queue/${encodeURIComponent(runId)}/${action}`, {
        method: 'POST',
        body: {
          ...(action === 'move' && { place: before === '' ? { to: 'front' } : { to: 'before', before } }),
          ...(reason.trim() !== '' && { reason: reason.trim() }),
        },
      }),
    onSuccess: onDone,
  })
  const others = (queue?.waiting ?? []).filter((each) => each.runId !== runId)
  return (
    <Dialog title={action === 'move' ? 'Move it in the queue' : label} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          sending.mutate()
        }}
      >
        <p>{WORDS[action]}</p>
        {action === 'move' && others.length > 1 && (
          <label className="field">
            <span>Where</span>
            <select value={before} onChange={(event) => setBefore(event.target.value)}>
              <option value="">To the front</option>
              {others.map((each) => (
                <option key={each.runId} value={each.runId}>
                  Before {each.position}. {each.sop} ({each.runId})
                </option>
              ))}
            </select>
          </label>
        )}
        <ReasonField label="Reason" value={reason} onChange={setReason} />
        {sending.error !== null && <ErrorBox title="It was refused" error={sending.error} />}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Go back
          </button>
          <button
            type="submit"
            className={`button ${action === 'drop' ? 'button-bad' : 'button-primary'}`}
            disabled={sending.isPending}
          >
            {action === 'move' ? 'Move it' : label}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { SopClient } from '../../../client/client.ts'
import { request } from '../../api/request.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { Time } from '../../parts/time.tsx'
import { useRefreshByRuns } from '../../parts/use-refresh.ts'
import { CHOICES, triggerName } from '../runs/filters.ts'
import { type Delivery, type DeliveryKey, useDeliveries, useTriggers } from './trigger-queries.ts'
import { Verdict } from './verdict.tsx'

const KEYS = ['sop', 'source', 'verdict'] as const
const VERDICTS = ['started', 'duplicate', 'refused', 'unmatched', 'failed'] as const

/** What came for the triggers, newest first, and what became of it. */
export function Deliveries() {
  const [search, setSearch] = useSearchParams()
  const filter = Object.fromEntries(
    KEYS.flatMap((key) => {
      const text = search.get(key) ?? ''
      return text === '' ? [] : [[key, text]]
    }),
  ) as Partial<Record<DeliveryKey, string>>
  const triggers = useTriggers()
  useRefreshByRuns([['deliveries']], ({ trigger }) => trigger !== 'manual')
  const sops = [...new Set(triggers.data?.triggers.map(({ sop }) => sop))]
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetching } = useDeliveries(filter)
  const set = (key: DeliveryKey, value: string): void => {
    const next = new URLSearchParams(search)
    if (value === '') next.delete(key)
    else next.set(key, value)
    setSearch(next, { preventScrollReset: true })
  }
  const options: Readonly<Record<DeliveryKey, readonly (readonly [string, string])[]>> = {
    sop: withValue(sops, filter.sop).map((name) => [name, name]),
    source: CHOICES.trigger.filter(([value]) => value !== 'manual'),
    verdict: VERDICTS.map((verdict) => [verdict, verdict]),
  }
  const deliveries = data?.pages.flat() ?? []
  return (
    <>
      <div className="filter-bar">
        {KEYS.map((key) => (
          <select
            key={key}
            className={`input filter-select${filter[key] === undefined ? '' : ' choose-active'}`}
            aria-label={NAMES[key]}
            value={filter[key] ?? ''}
            onChange={(event) => set(key, event.target.value)}
          >
            <option value="">{ANY[key]}</option>
            {options[key].map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        ))}
        <button type="button" className="button" disabled={isFetching} onClick={() => void refetch()}>
          Look again
        </button>
      </div>
      {error !== null ? (
        <ErrorBox title="The deliveries cannot be shown" error={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <div className="tab-loading" aria-busy="true" />
      ) : deliveries.length === 0 ? (
        <Empty title={Object.keys(filter).length > 0 ? 'No delivery fits' : 'Nothing came yet'}>
          <p>
            A webhook, an event, a file or a message that comes for a trigger is kept here with what became of it.{' '}
            <Link to="/schedules?tab=test">Test a trigger</Link> to see what would start.
          </p>
        </Empty>
      ) : (
        <>
          <ul className="delivery-list card">
            {deliveries.map((delivery) => (
              <DeliveryRow key={delivery.id} delivery={delivery} />
            ))}
          </ul>
          {hasNextPage && (
            <button type="button" className="button" disabled={isFetching} onClick={() => void fetchNextPage()}>
              Older ones
            </button>
          )}
        </>
      )}
    </>
  )
}

const NAMES = { sop: 'SOP', source: 'Source', verdict: 'Verdict' } as const
const ANY = { sop: 'Any SOP', source: 'Any source', verdict: 'Any verdict' } as const

const withValue = (names: readonly string[], name: string | undefined): readonly string[] =>
  name === undefined || names.includes(name) ? names : [name, ...names]

function DeliveryRow({ delivery }: { readonly delivery: Delivery }) {
  const [isOpen, setOpen] = useState(false)
  const { verdict, at, source, subject, action, sop, runId, runState, reason } = delivery
  return (
    <li className="delivery">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <Verdict verdict={verdict} />
          <span className="delivery-what">
            <span className="muted">{triggerName(source)}</span> {action !== undefined && `${action} `}
            <PlainText text={subject.slice(0, 200)} />
          </span>
          <span className="delivery-sop">
            <PlainText text={sop ?? ''} />
          </span>
          <Time at={at} />
        </summary>
        {isOpen && <DeliveryDetails delivery={delivery} />}
      </details>
      {(runId !== undefined || reason !== undefined) && (
        <p className="delivery-outcome small">
          {runId !== undefined && <Link to={`/runs/${encodeURIComponent(runId)}`}>{runId}</Link>}
          {runState !== undefined && <StateBadge state={runState} />}
          {reason !== undefined && (
            <span className="muted">
              <PlainText text={reason} />
            </span>
          )}
        </p>
      )}
    </li>
  )
}

type Accepted = Awaited<ReturnType<SopClient['redeliver']>>

function DeliveryDetails({ delivery }: { readonly delivery: Delivery }) {
  const client = useQueryClient()
  const again = useMutation({
    mutationFn: () =>
      request<Accepted>(`/api/v1/deliveries/${encodeURIComponent(delivery.id)}/redeliver`, {
        method: 'POST',
        body: {},
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['deliveries'] }),
  })
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Delivery', delivery.id],
    ['From', delivery.principal],
    ['Key', delivery.key],
    ['Again of', delivery.redeliveryOf],
    ['Not kept', delivery.redacted],
  ]
  return (
    <div className="delivery-details">
      <dl className="facts">
        {facts.map(([name, text]) =>
          text === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <PlainText text={text} />
              </dd>
            </div>
          ),
        )}
      </dl>
      {delivery.payload !== undefined && (
        <pre tabIndex={0} aria-label="Payload">
          <PlainText text={JSON.stringify(delivery.payload, null, 2)} />
        </pre>
      )}
      {delivery.headers !== undefined && (
        <pre tabIndex={0} aria-label="Headers">
          <PlainText
            text={Object.entries(delivery.headers)
              .map(([name, value]) => `${name}: ${value}`)
              .join('\n')}
          />
        </pre>
      )}
      <p>
        <button type="button" className="button" disabled={again.isPending} onClick={() => again.mutate()}>
          Deliver again
        </button>{' '}
        <span role="status" className="small">
          {again.data !== undefined && <Redelivered accepted={again.data} />}
        </span>
      </p>
      {again.error !== null && <ErrorBox title="It was not delivered again" error={again.error} />}
    </div>
  )
}

function Redelivered({ accepted: { status, runId } }: { readonly accepted: Accepted }) {
  const text = status === 'started' ? 'It started ' : status === 'duplicate' ? 'It had already started ' : status
  return (
    <>
      {text}
      {runId !== undefined && <Link to={`/runs/${encodeURIComponent(runId)}`}>{runId}</Link>}
    </>
  )
}

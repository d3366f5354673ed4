import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { AuditLog } from '../../../client/client.ts'
import { request } from '../../api/request.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Time } from '../../parts/time.tsx'
import { pathOf } from './log-choice.ts'

/** Events of one page. */
const PAGE = 200

interface AuditViewProps {
  readonly runId: string
  /** Sequence of the last event that there is. */
  readonly sequence: number
}

/** The record as sentences, or as it stands there; as it grows. */
export function AuditView({ runId, sequence }: AuditViewProps) {
  const [isRaw, setRaw] = useState(false)
  const audit = useInfiniteQuery({
    // Not below the run's own key: events never change, so only what is new is asked for.
    queryKey: ['audit', runId],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      request<AuditLog>(`${pathOf(runId)}/audit?after=${pageParam}&limit=${PAGE}`, { signal }),
    getNextPageParam: ({ events }) => events.at(-1)?.sequence,
    refetchOnMount: false,
  })
  const pages = audit.data?.pages ?? []
  const last = pages.flatMap(({ events }) => events).at(-1)?.sequence ?? 0
  const { fetchNextPage, isFetching } = audit
  const isNearEnd = sequence - last <= PAGE
  useEffect(() => {
    if (last > 0 && last < sequence && isNearEnd && !isFetching) void fetchNextPage()
  }, [last, sequence, isNearEnd, isFetching, fetchNextPage])
  if (audit.error !== null) return <ErrorBox title="The record cannot be shown" error={audit.error} />
  return (
    <div className="audit">
      <div className="audit-head">
        <label className="check-field small">
          <input type="checkbox" checked={isRaw} onChange={(event) => setRaw(event.target.checked)} />
          <span>As recorded</span>
        </label>
        <a className="small" href={`${pathOf(runId)}/audit`} target="_blank" rel="noopener">
          As JSON
        </a>
      </div>
      <ol className="audit-events">
        {pages.flatMap(({ events, sentences }) =>
          events.map((event, index) => (
            <li key={event.sequence} id={`event-${event.sequence}`}>
              <span className="audit-number muted tabular">{event.sequence}</span>
              <Time at={event.timestamp} as="absolute" />
              <span className="audit-text">
                <PlainText text={sentences[index] ?? event.eventType} />
                {isRaw && (
                  <pre tabIndex={0} role="region" aria-label={`Event ${event.sequence}`}>
                    <PlainText text={JSON.stringify(event, null, 2)} />
                  </pre>
                )}
              </span>
            </li>
          )),
        )}
      </ol>
      {last < sequence && last > 0 && !isNearEnd && (
        <button type="button" className="button" disabled={isFetching} onClick={() => void fetchNextPage()}>
          Show more ({(sequence - last).toLocaleString()} left)
        </button>
      )}
    </div>
  )
}

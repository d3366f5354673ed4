import { useCallback, useRef } from 'react'
import { Link, useSearchParams } from 'react-router'
import { useQuery } from '@tanstack/react-query'
import type { SopSummary } from '../../../client/client.ts'
import { request } from '../../api/request.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { Screen } from '../../parts/screen.tsx'
import { FilterBar } from './filter-bar.tsx'
import { addressOf, type Filters, readFilters } from './filters.ts'
import { RunRows } from './run-rows.tsx'
import '../../parts/lists.css'
import './runs.css'
import { type RunListState, useRunList } from './use-run-list.ts'
import { Views } from './views.tsx'

/** All runs, newest first, by filters that stand in the address. */
export function Component() {
  const [search, setSearch] = useSearchParams()
  const filters = readFilters(search)
  const address = addressOf(filters)
  const change = useCallback(
    (next: Filters) => setSearch(new URLSearchParams(addressOf(next)), { preventScrollReset: true }),
    [setSearch],
  )
  const sops = useQuery({
    queryKey: ['sops'],
    queryFn: ({ signal }) => request<{ readonly sops: readonly SopSummary[] }>('/api/v1/sops', { signal }),
  })
  const box = useRef<HTMLUListElement>(null)
  const mayMove = useCallback(() => isAtRest(box.current), [])
  const list = useRunList(address, mayMove)
  return (
    <Screen title="Runs" aside={<Count list={list} />}>
      <Views address={address} />
      <FilterBar filters={filters} sops={sops.data?.sops.map(({ name }) => name) ?? []} onChange={change} />
      <News list={list} />
      {list.error !== null && list.error !== undefined ? (
        <ErrorBox title="The runs cannot be shown" error={list.error} retry={list.retry} />
      ) : list.isLoading ? (
        <div className="run-loading" aria-busy="true" />
      ) : list.runs.length === 0 ? (
        <NoRuns isNarrowed={address !== ''} />
      ) : (
        <>
          <RunRows key={address} list={list} box={box} />
          <p className="run-end muted small">{list.hasNext ? 'Loading more…' : 'These are all.'}</p>
        </>
      )}
    </Screen>
  )
}

/** Rows may move where the viewer sees the top of the list, and neither points at a row nor has one in focus. */
const isAtRest = (box: HTMLElement | null): boolean =>
  box === null || (window.scrollY < 40 && !box.matches(':hover') && !box.contains(document.activeElement))

function Count({ list: { total, more } }: { readonly list: RunListState }) {
  if (total === undefined) return null
  return (
    <span className="muted tabular" role="status">
      {total.toLocaleString()}
      {more ? '+' : ''} {total === 1 ? 'run' : 'runs'}
    </span>
  )
}

/** What came or went while the viewer looked at a row: it is shown when they want it. */
function News({ list: { waiting, left, showNow } }: { readonly list: RunListState }) {
  const parts = [
    ...(waiting > 0 ? [`${waiting} new`] : []),
    ...(left.size > 0 ? [`${left.size} no longer ${left.size === 1 ? 'fits' : 'fit'}`] : []),
  ]
  return (
    <div className="run-news" role="status">
      {parts.length > 0 && (
        <button
          type="button"
          className="button run-news-button"
          onClick={() => {
            showNow()
            window.scrollTo({ top: 0 })
          }}
        >
          {parts.join(', ')}: show
        </button>
      )}
    </div>
  )
}

function NoRuns({ isNarrowed }: { readonly isNarrowed: boolean }) {
  if (isNarrowed) {
    return (
      <Empty title="No run fits these filters">
        <p>
          <Link to="/runs">Show all runs</Link>
        </p>
      </Empty>
    )
  }
  return (
    <Empty title="No runs yet">
      <p>
        A run begins when somebody starts an SOP, or by its triggers. <Link to="/sops">Choose an SOP</Link> and start
        it, or type <code>sop run NAME</code>.
      </p>
    </Empty>
  )
}

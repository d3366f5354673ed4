import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { RunPage } from '../../../core/run/run-filter.ts'
import type { RunSummary } from '../../../core/run/view.ts'
import { request } from '../../api/request.ts'
import { useRunChanges } from './run-changes.ts'

// use-run-list.ts: the list as the viewer has scrolled it open, kept up to date. A run that is shown changes in its place; what
// would move rows (runs that are new, or do not fit any more) waits until nobody looks at a row.

const PAGE = 200
/** Changes that come together cost one question. */
const GATHER_MS = 400

type Pages = InfiniteData<RunPage, string | undefined>

export interface RunListState {
  readonly runs: readonly RunSummary[]
  readonly total: number | undefined
  /** There are more than `total`. */
  readonly more: boolean
  readonly error: unknown
  readonly isLoading: boolean
  readonly hasNext: boolean
  readonly isLoadingNext: boolean
  loadNext(): void
  retry(): void
  /** Runs that came, and are not shown yet. */
  readonly waiting: number
  /** Ids of runs that are shown though they do not fit any more. */
  readonly left: ReadonlySet<string>
  /** Shows the list as it is now. */
  showNow(): void
}

const NONE: ReadonlySet<string> = new Set()

const read = (address: string, limit: number, cursor?: string, signal?: AbortSignal): Promise<RunPage> => {
  const search = new URLSearchParams(address)
  search.set('limit', String(limit))
  if (cursor !== undefined) search.set('cursor', cursor)
  return request<RunPage>(`/api/v1/runs?${search.toString()}`, signal === undefined ? {} : { signal })
}

/** `mayMove`: whether rows may move now, since nobody points at one. */
export function useRunList(address: string, mayMove: () => boolean): RunListState {
  const client = useQueryClient()
  const key = useMemo(() => ['runs', address], [address])
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => read(address, PAGE, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: RunPage) => last.next,
    // What was seen before may be hours old.
    refetchOnMount: 'always',
    gcTime: 0,
  })
  const [head, setHead] = useState<RunPage>()
  useEffect(() => setHead(undefined), [key])

  const pages = query.data?.pages
  const runs = useMemo(() => pages?.flatMap((page) => page.runs) ?? [], [pages])
  const { fresh, left } = useMemo(() => compare(runs, head), [runs, head])

  const showNow = useCallback(() => {
    if (head === undefined) return
    // So many came that there is a gap between the two: the list begins anew.
    if (fresh.length >= PAGE) void client.resetQueries({ queryKey: key })
    else client.setQueryData<Pages>(key, (data) => (data === undefined ? data : withHead(data, head, fresh, left)))
    setHead(undefined)
  }, [client, key, head, fresh, left])

  useEffect(() => {
    if ((fresh.length > 0 || left.size > 0) && mayMove()) showNow()
  }, [fresh, left, mayMove, showNow])

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const shown = useRef(key)
  useEffect(() => {
    shown.current = key
    return () => clearTimeout(timer.current)
  }, [key])
  useRunChanges((changed, isAll) => {
    client.setQueryData<Pages>(key, (data) => (data === undefined ? data : withChanged(data, changed)))
    clearTimeout(timer.current)
    timer.current = setTimeout(
      () => {
        void read(address, PAGE).then(
          // An answer about other filters comes too late.
          (page) => shown.current === key && setHead(page),
          () => {
            // The next change asks again; the stream itself says when the engine is away.
          },
        )
      },
      isAll ? 0 : GATHER_MS,
    )
  })

  const { fetchNextPage, refetch } = query
  return {
    runs,
    total: head?.total ?? pages?.[0]?.total,
    more: (head ?? pages?.[0])?.more === true,
    error: query.error,
    isLoading: query.isPending,
    hasNext: query.hasNextPage,
    isLoadingNext: query.isFetchingNextPage,
    loadNext: () => void fetchNextPage(),
    retry: () => void refetch(),
    waiting: fresh.length,
    left,
    showNow,
  }
}

/** Where a run stands in the order of lists. */
const isBehind = (a: RunSummary, b: RunSummary): boolean =>
  a.createdAt === b.createdAt ? a.runId < b.runId : a.createdAt < b.createdAt

const compare = (
  runs: readonly RunSummary[],
  head: RunPage | undefined,
): { readonly fresh: readonly RunSummary[]; readonly left: ReadonlySet<string> } => {
  if (head === undefined) return { fresh: [], left: NONE }
  const shown = new Set(runs.map(({ runId }) => runId))
  const fitting = new Set(head.runs.map(({ runId }) => runId))
  const end = head.next === undefined ? undefined : head.runs.at(-1)
  const left = runs.filter((run) => !fitting.has(run.runId) && (end === undefined || !isBehind(run, end)))
  return { fresh: head.runs.filter(({ runId }) => !shown.has(runId)), left: new Set(left.map(({ runId }) => runId)) }
}

const withHead = (
  { pages, pageParams }: Pages,
  { total, more }: RunPage,
  fresh: readonly RunSummary[],
  left: ReadonlySet<string>,
): Pages => ({
  pageParams,
  pages: pages.map((page, at) => {
    const runs = page.runs.filter(({ runId }) => !left.has(runId))
    if (at > 0) return { ...page, runs }
    const { total: _t, more: _m, ...rest } = page
    return {
      ...rest,
      ...(total !== undefined && { total }),
      ...(more !== undefined && { more }),
      runs: [...fresh, ...runs].sort((a, b) => (isBehind(a, b) ? 1 : -1)),
    }
  }),
})

const withChanged = ({ pages, pageParams }: Pages, changed: readonly RunSummary[]): Pages => {
  const byId = new Map(changed.map((run) => [run.runId, run]))
  return {
    pageParams,
    pages: pages.map((page) =>
      page.runs.some(({ runId }) => byId.has(runId))
        ? { ...page, runs: page.runs.map((run) => newer(run, byId.get(run.runId))) }
        : page,
    ),
  }
}

const newer = (run: RunSummary, changed: RunSummary | undefined): RunSummary =>
  changed !== undefined && changed.sequence > run.sequence ? changed : run

// http.ts: SopClient over our own API. The CLI starts with it, so it imports neither zod nor Temporal, and asks by
// node:http, since the first `fetch` of a process costs tens of milliseconds.

import { SopError } from '../core/errors.ts'
import type { DecisionReply } from '../core/run/decision.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import type { RunView } from '../core/run/view.ts'
import type { WaitingList } from '../core/run/waiting.ts'
import type {
  AuditLog,
  DecisionRequest,
  Health,
  LogChunk,
  MetricsReport,
  NewSop,
  RunChanges,
  RunListFilter,
  RunPage,
  RunPlan,
  SopClient,
  SopSummary,
  SopVersion,
} from './client.ts'
import type { Queue, QueueChange } from './queue-client.ts'
import type { LogList, LogMatches, LogRows, LogSize, RunControls, RunNext, Timeline } from './run-screen-client.ts'
import type { DueFire, ScheduleView } from './schedule-client.ts'
import { renderLogPosition } from '../core/log-position.ts'
import { exchange, type HttpTarget, openStream, type Question } from './http-exchange.ts'
import { readStream } from './http-stream.ts'
import type { SessionLink } from './sessions.ts'
import type { NewToken, TokenInfo } from './tokens.ts'
import type { Accepted } from '../core/trigger/accepted.ts'
import type { DeliveryView, MessageReply, TriggerTestResult, TriggerView } from './trigger-client.ts'
import { splitLines } from '../core/split-lines.ts'
import type { VerifyNews, VerifyOptions } from './verify-client.ts'

export interface HttpClientOptions {
  /** Where the engine answers, e.g. `http://127.0.0.1:7780`. A path prefix is kept. */
  readonly url: string
  /** Bearer token; without one every call is refused with `unauthenticated`. */
  readonly token?: string
  /** Recorded as `via`. Default `js`. */
  readonly surface?: 'cli' | 'js' | 'mcp' | 'web'
  /** How long an answer may take, in milliseconds, besides what a call itself waits for. Default 60,000. */
  readonly timeoutMs?: number
}

/** The tokens of an engine, by one who may manage them (admin), and what one's own is good for. */
export interface TokenClient {
  listTokens(): Promise<readonly TokenInfo[]>
  createToken(token: NewToken): Promise<TokenInfo & { readonly token: string }>
  revokeToken(name: string): Promise<void>
  /** A link that signs one browser in as the holder of this client's token, once. */
  createSessionLink(): Promise<SessionLink & { readonly url: string }>
}

/**
 * Speaks to an engine. Refusals are `SopError`s with its words; no engine there is `unavailable` and says how to start one.
 * Options that have to be found out first are given as a function, which is asked at the first call.
 */
export function createHttpClient(
  options: HttpClientOptions | (() => Promise<HttpClientOptions>),
): SopClient & TokenClient {
  const locate = typeof options === 'function' ? options : async () => options
  let located: Promise<HttpTarget> | undefined
  const ask = async (question: Question): Promise<unknown> => {
    located ??= locate().then(targetOf)
    try {
      return await exchange(await located, question)
    } catch (error) {
      // What could not be found out, or answered, may be elsewhere by the next call.
      located = undefined
      throw error
    }
  }
  const get = async <T>(path: string, query: Query = {}, waitMs = 0): Promise<T> =>
    (await ask({ method: 'GET', path: path + encodeQuery(query), waitMs })) as T
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    (await ask({ method: 'POST', path, body: body ?? {} })) as T
  const follow = <T>(name: string, path: string, signal?: AbortSignal, lastEventId?: string) =>
    readStream<T>(
      async () => {
        located = locate().then(targetOf)
        return located
      },
      { path, ...(signal !== undefined && { signal }), ...(lastEventId !== undefined && { lastEventId }) },
      name,
    )
  const decide = (ref: string, verb: string, step: number | undefined, request: DecisionRequest = {}) =>
    post<DecisionReply>(`${run(ref)}/${verb}`, { ...request, ...(step === undefined ? {} : { step }) })

  return {
    listSops: async () => (await get<{ sops: SopSummary[] }>(`${V1}/sops`)).sops,
    getSop: async (name) => get(sop(name)),
    listSopVersions: async (name) => (await get<{ versions: SopVersion[] }>(`${sop(name)}/versions`)).versions,
    getSopVersion: (name, digest) => get(`${sop(name)}/versions/${segment('definition', digest)}`),
    createSop: async (wanted: NewSop) => post(`${V1}/sops`, wanted),
    planRun: async (name, request) => post<RunPlan>(`${sop(name)}/plan`, request),
    createRun: async (name, request) => post<RunView>(`${sop(name)}/runs`, request),
    listRuns: async (filter) => (await get<RunPage>(`${V1}/runs`, queryOf(filter))).runs,
    listRunPage: (filter) => get<RunPage>(`${V1}/runs`, queryOf(filter)),
    listWaiting: () => get<WaitingList>(`${V1}/waiting`),
    getRunStatus: async (ref) => get<RunView>(run(ref)),
    approveStep: async (ref, step, request) => decide(ref, 'approve', step, request),
    rejectStep: async (ref, step, request) => decide(ref, 'reject', step, request),
    completeStep: async (ref, step, request) => decide(ref, 'complete', step, request),
    skipStep: async (ref, step, request) => decide(ref, 'skip', step, request),
    cancelRun: async (ref, request) => decide(ref, 'cancel', undefined, request),
    pauseRun: async (ref, request) => decide(ref, 'pause', undefined, request),
    resumeRun: async (ref, request) => decide(ref, 'resume', undefined, request),
    retryRun: async (ref, request) => decide(ref, 'retry', undefined, request),
    getAuditLog: async (ref, part) => get<AuditLog>(`${run(ref)}/audit`, { ...part }),
    getRunTimeline: (ref) => get<Timeline>(`${run(ref)}/timeline`),
    getRunNext: (ref) => get<RunNext>(`${run(ref)}/next`),
    getRunControls: (ref) => get<RunControls>(`${run(ref)}/controls`),
    listLogs: (ref, wish) => get<LogList>(`${run(ref)}/logs/list`, { ...wish }),
    readLogRows: (ref, at) => get<LogRows>(`${run(ref)}/logs/rows`, { ...at }),
    followLogSize: async function* (ref, wish, { signal } = {}) {
      const path = `${run(ref)}/logs/size${encodeQuery({ ...wish })}`
      for await (const { data } of follow<LogSize>('log_size', path, signal)) yield data
    },
    searchLog: (ref, at) => get<LogMatches>(`${run(ref)}/logs/search`, { ...at }),
    verifyRun: (ref, options) => get(`${run(ref)}/verify`, verifyQuery(options)),
    verifyAudit: async function* ({ signal, ...options } = {}) {
      const path = `${V1}/audit/verify${encodeQuery(verifyQuery(options))}`
      for await (const { data } of follow<VerifyNews>('verify', path, signal)) yield data
    },
    exportRun: async function* (ref, { signal } = {}) {
      const incoming = await openStream(await locate().then(targetOf), {
        method: 'GET',
        path: `${run(ref)}/export`,
        headers: { Accept: 'application/x-ndjson' },
        ...(signal !== undefined && { signal }),
      })
      if (incoming === undefined) return
      let isSealed = false
      try {
        for await (const { text, isWhole } of splitLines(incoming)) {
          if (isWhole) yield `${text}\n`
          isSealed = isWhole && text.startsWith('{"type":"end"')
        }
      } catch (error) {
        if (error instanceof SopError) throw error
      } finally {
        incoming.destroy()
      }
      if (!isSealed) throw new SopError('unavailable', `Cannot finish the export of "${ref}": the connection broke`)
    },
    readLog: async (ref, { waitMs, ...at }) =>
      get<LogChunk>(`${run(ref)}/logs`, { ...at, wait: capped(waitMs), format: 'json' }, waitMs),
    followLog: async function* (ref, { signal, after, ...at } = {}) {
      const path = `${run(ref)}/logs${encodeQuery({ ...at, follow: 'true' })}`
      const from = after === undefined ? undefined : renderLogPosition(after)
      for await (const { data } of follow<LogChunk>('log', path, signal, from)) yield data
    },
    followRun: async function* (ref, { signal, after } = {}) {
      const path = `${run(ref)}/events${encodeQuery({ after })}`
      for await (const { data } of follow<RecordedEvent>('run_event', path, signal)) yield data
    },
    followRuns: async function* ({ signal, cursor } = {}) {
      for await (const { id, data } of follow<Omit<RunChanges, 'cursor'>>('runs', `${V1}/events`, signal, cursor))
        yield { ...data, cursor: id ?? '' }
    },
    listTriggers: async (name) => (await get<{ triggers: TriggerView[] }>(`${V1}/triggers`, { sop: name })).triggers,
    sendEvent: (event) => post<Accepted>(`${V1}/events`, event),
    sendMessage: async (message) => {
      const reply = await post<MessageReply | DecisionReply>(`${V1}/messages`, message)
      return 'accepted' in reply ? { decision: reply } : reply
    },
    testTrigger: async (test) => (await post<{ results: TriggerTestResult[] }>(`${V1}/triggers/test`, test)).results,
    listDeliveries: async (filter = {}) =>
      (await get<{ deliveries: DeliveryView[] }>(`${V1}/deliveries`, { ...filter })).deliveries,
    getQueue: () => get<Queue>(`${V1}/queue`),
    moveInQueue: async (ref, place, request) => post<QueueChange>(`${queued(ref)}/move`, { ...request, place }),
    dropFromQueue: async (ref, request) => post<QueueChange>(`${queued(ref)}/drop`, request),
    admitFromQueue: async (ref, request) => post<QueueChange>(`${queued(ref)}/admit`, request),
    getDelivery: (id) => get<DeliveryView>(`${V1}/deliveries/${segment('delivery', id)}`),
    redeliver: async (id) => post<Accepted>(`${V1}/deliveries/${segment('delivery', id)}/redeliver`, {}),
    listSchedules: async ({ sop: name } = {}) =>
      (await get<{ schedules: ScheduleView[] }>(`${V1}/schedules`, { sop: name })).schedules,
    listUpcoming: async ({ sop: name, ...range }) =>
      (await get<{ fires: DueFire[] }>(`${V1}/schedules/upcoming`, { ...range, sop: name })).fires,
    pauseSchedule: (ref, request) => post(`${schedule(ref)}/pause`, request),
    resumeSchedule: (ref) => post(`${schedule(ref)}/resume`, {}),
    triggerSchedule: (ref) => post(`${schedule(ref)}/trigger`, {}),
    backfillSchedule: (ref, range) => post(`${schedule(ref)}/backfill`, range),
    getMetrics: ({ sop: name, days } = {}) => get<MetricsReport>(`${V1}/metrics`, { sop: name, days }),
    health: () => get<Health>(`${V1}/health`),
    listTokens: async () => (await get<{ tokens: TokenInfo[] }>(`${V1}/tokens`)).tokens,
    createToken: (token) => post(`${V1}/tokens`, token),
    createSessionLink: () => post(`${V1}/session/links`, {}),
    revokeToken: async (name) => {
      await ask({ method: 'DELETE', path: `${V1}/tokens/${segment('token', name)}` })
    },
  }
}

const targetOf = ({ url, token, surface = 'js', timeoutMs = 60_000 }: HttpClientOptions): HttpTarget => ({
  url,
  surface,
  timeoutMs,
  ...(token === undefined ? {} : { token }),
})

// The API lets nobody wait longer; a piece without text says to ask again.
const capped = (waitMs: number | undefined) => (waitMs === undefined ? undefined : Math.min(waitMs, 30_000))

/** Lists of nothing ask for everything, as no list does. */
const queryOf = ({ states, priorities, triggers, waiting, text, ...rest }: RunListFilter = {}): Query => ({
  ...rest,
  state: states?.join(',') || undefined,
  priority: priorities?.join(',') || undefined,
  trigger: triggers?.join(',') || undefined,
  waiting: waiting === true ? 'true' : undefined,
  q: text,
})

const V1 = '/api/v1'
const sop = (name: string): string => `${V1}/sops/${segment('SOP', name)}`
const queued = (ref: string): string => `${V1}/queue/${segment('run', ref)}`
const schedule = (ref: string): string => `${V1}/schedules/${segment('schedule', ref)}`
const run = (ref: string): string => `${V1}/runs/${segment('run', ref)}`

// An empty segment or one of dots would make another path of it, and so another question.
function segment(noun: string, value: string): string {
  if (typeof value === 'string' && !/^\.{0,2}$/.test(value)) return encodeURIComponent(value)
  throw new SopError('invalid', `Cannot look up ${noun} "${value}": expected a name or an id`)
}

const verifyQuery = ({ keys, head, history }: VerifyOptions = {}): Query => ({
  key: keys?.join(','),
  head: head === undefined ? undefined : `${head.index}:${head.hash}`,
  history: history === undefined ? undefined : String(history),
})

type Query = Readonly<Record<string, string | number | undefined>>

function encodeQuery(query: Query): string {
  const set = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined)
  if (set.length === 0) return ''
  return `?${new URLSearchParams(set.map(([key, value]): [string, string] => [key, String(value)])).toString()}`
}

// http.ts: SopClient over our own API. The CLI starts with it, so it imports neither zod nor Temporal, and asks by
// node:http, since the first `fetch` of a process costs tens of milliseconds.

import { SopError } from '../core/errors.ts'
import type { DecisionReply } from '../core/run/decision.ts'
import type { RunSummary, RunView } from '../core/run/view.ts'
import type { AuditLog, DecisionRequest, Health, LogChunk, NewSop, RunPlan, SopClient, SopSummary } from './client.ts'
import { ask, type HttpTarget } from './http-exchange.ts'
import type { NewToken, TokenInfo } from './tokens.ts'

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

/** The tokens of an engine, by one who may manage them (admin). */
export interface TokenClient {
  listTokens(): Promise<readonly TokenInfo[]>
  createToken(token: NewToken): Promise<TokenInfo & { readonly token: string }>
  revokeToken(name: string): Promise<void>
}

/** Speaks to an engine. Refusals are `SopError`s with its words; no engine there is `unavailable` and says how to start one. */
export function createHttpClient(options: HttpClientOptions): SopClient & TokenClient {
  const target: HttpTarget = {
    url: options.url,
    surface: options.surface ?? 'js',
    timeoutMs: options.timeoutMs ?? 60_000,
    ...(options.token === undefined ? {} : { token: options.token }),
  }
  const get = async <T>(path: string, query: Query = {}, waitMs = 0): Promise<T> =>
    (await ask(target, { method: 'GET', path: path + encodeQuery(query), waitMs })) as T
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    (await ask(target, { method: 'POST', path, body: body ?? {} })) as T
  const decide = (ref: string, verb: string, step: number | undefined, request: DecisionRequest = {}) =>
    post<DecisionReply>(`${run(ref)}/${verb}`, { ...request, ...(step === undefined ? {} : { step }) })

  return {
    listSops: async () => (await get<{ sops: SopSummary[] }>(`${V1}/sops`)).sops,
    getSop: (name) => get(sop(name)),
    createSop: (wanted: NewSop) => post(`${V1}/sops`, wanted),
    planRun: (name, request) => post<RunPlan>(`${sop(name)}/plan`, request),
    createRun: (name, request) => post<RunView>(`${sop(name)}/runs`, request),
    listRuns: async ({ sop: name, states, limit } = {}) =>
      (await get<{ runs: RunSummary[] }>(`${V1}/runs`, { sop: name, state: states?.join(','), limit })).runs,
    getRunStatus: (ref) => get<RunView>(run(ref)),
    approveStep: (ref, step, request) => decide(ref, 'approve', step, request),
    rejectStep: (ref, step, request) => decide(ref, 'reject', step, request),
    completeStep: (ref, step, request) => decide(ref, 'complete', step, request),
    skipStep: (ref, step, request) => decide(ref, 'skip', step, request),
    cancelRun: (ref, request) => decide(ref, 'cancel', undefined, request),
    getAuditLog: (ref) => get<AuditLog>(`${run(ref)}/audit`),
    readLog: (ref, { waitMs, ...at }) =>
      get<LogChunk>(`${run(ref)}/logs`, { ...at, wait: waitMs, format: 'json' }, waitMs),
    health: () => get<Health>(`${V1}/health`),
    listTokens: async () => (await get<{ tokens: TokenInfo[] }>(`${V1}/tokens`)).tokens,
    createToken: (token) => post(`${V1}/tokens`, token),
    revokeToken: async (name) => {
      await ask(target, { method: 'DELETE', path: `${V1}/tokens/${segment('token', name)}` })
    },
  }
}

const V1 = '/api/v1'
const sop = (name: string): string => `${V1}/sops/${segment('SOP', name)}`
const run = (ref: string): string => `${V1}/runs/${segment('run', ref)}`

// An empty segment or one of dots would make another path of it, and so another question.
function segment(noun: string, value: string): string {
  if (typeof value === 'string' && !/^\.{0,2}$/.test(value)) return encodeURIComponent(value)
  throw new SopError('invalid', `Cannot look up ${noun} "${value}": expected a name or an id`)
}

type Query = Readonly<Record<string, string | number | undefined>>

function encodeQuery(query: Query): string {
  const set = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined)
  if (set.length === 0) return ''
  return `?${new URLSearchParams(set.map(([key, value]): [string, string] => [key, String(value)]))}`
}

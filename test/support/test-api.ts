import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ApiLog } from '../../src/api/log.ts'
import { startApi, type ApiOptions } from '../../src/api/main.ts'
import { openLocalToken } from '../../src/client/local-token.ts'
import { createSessions, type Sessions } from '../../src/client/sessions.ts'
import { openTokenStore, type NewToken, type TokenStore } from '../../src/client/tokens.ts'
import type { WebhookDoor } from '../../src/client/webhook-door.ts'
import type { WorkerDoor } from '../../src/client/worker-door.ts'
import type { Actor } from '../../src/core/access.ts'
import { ROLES, type Role } from '../../src/core/run/principal.ts'
import { fakeClient, healthSample, type FakeClient } from './fake-client.ts'

export interface TestApi {
  readonly url: string
  readonly port: number
  readonly dataDir: string
  readonly client: FakeClient
  /** The actors that clients were made for, in order. */
  readonly actors: Actor[]
  readonly tokens: TokenStore
  readonly lines: LogLine[]
  /** The local token: an admin. */
  readonly local: string
  readonly tokenOf: Readonly<Record<Role, string>>
  makeToken(token: NewToken): Promise<string>
  /** One call. A string as body is sent as it is. */
  call(method: string, path: string, options?: CallOptions): Promise<TestAnswer>
  stop(): Promise<void>
}
export interface CallOptions {
  /** Default: the local token. `null`: none. */
  readonly token?: string | null
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string | string[]>>
}
export interface TestAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The body as JSON; `undefined` when it is none. */
  readonly json: TestBody
}
/** The members that tests look into by name; whatever else an answer has is compared as a whole. */
export interface TestBody {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly type: string
  readonly requestId: string
  readonly errors: readonly { readonly path: string; readonly message: string }[]
  readonly token: string
  readonly tokens: readonly unknown[]
  readonly url: string
  readonly [member: string]: unknown
}
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What a worker gets of an engine that takes everything. */
export const fakeDoor: WorkerDoor = {
  welcome: () => ({
    version: '0.1.0',
    authority: 'AAAA',
    taskQueue: 'sop',
    temporal: { address: '127.0.0.1:7233', namespace: 'default' },
  }),
  putLog: async (_actor, _log, offset, bytes) => ({ next: offset + bytes.length }),
  endLog: async () => {},
  secretParam: async () => ({ value: 'hidden' }),
  runState: async () => ({ status: 'running' }),
}

/** An engine that nobody signs in to. */
export const noSessions: Sessions = createSessions({
  key: new Uint8Array(32),
  tokens: { identify: async () => undefined, holderOf: async () => undefined },
})

/** An engine whose SOPs have no webhooks. */
export const noWebhooks: WebhookDoor = { serves: async () => false, receive: async () => [] }

/** The real server on a free port over a fake client, with a token of each role; ends with the test. */
export async function testApi(options: Partial<ApiOptions> & { readonly client?: FakeClient } = {}): Promise<TestApi> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sop-api-'))
  const client = options.client ?? fakeClient()
  const actors: Actor[] = []
  const lines: LogLine[] = []
  const note =
    (level: LogLine['level']): ApiLog['info'] =>
    (message, fields = {}) =>
      void lines.push({ level, message, fields })
  const { token: local } = await openLocalToken(dataDir)
  const tokens = openTokenStore({ dataDir, localPrincipal: { id: 'os-user', kind: 'user', role: 'admin' } })
  const tokenOf = {} as Record<Role, string>
  for (const role of ROLES) tokenOf[role] = `sop_test_${role}`
  await writeFile(join(dataDir, 'tokens.json'), JSON.stringify({ version: 1, tokens: ROLES.map(recordOf) }))
  const api = await startApi({
    config: { api: { host: '127.0.0.1', port: 0 }, agentsMayCreate: false },
    clientFor: (actor) => {
      actors.push(actor)
      return client
    },
    tokens,
    sessions: createSessions({ key: new Uint8Array(32), tokens }),
    workers: fakeDoor,
    webhooks: noWebhooks,
    health: async () => healthSample,
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    version: '0.1.0',
    authFailuresPerMinute: 1000,
    ...options,
  })
  const stop = async () => {
    await api.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  onTestFinished(stop)
  return {
    url: api.url,
    port: api.port,
    dataDir,
    client,
    actors,
    tokens,
    lines,
    local,
    tokenOf,
    makeToken: async (token) => (await tokens.create(token)).token,
    call: (method, path, call = {}) => send(api.port, method, path, call, local),
    stop,
  }
}

// Written at once, since making four tokens durably for each test would take longer than the test.
const recordOf = (role: Role) => ({
  name: `a-${role}`,
  kind: 'user',
  role,
  groups: [],
  createdAt: '2026-02-25T16:00:00.000Z',
  sha256: createHash('sha256').update(`sop_test_${role}`).digest('hex'),
})

function send(
  port: number,
  method: string,
  path: string,
  { token, body, headers = {} }: CallOptions,
  local: string,
): Promise<TestAnswer> {
  const bearer = token === null ? {} : { Authorization: `Bearer ${token ?? local}` }
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const type = text === undefined ? {} : { 'Content-Type': 'application/json' }
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { host: '127.0.0.1', port, method, path, agent: false, headers: { ...type, ...bearer, ...headers } },
      (incoming) => {
        let received = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk: string) => {
          received += chunk
        })
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: received,
            json: parse(received),
          }),
        )
        incoming.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(text)
  })
}

function parse(text: string): TestBody {
  try {
    return JSON.parse(text) as TestBody
  } catch {
    return undefined as unknown as TestBody
  }
}

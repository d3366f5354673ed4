// route.ts: a route as data. The same table mounts the routes and writes the OpenAPI document, so neither can forget one.

import type { Express, Request, Response } from 'express'
import type { z } from 'zod'
import type { SopClient } from '../client/client.ts'
import { assertMay, VERBS, type Actor, type Verb } from '../core/access.ts'
import { SopError } from '../core/errors.ts'
import { readJsonBody, readRawBody } from './body.ts'
import { check } from './check.ts'

export type Answer =
  | { readonly status: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly status: number
      readonly text: string
      readonly type: string
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly status: 204 }
  /** The handler wrote the answer itself. */
  | 'streamed'

export interface Call<Query, Body> {
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** The body of a route that takes bytes. */
  readonly bytes: Uint8Array
  readonly actor: Actor
  readonly client: SopClient
  readonly request: Request
  readonly response: Response
}

export interface Reply {
  readonly description: string
  readonly schema?: z.ZodType
  /** Media types besides, or instead of, `application/json`. */
  readonly types?: readonly string[]
}

export interface RouteSpec<Query, Body> {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** As Express writes it: `/api/v1/runs/:id`. */
  readonly path: string
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** What the caller must be allowed to do; checked before the body is read. */
  readonly verb: Verb
  /** The handler checks the verb itself, because it depends on the thing asked for. Any role gets to it. */
  readonly handlerDecides?: true
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  /** Media types that the handler reads besides JSON, since it reads the body itself; `body` is its JSON form. */
  readonly accepts?: readonly string[]
  /** The body is bytes, at most 1 MB. */
  readonly takesBytes?: true
  readonly example?: unknown
  readonly replies: Readonly<Record<number, Reply>>
  handle(call: Call<Query, Body>): Promise<Answer>
}

/** A route whose query and body types are settled inside. */
export type Route = RouteSpec<never, never>

export const route = <Query = Record<string, never>, Body = undefined>(spec: RouteSpec<Query, Body>): Route =>
  spec as unknown as Route

/** Mounts a route: role, query, body, then its handler. `response.locals.actor` is there already. */
export function mount(
  app: Express,
  wanted: Route,
  clientFor: (actor: Actor) => SopClient,
  handlerTimeoutMs: number,
): void {
  const spec = wanted as unknown as RouteSpec<unknown, unknown>
  app[spec.method](spec.path, async (request, response) => {
    const actor = response.locals.actor as Actor
    assertMay(actor, spec.handlerDecides === true ? 'getRunStatus' : spec.verb)
    const params = request.params as Record<string, string>
    for (const [key, value] of Object.entries(params)) checkSegment(key, value)
    const query = check('the query', spec.query, oneEach(request.query))
    const isRead = spec.body !== undefined && spec.accepts === undefined
    const body = !isRead ? undefined : check('the body', spec.body, await readJsonBody(request))
    const bytes = spec.takesBytes === true ? await readRawBody(request) : NO_BYTES
    const call = { params, query, body, bytes, actor, client: clientFor(actor), request, response }
    const answer = await within(handlerTimeoutMs, request, spec.handle(call))
    send(response, answer)
  })
}

const NO_BYTES = new Uint8Array(0)

/** The role that a route asks for, as the document says it. */
export const roleOf = (spec: Route): string => (spec.verb === 'serveSteps' ? 'worker' : VERBS[spec.verb][0])

function send(response: Response, answer: Answer): void {
  if (answer === 'streamed' || response.headersSent) return
  response.status(answer.status)
  if ('headers' in answer && answer.headers !== undefined) response.set(answer.headers)
  if ('json' in answer) response.type('application/json').send(JSON.stringify(answer.json))
  else if ('text' in answer) response.type(answer.type).send(answer.text)
  else response.end()
}

/** Names and ids are looked up, never opened as paths; still no control character gets further than here. */
function checkSegment(key: string, value: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (value.length > 1000 || /[\u0000-\u001f\u007f]/.test(value)) {
    throw new SopError('invalid', `Cannot read "${key}" in the path: expected at most 1000 printable characters`)
  }
}

/** A query key that is given twice is a list of values joined by commas. */
function oneEach(query: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([key, value]) => [key, [value].flat().map(String).join(',')]))
}

async function within<T>(timeoutMs: number, request: Request, work: Promise<T>): Promise<T> {
  const late = `Cannot finish ${request.method} ${request.path}: the engine took more than ${timeoutMs / 1000} s. It may have taken effect`
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new SopError('unavailable', late)), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

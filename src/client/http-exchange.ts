import http, { type IncomingMessage } from 'node:http'
import { ERROR_CODES, SopError, type ErrorCode } from '../core/errors.ts'

export interface HttpTarget {
  readonly url: string
  readonly token?: string
  readonly surface: string
  readonly timeoutMs: number
  /** Connections are kept for the next question. Only for processes that stay: a kept one holds up an exit. */
  readonly keepsConnections?: true
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path and query, already encoded. */
  readonly path: string
  readonly body?: unknown
  /** A body of bytes, instead of `body`. */
  readonly bytes?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** How long the engine itself may wait before it answers. */
  readonly waitMs?: number
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/**
 * One question, one answer, one connection. Refused decisions are answers (`DecisionReply`).
 *
 * @throws SopError with the code of the refusal; `unavailable` when no engine answers.
 */
export async function exchange(target: HttpTarget, question: Question): Promise<unknown> {
  const url = locate(target.url, question.path)
  const answer = await collect(await send(target, question, url)).catch((error: unknown) => {
    throw error instanceof SopError ? error : unreachable(url, error as Error)
  })
  const tree = parseJson(answer)
  if (answer.status === 204) return undefined
  if (answer.status >= 200 && answer.status < 300 && tree !== undefined) return tree
  const problem = problemOf(tree)
  if (problem !== undefined && isReply(problem.reply)) return problem.reply
  throw refusalOf(url, answer, problem)
}

/**
 * One question whose answer is a stream, of events as a rule. `undefined`: the engine says that there are no more (204).
 *
 * @throws SopError as `exchange` does.
 */
export async function openStream(target: HttpTarget, question: Question): Promise<IncomingMessage | undefined> {
  const url = locate(target.url, question.path)
  const incoming = await send(target, question, url)
  const { statusCode, headers } = incoming
  if (
    statusCode === 200 &&
    headers['content-type']?.startsWith(question.headers?.Accept ?? 'text/event-stream') === true
  )
    return incoming
  const answer = await collect(incoming)
  if (statusCode === 204) return undefined
  throw refusalOf(url, answer, problemOf(parseJson(answer)))
}

const refusalOf = (url: URL, answer: Answer, problem: ReadProblem | undefined): SopError =>
  problem === undefined ? noEngine(url, answer) : new SopError(problem.code, problem.detail, problem.details)

function locate(base: string, path: string): URL {
  let url: URL | undefined
  try {
    url = new URL(base.replace(/\/+$/, '') + path)
  } catch {
    url = undefined
  }
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new SopError(
    'invalid',
    `Cannot use the engine URL "${base}": expected one like http://127.0.0.1:7780 (SOP_URL)`,
  )
}

async function send(target: HttpTarget, question: Question, url: URL): Promise<IncomingMessage> {
  const body = question.bytes ?? (question.body === undefined ? undefined : JSON.stringify(question.body))
  const { request, globalAgent } = url.protocol === 'https:' ? await import('node:https') : http
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'X-SOP-Client': target.surface,
    ...question.headers,
  }
  if (target.token !== undefined) headers.Authorization = `Bearer ${target.token}`
  if (body !== undefined) {
    headers['Content-Type'] = question.bytes === undefined ? 'application/json' : 'application/octet-stream'
    headers['Content-Length'] = String(Buffer.byteLength(body))
  }
  return new Promise((resolve, reject) => {
    const timeoutMs = target.timeoutMs + (question.waitMs ?? 0)
    const fail = (error: Error) => reject(error instanceof SopError ? error : unreachable(url, error))
    let outgoing: ReturnType<typeof http.request>
    try {
      // No agent: a connection that is kept alive would keep a finished command from exiting.
      outgoing = request(url, {
        method: question.method,
        headers,
        agent: target.keepsConnections === true ? globalAgent : false,
        ...(question.signal === undefined ? {} : { signal: question.signal }),
      })
    } catch (error) {
      // Node refuses header values with line ends and the like before anything is sent.
      reject(
        new SopError(
          'invalid',
          `Cannot ask ${url.origin}: ${messageOf(error)}. Check SOP_TOKEN and SOP_URL`,
          {},
          error,
        ),
      )
      return
    }
    outgoing.setTimeout(timeoutMs, () => {
      const reason = `Cannot get an answer from the engine at ${url.origin}: it took more than ${timeoutMs / 1000} s`
      outgoing.destroy(
        new SopError('unavailable', `${reason}. See its log, and "sop status" whether the call took effect`),
      )
    })
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => resolve(incoming))
    outgoing.end(body)
  })
}

async function collect(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return {
    status: incoming.statusCode ?? 0,
    type: incoming.headers['content-type'] ?? '',
    text: Buffer.concat(chunks).toString('utf8'),
  }
}

function parseJson({ type, text }: Answer): unknown {
  if (!/\bjson\b/i.test(type)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface ReadProblem {
  readonly code: ErrorCode
  readonly detail: string
  readonly details: Readonly<Record<string, unknown>>
  readonly reply: unknown
}

/** The members of a problem document that we wrote; `undefined` for any other body. */
function problemOf(tree: unknown): ReadProblem | undefined {
  if (typeof tree !== 'object' || tree === null) return undefined
  const { code, detail, type: _type, title: _title, reply, ...rest } = tree as Record<string, unknown>
  if (typeof detail !== 'string' || !(ERROR_CODES as readonly unknown[]).includes(code)) return undefined
  return { code: code as ErrorCode, detail, details: rest, reply }
}

const isReply = (reply: unknown): boolean =>
  typeof reply === 'object' && reply !== null && (reply as { accepted?: unknown }).accepted === false

const noEngine = (url: URL, { status }: Answer): SopError =>
  new SopError(
    'unavailable',
    `Cannot speak to the engine at ${url.origin}: something else answers there (HTTP ${status}). Check SOP_URL`,
    { status },
  )

const HOW_TO_START = 'Start one with "sop serve" (or "npm start" in its folder), or set SOP_URL to where it runs'

function unreachable(url: URL, error: Error): SopError {
  const { code } = error as NodeJS.ErrnoException
  const at = url.origin
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: `Cannot reach the engine at ${at}: nothing listens there. ${HOW_TO_START}`,
    ENOTFOUND: `Cannot reach the engine at ${at}: there is no host of that name. Check SOP_URL`,
    EAI_AGAIN: `Cannot reach the engine at ${at}: the name cannot be looked up now. Check SOP_URL and the network`,
    ECONNRESET: `Cannot finish the call to the engine at ${at}: the connection broke. It may have taken effect: see "sop status"`,
  }
  const text = reasons[code ?? ''] ?? `Cannot reach the engine at ${at}: ${messageOf(error)}. ${HOW_TO_START}`
  return new SopError('unavailable', text, { url: at }, error)
}

const messageOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return message !== undefined && message !== '' ? message : (code ?? String(error))
}

import type { Json } from '../core/definition.ts'
import type { Executable } from '../core/run/task.ts'
import { fillReferences, type Filled, type Place, type Values } from './references.ts'
import type { ActionEnd, ActionPorts } from './run-shell.ts'

// run-http.ts: one HTTP request as a step. Redirects are followed by hand: fetch would carry an API key in a header of
// our own along to wherever the answer points.

const MAX_REDIRECTS = 5

type HttpExecutable = Extract<Executable, { kind: 'http' }>

interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body?: string
}

/** Sends the request; the body of the answer is the step's output, its status the output `status`. */
export const runHttp = async (executable: HttpExecutable, ports: ActionPorts): Promise<ActionEnd> => {
  const request = requestOf(executable, valuesOf(ports))
  if (typeof request === 'string') return { error: request, outputs: {} }
  try {
    const answer = await send(request, executable, ports)
    if (typeof answer === 'string') return { error: answer, outputs: {} }
    await readBody(answer, ports)
    return verdict(answer, executable)
  } catch (error) {
    if (ports.stop.signal.aborted) return { wasStopped: true, outputs: {} }
    return { error: `Cannot reach "${request.url.href}": ${causeOf(error)}`, outputs: {} }
  }
}

const valuesOf = ({ values, task }: ActionPorts): Values => {
  const own = (record: Readonly<Record<string, Json>>, name: string): Json | undefined =>
    Object.hasOwn(record, name) ? record[name] : undefined
  return {
    text: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    json: (name) => {
      const typed =
        task.secretParams?.includes(name) === true ? undefined : (own(task.params, name) ?? own(task.outputs, name))
      return typeof typed === 'string' ? undefined : typed
    },
  }
}

/** The request, or why there is none. */
const requestOf = (executable: HttpExecutable, values: Values): HttpRequest | string => {
  const url = fillReferences(executable.url.trim(), 'url', values)
  if (!url.ok) return refused(executable, `url: ${url.error}`)
  const parsed = urlOf(url.text)
  const problem = parsed === null ? `"${url.text}" is not an absolute URL` : urlProblem(parsed)
  if (parsed === null || problem !== undefined) return refused(executable, problem as string)
  const headers = headersOf(executable, values)
  if (typeof headers === 'string') return refused(executable, headers)
  const method = executable.method.toUpperCase()
  if (executable.body === undefined) return { method, url: parsed, headers }
  if (method === 'GET' || method === 'HEAD') return refused(executable, `a ${method} request cannot have a body`)
  const body = fillReferences(executable.body, bodyPlace(headers, executable.body), values)
  if (!body.ok) return refused(executable, `body: ${body.error}`)
  return { method, url: parsed, headers, body: body.text }
}

const refused = ({ method, url }: HttpExecutable, reason: string): string =>
  `Cannot send ${method.toUpperCase()} request to "${url}": ${reason}`

const urlOf = (text: string, base?: URL): URL | null => (URL.canParse(text, base?.href) ? new URL(text, base) : null)

const urlProblem = (url: URL): string | undefined => {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `"${url.protocol}" is not http or https`
  return url.username + url.password === '' ? undefined : 'credentials in a URL end up in logs. Put them into a header'
}

const headersOf = (executable: HttpExecutable, values: Values): Headers | string => {
  const headers = new Headers({ 'user-agent': 'sop-engine' })
  for (const [name, template] of Object.entries(executable.headers ?? {})) {
    const filled: Filled = fillReferences(template, 'header', values)
    if (!filled.ok) return `header "${name}": ${filled.error}`
    try {
      headers.set(name, filled.text)
    } catch {
      return `header "${name}": its name or value is not allowed in HTTP`
    }
  }
  return headers
}

const bodyPlace = (headers: Headers, body: string): Place => {
  const type = headers.get('content-type') ?? ''
  if (/\bjson\b|\+json/i.test(type) || (type === '' && /^\s*[[{]/.test(body))) return 'json'
  return /x-www-form-urlencoded/i.test(type) ? 'form' : 'text'
}

/** The answer that counts; a sentence where a redirect must not be followed. */
const send = async (first: HttpRequest, executable: HttpExecutable, ports: ActionPorts): Promise<Response | string> => {
  let request = first
  for (let hop = 0; ; hop++) {
    await ports.note(`${request.method} ${request.url.href}`)
    const answer = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: 'manual',
      signal: ports.stop.signal,
    })
    await ports.note(`HTTP ${answer.status} ${answer.statusText}`.trimEnd())
    const location = answer.headers.get('location')
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== null
    if (!isRedirect || executable.expect?.includes(answer.status) === true) return answer
    await answer.body?.cancel()
    if (hop === MAX_REDIRECTS) return refused(executable, `it was redirected more than ${MAX_REDIRECTS} times`)
    const next = redirected(request, answer.status, location)
    if (typeof next === 'string') return refused(executable, next)
    request = next
  }
}

/** To another origin go neither headers nor body of the procedure: they may hold secrets. */
const redirected = (request: HttpRequest, status: number, location: string): HttpRequest | string => {
  const url = urlOf(location, request.url)
  const problem = url === null ? `it was redirected to "${location}", which is not a URL` : urlProblem(url)
  if (url === null || problem !== undefined) return problem as string
  const isElsewhere = url.origin !== request.url.origin
  if (isElsewhere && request.url.protocol === 'https:' && url.protocol === 'http:') {
    return `it was redirected from https to "${url.origin}"`
  }
  const keepsMethod = status === 307 || status === 308 || request.method === 'GET' || request.method === 'HEAD'
  if (keepsMethod && isElsewhere && request.body !== undefined) {
    return `it was redirected with its body to another origin, "${url.origin}"`
  }
  const headers = isElsewhere ? new Headers({ 'user-agent': 'sop-engine' }) : request.headers
  return keepsMethod ? { ...request, url, headers } : { method: 'GET', url, headers }
}

const readBody = async (answer: Response, { write }: ActionPorts): Promise<void> => {
  if (answer.body === null) return
  for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) await write(bytes)
}

const verdict = ({ status, statusText }: Response, { expect }: HttpExecutable): ActionEnd => {
  const isExpected =
    expect === undefined || expect.length === 0 ? status >= 200 && status < 300 : expect.includes(status)
  if (isExpected) return { outputs: { status } }
  const wanted = expect === undefined || expect.length === 0 ? '200 to 299' : expect.join(', ')
  return {
    outputs: { status },
    error: `The server answered ${status} ${statusText}`.trimEnd() + `; expected ${wanted}`,
  }
}

/** fetch says only "fetch failed"; what happened stands in its cause. */
const causeOf = (error: unknown): string => {
  const cause = (error as Error).cause as (Error & { code?: string; errors?: readonly Error[] }) | undefined
  const inner = cause?.errors?.[0] ?? cause
  const code = cause?.code === undefined || inner?.message.includes(cause.code) === true ? '' : ` (${cause.code})`
  return inner === undefined ? (error as Error).message : `${inner.message}${code}`
}

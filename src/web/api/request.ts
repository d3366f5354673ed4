import type { ErrorCode } from '../../core/errors.ts'
import { ApiProblem } from './problem.ts'

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** A refusal says that the credential is wrong, not that the session has ended. */
  readonly isSignIn?: true
}

/**
 * One call of the API. The session's cookie says who asks; the header says that it is this page, which no other site can send.
 *
 * @throws ApiProblem as the engine refuses, or `unavailable` with status 0 where no answer came
 */
export async function request<T>(
  path: string,
  { method = 'GET', body, signal, isSignIn }: RequestOptions = {},
): Promise<T> {
  const response = await answerOf(path, {
    method,
    credentials: 'same-origin',
    headers: {
      Accept: 'application/json',
      'X-SOP-Client': 'web',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
  const text = await response.text()
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T
  if (response.status === 401 && isSignIn !== true) onUnauthenticated()
  throw problemIn(response, text)
}

let onUnauthenticated: () => void = () => {}

/** Says who is told when the engine does not know the session any more. */
export const setUnauthenticatedListener = (listener: () => void): void => {
  onUnauthenticated = listener
}

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiProblem(0, 'unavailable', 'Cannot reach the engine. Is it running? In a terminal: sop serve')
  }
}

function problemIn(response: Response, text: string): ApiProblem {
  const document = parse(text)
  const { code, detail } = document
  return new ApiProblem(
    response.status,
    typeof code === 'string' ? (code as ErrorCode) : 'internal',
    typeof detail === 'string' ? detail : `The engine answered with status ${response.status}`,
    document,
  )
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { SopError, ERROR_CODES, type ErrorCode } from '../core/errors.ts'
import { type HttpTarget, openStream } from './http-exchange.ts'

// http-stream.ts: server-sent events of our API, read one by one. What breaks off is taken up again where it stopped.

/** What is followed, and from where. */
export interface StreamQuestion {
  /** Path and query, already encoded. */
  readonly path: string
  /** Id of the last event that the caller has. */
  readonly lastEventId?: string
  readonly signal?: AbortSignal
}

export interface ServerEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: string
}

/** The engine says that it lives every 15 s: after so long without a word the connection is dead. */
const SILENCE_MS = 45_000
/** How long an engine may be away (a restart, a deploy) before a stream is given up. */
const PATIENCE_MS = 60_000
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5_000

/** An event that was asked for, read. */
export interface StreamItem<T> {
  readonly id: string | undefined
  readonly data: T
}

/**
 * The events of one name, until the stream ends by itself or by the signal. `locate` is asked for each
 * connection: an engine that was started anew may be elsewhere.
 *
 * @throws SopError the refusal; `unavailable` when no engine answers, at first at once, later after a minute.
 */
export async function* readStream<T>(
  locate: () => Promise<HttpTarget>,
  question: StreamQuestion,
  name: string,
): AsyncGenerator<StreamItem<T>> {
  const { signal } = question
  let { lastEventId } = question
  let lostAt: number | undefined
  let pauseMs = FIRST_PAUSE_MS
  let isFirst = true
  const isAborted = (): boolean => signal?.aborted === true
  while (!isAborted()) {
    try {
      for await (const { event, id, data } of connect(await locate(), {
        ...question,
        ...(lastEventId !== undefined && { lastEventId }),
      })) {
        isFirst = false
        lostAt = undefined
        pauseMs = FIRST_PAUSE_MS
        if (event === 'end') return
        if (event === 'error') throw failureOf(data)
        if (event === name) yield { id, data: JSON.parse(data) as T }
        if (id !== undefined) lastEventId = id
        if (isAborted()) return
      }
    } catch (error) {
      if (isAborted()) return
      lostAt ??= Date.now()
      const isLost = error instanceof SopError && error.code === 'unavailable'
      if (isFirst || !isLost || Date.now() - lostAt > PATIENCE_MS) throw error
    }
    await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}

/** The events of one connection. @throws SopError `unavailable` when it breaks. */
async function* connect(target: HttpTarget, question: StreamQuestion): AsyncGenerator<ServerEvent> {
  const { path, lastEventId, signal } = question
  const incoming = await openStream(target, {
    method: 'GET',
    path,
    headers: { Accept: 'text/event-stream', ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }) },
    ...(signal !== undefined && { signal }),
  })
  if (incoming === undefined) {
    yield { event: 'end', id: undefined, data: '' }
    return
  }
  incoming.socket.setTimeout(SILENCE_MS, () => incoming.destroy(new Error('the engine has fallen silent')))
  incoming.setEncoding('utf8')
  let rest = ''
  try {
    for await (const piece of incoming) {
      // A frame can come in thousands of pieces: only the new one is searched, with what may have begun before it.
      const from = Math.max(0, rest.length - 1)
      rest += piece as string
      for (let end = rest.indexOf('\n\n', from); end !== -1; end = rest.indexOf('\n\n')) {
        const event = parseEvent(rest.slice(0, end))
        rest = rest.slice(end + 2)
        if (event !== undefined) yield event
      }
    }
  } catch (error) {
    if (error instanceof SopError) throw error
    const { message } = error as Error
    throw new SopError(
      'unavailable',
      `Cannot follow any further: the connection to the engine broke (${message})`,
      {},
      error,
    )
  } finally {
    incoming.destroy()
  }
}

/** A block of lines as our engine writes them; nothing for a comment, or a block without data. */
function parseEvent(block: string): ServerEvent | undefined {
  let [event, id, data]: [string, string | undefined, string | undefined] = ['message', undefined, undefined]
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) event = line.slice(7)
    else if (line.startsWith('id: ')) id = line.slice(4)
    else if (line.startsWith('data: ')) data = line.slice(6)
  }
  return data === undefined ? undefined : { event, id, data }
}

function failureOf(data: string): SopError {
  const { code, detail } = JSON.parse(data) as { readonly code?: string; readonly detail?: string }
  const known = (ERROR_CODES as readonly string[]).includes(code ?? '') ? (code as ErrorCode) : 'internal'
  return new SopError(known, detail ?? 'Cannot go on: the engine failed')
}

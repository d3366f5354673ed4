// streams.ts: server-sent events. A stream asks for its next piece only when the last one was taken, so a slow client
// costs no memory; whoever leaves is let go of at once.

import { once } from 'node:events'
import type { Response } from 'express'
import { SopError } from '../core/errors.ts'
import type { Answer } from './route.ts'

/** One event as it is sent. */
export interface Frame {
  readonly event: string
  /** What `Last-Event-ID` says when the client comes back. */
  readonly id?: string
  readonly data: unknown
}

/** The streams of one server: how many there may be, and how they end when it stops. */
export interface Streams {
  /** How often a stream says that it lives, in milliseconds. */
  readonly beatMs: number
  /** Registers a stream; the signal ends it. @throws SopError `unavailable` when there are too many. */
  open(response: Response): AbortSignal
  /** How many are open. */
  readonly size: number
  /** Ends all of them. */
  stop(): void
}

/** Each open page has one, and a program a few. */
const MAX_STREAMS = 1_000
const BEAT_MS = 15_000
/** A stream ends after an hour, and with it what its token once allowed; a client resumes by Last-Event-ID. */
const MAX_AGE_MS = 3_600_000
/** How long a browser waits before it comes back. */
const RETRY_MS = 2_000

export function createStreams({ limit = MAX_STREAMS, beatMs = BEAT_MS } = {}): Streams {
  const open = new Set<AbortController>()
  return {
    beatMs,
    get size() {
      return open.size
    },
    open(response) {
      if (open.size >= limit) {
        throw new SopError(
          'unavailable',
          `Cannot open a stream: ${limit} are open already. Ask from time to time instead, a log with "wait"`,
        )
      }
      const controller = new AbortController()
      const oldAge = setTimeout(() => controller.abort(), MAX_AGE_MS)
      open.add(controller)
      response.on('close', () => {
        clearTimeout(oldAge)
        open.delete(controller)
        controller.abort()
      })
      return controller.signal
    },
    stop() {
      for (const controller of open) controller.abort()
    },
  }
}

/** Answers with a stream: the frames as they come, and at last `end`. What is to be refused is refused before. */
export function sendStream(
  response: Response,
  streams: Streams,
  frames: (signal: AbortSignal) => AsyncIterable<Frame>,
): Answer {
  const signal = streams.open(response)
  response.status(200).set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
  response.write(`retry: ${RETRY_MS}\n\n`)
  // A client that does not read would only pile them up.
  const beat = setInterval(() => !response.writableNeedDrain && response.write(': still here\n\n'), streams.beatMs)
  void pump(response, frames(signal), signal).finally(() => clearInterval(beat))
  return 'streamed'
}

async function pump(response: Response, frames: AsyncIterable<Frame>, signal: AbortSignal): Promise<void> {
  try {
    for await (const frame of frames) {
      if (signal.aborted) return
      if (!response.write(render(frame))) await once(response, 'drain', { signal })
    }
    if (!signal.aborted) response.write('event: end\ndata: {}\n\n')
  } catch (error) {
    // The client resumes after the last event that it has; what broke is in the answer it then gets.
    if (!signal.aborted) response.write(render({ event: 'error', data: problemOf(error) }))
  } finally {
    response.end()
  }
}

const render = ({ event, id, data }: Frame): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`

const problemOf = (error: unknown): { readonly code: string; readonly detail: string } =>
  error instanceof SopError
    ? { code: error.code, detail: error.message }
    : { code: 'internal', detail: 'Cannot go on: the engine failed' }

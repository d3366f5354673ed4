// log-stream.ts: a run's logs as server-sent events, one step after the other, until the run ends.

import { setTimeout as delay } from 'node:timers/promises'
import type { Response } from 'express'
import type { LogChunk, SopClient } from '../client/client.ts'
import { SopError } from '../core/errors.ts'
import { isClosed } from '../core/run/state.ts'
import type { Answer, Call } from './route.ts'
import { parsePosition, renderPosition, type LogQuery, type StreamPosition } from './schemas/log.ts'

/** The streams of one server: how many there may be, and how they end when it stops. */
export interface Streams {
  /** Registers a stream; the signal ends it. @throws SopError `unavailable` when there are too many. */
  open(response: Response): AbortSignal
  /** Ends all of them. */
  stop(): void
}

const MAX_STREAMS = 200
const BEAT_MS = 15_000
const POLL_MS = 500
const WAIT_MS = 10_000
/** A stream ends after an hour, and with it what its token once allowed; a client resumes by Last-Event-ID. */
const MAX_AGE_MS = 3_600_000

export function createStreams(limit: number = MAX_STREAMS): Streams {
  const open = new Set<AbortController>()
  return {
    open(response) {
      if (open.size >= limit) {
        throw new SopError(
          'unavailable',
          `Cannot follow the log: ${limit} streams are open already. Read it by offset, with "wait"`,
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

/** Answers with a stream. An unknown run or a bad position is refused before it begins. */
export async function streamLog(call: Call<LogQuery, unknown>, streams: Streams): Promise<Answer> {
  const { client, params, query, request, response } = call
  const resumeAt = request.headers['last-event-id']
  const from = typeof resumeAt === 'string' && resumeAt !== '' ? parsePosition(resumeAt) : undefined
  const { runId } = await client.getRunStatus(params.id ?? '')
  const signal = streams.open(response)
  response.status(200).set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
  response.flushHeaders()
  void pump(response, followLog(client, runId, query, from, signal), signal)
  return 'streamed'
}

async function pump(response: Response, chunks: AsyncIterable<LogChunk>, signal: AbortSignal): Promise<void> {
  const beat = setInterval(() => response.write(': still here\n\n'), BEAT_MS)
  try {
    for await (const chunk of chunks) {
      await write(response, `event: log\nid: ${renderPosition(chunk)}\ndata: ${JSON.stringify(chunk)}\n\n`)
    }
    if (!signal.aborted) response.write('event: end\ndata: {}\n\n')
  } catch (error) {
    // The client resumes after the last event that it has; what broke is in the answer it then gets.
    const detail = error instanceof SopError ? error.message : 'Cannot go on: the engine failed'
    if (!signal.aborted) response.write(`event: error\ndata: ${JSON.stringify({ detail })}\n\n`)
  } finally {
    clearInterval(beat)
    response.end()
  }
}

async function write(response: Response, text: string): Promise<void> {
  if (response.write(text) || response.destroyed) return
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/**
 * The pieces of a run's logs as they come. With `step` that step's alone; otherwise from the newest step on through all
 * that follow, until the run is closed. A step whose log is not there yet is waited for while the run is open.
 */
export async function* followLog(
  client: Pick<SopClient, 'readLog' | 'getRunStatus'>,
  runId: string,
  query: LogQuery,
  from: StreamPosition | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const only = query.step
  let at: Partial<StreamPosition> = from ?? pick(query)
  for (;;) {
    const last: LogChunk | undefined = yield* followOne(client, runId, at, signal)
    if (signal.aborted || last === undefined || only !== undefined) return
    const next = await nextLog(client, runId, last, signal)
    if (next === undefined) return
    at = next
  }
}

const pick = ({ step, attempt, source, offset }: LogQuery): Partial<StreamPosition> => ({
  ...(step === undefined ? {} : { step }),
  ...(attempt === undefined ? {} : { attempt }),
  // A step's verification has a log of its own, which would hide the step's.
  ...(source === undefined ? (step === undefined ? {} : { source: 'step' }) : { source }),
  ...(offset === undefined ? {} : { offset }),
})

/** One log to its end; its last piece, or nothing when the run closed without that log. */
async function* followOne(
  client: Pick<SopClient, 'readLog' | 'getRunStatus'>,
  runId: string,
  from: Partial<StreamPosition>,
  signal: AbortSignal,
): AsyncGenerator<LogChunk, LogChunk | undefined> {
  let at = from
  while (!signal.aborted) {
    const closed = isClosed((await client.getRunStatus(runId)).status)
    const chunk = await readIfThere(client, runId, { ...at, waitMs: closed ? 0 : WAIT_MS })
    if (chunk === undefined) {
      if (closed) return undefined
      await pause(signal)
      continue
    }
    if (chunk.text !== '') yield chunk
    // A log that a lost worker never closed ends with its run.
    if (chunk.complete || (closed && chunk.text === '')) return chunk
    if (chunk.text === '') await pause(signal)
    at = { step: chunk.stepNumber, attempt: chunk.attempt, source: chunk.source, offset: chunk.next }
  }
  return undefined
}

/** The log that comes after `last`: steps passed over in between first, then the newest; none once the run is closed. */
async function nextLog(
  client: Pick<SopClient, 'readLog' | 'getRunStatus'>,
  runId: string,
  last: LogChunk,
  signal: AbortSignal,
): Promise<Partial<StreamPosition> | undefined> {
  while (!signal.aborted) {
    const view = await client.getRunStatus(runId)
    const newest = await readIfThere(client, runId, { limit: 1 })
    if (newest !== undefined && !isSame(newest, last)) {
      for (const { number, attempt } of view.stepResults) {
        if (number <= last.stepNumber || number >= newest.stepNumber || attempt === 0) continue
        if ((await readIfThere(client, runId, { step: number, limit: 1 })) !== undefined)
          return { step: number, source: 'step' }
      }
      return { step: newest.stepNumber, attempt: newest.attempt, source: newest.source }
    }
    if (isClosed(view.status)) return undefined
    await pause(signal)
  }
  return undefined
}

const isSame = (one: LogChunk, other: LogChunk): boolean =>
  one.stepNumber === other.stepNumber && one.attempt === other.attempt && one.source === other.source

async function readIfThere(
  client: Pick<SopClient, 'readLog'>,
  runId: string,
  at: Parameters<SopClient['readLog']>[1],
): Promise<LogChunk | undefined> {
  try {
    return await client.readLog(runId, at)
  } catch (error) {
    if (error instanceof SopError && error.code === 'not_found') return undefined
    throw error
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await delay(POLL_MS, undefined, { signal }).catch(() => undefined)
}

// stream.ts: everything that one open page follows, as one stream: browsers allow six connections to a host.

import { setTimeout as delay } from 'node:timers/promises'
import type { Response } from 'express'
import { z } from 'zod'
import type { SopClient } from '../../client/client.ts'
import { type LogPosition, parseLogPosition, renderLogPosition } from '../../core/log-position.ts'
import { SopError } from '../../core/errors.ts'
import { merge } from '../merge.ts'
import { flag, whole } from '../query.ts'
import { route, type Route } from '../route.ts'
import { type Frame, sendStream, type Streams } from '../streams.ts'

interface StreamQuery {
  readonly runs?: boolean
  readonly run?: string
  readonly after?: number
  readonly log?: string
  readonly step?: number
  readonly attempt?: number
  readonly source?: string
  readonly item?: number
  readonly offset?: number
  readonly sizes?: boolean
}

const ref = z.string().min(1).max(1_000)
const streamQuery: z.ZodType<StreamQuery> = z.strictObject({
  runs: flag.exactOptional().describe('Follow the runs that change'),
  run: ref.exactOptional().describe('Follow the events of this run'),
  after: whole(0, Number.MAX_SAFE_INTEGER)
    .exactOptional()
    .describe('Sequence of the last event of `run` that you have'),
  log: ref.exactOptional().describe('Follow a log of this run'),
  step: whole(0, 100_000).exactOptional().describe('Of `log`: without it the newest, and all that follow'),
  attempt: whole(1, 100_000).exactOptional().describe('Of `log`'),
  source: z.string().min(1).max(200).exactOptional().describe("Of `log`: `step`, `verify`, `rollback` or a gate's key"),
  item: whole(1, 100_000).exactOptional().describe('Of `log`: item of a for_each step'),
  offset: whole(0, Number.MAX_SAFE_INTEGER).exactOptional().describe('Of `log`: first byte'),
  sizes: flag.exactOptional().describe('Of `log`: only how large it is, whenever it grew, as `log_size`'),
})

export const streamRoutes = (streams: Streams): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/stream',
    operationId: 'followAll',
    tag: 'Runs',
    summary: 'All that a page follows, as one stream',
    description:
      'Server-sent events `runs`, `run_event` and `log` (with `sizes` instead `log_size`), each as in the stream of its own. Their ids say where all of them stand, so that ' +
      'Last-Event-ID resumes the whole. `ended` says which one is over, `failed` which one cannot go on and why (a problem document); the others go ' +
      'on. `session_ended`: sign in again.',
    verb: 'listRuns',
    query: streamQuery,
    replies: { 200: { description: 'The changes', types: ['text/event-stream'] } },
    handle: async ({ client, query, request, response }) => {
      const resumeAt = request.headers['last-event-id']
      const at = placesIn(typeof resumeAt === 'string' ? resumeAt.slice(0, 2_000) : '')
      return sendStream(response, streams, (signal) =>
        untilSignedOut(merge([...follow(client, query, at, signal), watchSession(response, streams.beatMs, signal)])),
      )
    },
  }),
]

/** How far a reader has come in each of what it follows. */
interface Places {
  cursor?: string
  run?: { readonly id: string; readonly sequence: number }
  log?: { readonly id: string; readonly position: LogPosition }
}

const render = ({ cursor, run, log }: Places): string =>
  new URLSearchParams({
    ...(cursor !== undefined && { runs: cursor }),
    ...(run !== undefined && { run: run.id, after: String(run.sequence) }),
    ...(log !== undefined && { log: log.id, at: renderLogPosition(log.position) }),
  }).toString()

/** @throws SopError `invalid` for an id that no stream of ours sent */
function placesIn(id: string): Places {
  const said = new URLSearchParams(id)
  const [cursor, run, after, log, at] = ['runs', 'run', 'after', 'log', 'at'].map((key) => said.get(key) ?? undefined)
  if (after !== undefined && !/^\d{1,15}$/.test(after)) {
    throw new SopError(
      'invalid',
      `Cannot resume the stream at "${id.slice(0, 100)}": expected the id of one of its events`,
    )
  }
  return {
    ...(cursor !== undefined && { cursor }),
    ...(run !== undefined && after !== undefined && { run: { id: run, sequence: Number(after) } }),
    ...(log !== undefined && at !== undefined && { log: { id: log, position: parseLogPosition(at) } }),
  }
}

function follow(client: SopClient, query: StreamQuery, at: Places, signal: AbortSignal): AsyncIterable<Frame>[] {
  const places: Places = {}
  const { runs, run, log } = query
  // The places are kept as they are told, so that a stream which is cut resumes without a gap in any of them.
  const frame = (event: string, data: unknown): Frame => ({ event, id: render(places), data })
  return [
    ...(runs === true ? [guarded('runs', followRuns(client, at, signal, places, frame))] : []),
    ...(run === undefined ? [] : [guarded('run', followRun(client, { ...query, run }, at, signal, places, frame))]),
    ...(log === undefined || query.sizes !== true
      ? []
      : [guarded('log', followSize(client, { ...query, log }, signal, frame))]),
    ...(log === undefined || query.sizes === true
      ? []
      : [guarded('log', followLog(client, { ...query, log }, at, signal, places, frame))]),
  ]
}

/** A reader that shows a part of a log reads that part itself. Where it is cut, the next one begins with the size as it is then. */
async function* followSize(
  client: SopClient,
  { log, step, attempt, source, item }: StreamQuery & { readonly log: string },
  signal: AbortSignal,
  frame: MakeFrame,
): AsyncGenerator<Frame> {
  const wish = {
    ...(step !== undefined && { step }),
    ...(attempt !== undefined && { attempt }),
    ...(source !== undefined && { source }),
    ...(item !== undefined && { item }),
  }
  for await (const size of client.followLogSize(log, wish, { signal })) yield frame('log_size', size)
}

type MakeFrame = (event: string, data: unknown) => Frame

async function* followRuns(
  client: SopClient,
  at: Places,
  signal: AbortSignal,
  places: Places,
  frame: MakeFrame,
): AsyncGenerator<Frame> {
  const from = at.cursor === undefined ? {} : { cursor: at.cursor }
  if (at.cursor !== undefined) places.cursor = at.cursor
  for await (const { cursor, ...data } of client.followRuns({ ...from, signal })) {
    places.cursor = cursor
    yield frame('runs', data)
  }
}

async function* followRun(
  client: SopClient,
  { run, after = 0 }: StreamQuery & { readonly run: string },
  at: Places,
  signal: AbortSignal,
  places: Places,
  frame: MakeFrame,
): AsyncGenerator<Frame> {
  const begin = at.run?.id === run ? at.run.sequence : after
  places.run = { id: run, sequence: begin }
  for await (const event of client.followRun(run, { after: begin, signal })) {
    places.run = { id: run, sequence: event.sequence }
    yield frame('run_event', event)
  }
}

async function* followLog(
  client: SopClient,
  { log, step, attempt, source, item, offset }: StreamQuery & { readonly log: string },
  at: Places,
  signal: AbortSignal,
  places: Places,
  frame: MakeFrame,
): AsyncGenerator<Frame> {
  const known = at.log?.id === log ? at.log.position : undefined
  const isResumed =
    known !== undefined &&
    (step ?? known.step) === known.step &&
    (attempt ?? known.attempt) === known.attempt &&
    (source ?? known.source) === known.source &&
    (item ?? known.item) === known.item
  const wanted = {
    ...(step !== undefined && { step }),
    ...(attempt !== undefined && { attempt }),
    ...(source !== undefined && { source }),
    ...(item !== undefined && { item }),
    ...(offset !== undefined && { offset }),
    ...(isResumed && at.log !== undefined && { after: at.log.position }),
  }
  if (isResumed && at.log !== undefined) places.log = at.log
  for await (const chunk of client.followLog(log, { ...wanted, signal })) {
    const position = {
      step: chunk.stepNumber,
      attempt: chunk.attempt,
      source: chunk.source,
      ...(chunk.item !== undefined && { item: chunk.item }),
      offset: chunk.next,
    }
    places.log = { id: log, position }
    yield frame('log', chunk)
  }
}

/** One that ends or fails says so, and leaves the others alone. */
async function* guarded(of: string, frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
  try {
    yield* frames
    yield { event: 'ended', data: { of } }
  } catch (error) {
    const known = error instanceof SopError ? error : new SopError('internal', 'Cannot go on: the engine failed')
    yield { event: 'failed', data: { of, code: known.code, detail: known.message } }
  }
}

/** A stream outlasts the request that it began with: what allowed it is asked again and again. */
async function* watchSession(response: Response, everyMs: number, signal: AbortSignal): AsyncGenerator<Frame> {
  const isOpen = response.locals.isSessionOpen as (() => Promise<boolean>) | undefined
  while (!signal.aborted) {
    await delay(everyMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted || isOpen === undefined) continue
    if (!(await isOpen())) yield { event: SESSION_ENDED, data: {} }
  }
}

const SESSION_ENDED = 'session_ended'

async function* untilSignedOut(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
  for await (const frame of frames) {
    yield frame
    if (frame.event === SESSION_ENDED) return
  }
}

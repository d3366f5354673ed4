import type { LogChunk, SopClient } from '../../client/client.ts'
import { SopError } from '../../core/errors.ts'
import { hasBegun, hasEnded } from '../../core/run/execution-view.ts'
import { isClosed } from '../../core/run/state.ts'
import type { RunView, StepView } from '../../core/run/view.ts'
import type { Verb } from '../command.ts'
import { UsageError, exitCode } from '../exit-codes.ts'
import { type LogPlace, createLogReader } from '../log-reader.ts'
import { readNumber } from '../params.ts'
import { cleanText } from '../render/clean.ts'

export interface LogsOptions {
  readonly step?: string
  readonly attempt?: string
  readonly item?: string
  readonly source?: string
  readonly follow?: boolean
  readonly raw?: boolean
}

interface Wanted {
  readonly step: number | undefined
  readonly attempt: number | undefined
  readonly item: number | undefined
  readonly source: string | undefined
}

const POLL_MS = 500

export const logs: Verb<LogsOptions> = async (context, [ref = ''], options) => {
  const wanted = readWanted(options)
  const client = await context.client()
  const first = await client.getRunStatus(ref)
  const { runId } = first
  if (wanted.step !== undefined && stepOf(first, wanted.step) === undefined) {
    throw new SopError(
      'not_found',
      `Cannot read the log of step ${wanted.step} of run "${runId}": it has ${first.totalSteps} steps`,
    )
  }
  const follow = options.follow === true
  const abort = new AbortController()
  const release = follow ? context.io.onInterrupt(() => abort.abort()) : () => {}
  const headings = wanted.step === undefined && options.raw !== true
  const reader = createLogReader(context, client, {
    runId,
    follow,
    raw: options.raw === true,
    headings,
    signal: abort.signal,
  })
  const seen = new Set<string>()
  for (let view = first; ; view = await client.getRunStatus(runId)) {
    for (const place of await placesOf(client, view, wanted)) {
      const key = `${place.step} ${place.item} ${place.attempt}`
      if (seen.has(key) || abort.signal.aborted) continue
      const goesOn = async () => isMoving(stepOf(await client.getRunStatus(runId), place.step), place)
      const found = await reader.read(place, stepOf(view, place.step)?.title ?? '', goesOn)
      // A step that has just begun may have no log yet: it is asked for again.
      if (found || !isMoving(stepOf(view, place.step), place)) seen.add(key)
    }
    if (!follow || isOver(view, wanted.step)) break
    await context.io.sleep(POLL_MS, abort.signal)
    if (abort.signal.aborted) break
  }
  release()
  if (reader.chunks.length === 0 && !reader.hasPrinted() && !abort.signal.aborted) await throwIfRemoved(client, runId)
  context.show(joined(reader.chunks), () => '')
  if (!context.json && !reader.hasPrinted()) context.hint(nothingPrinted(first, wanted))
  return exitCode(abort.signal.aborted ? 'interrupted' : 'ok')
}

const readWanted = (options: LogsOptions): Wanted => {
  const step = readNumber('--step', options.step, { least: 1 })
  const attempt = readNumber('--attempt', options.attempt, { least: 1 })
  if (attempt !== undefined && step === undefined)
    throw new UsageError('Cannot choose an attempt: --attempt needs --step')
  const item = readNumber('--item', options.item, { least: 1 })
  if (item !== undefined && step === undefined) throw new UsageError('Cannot choose an item: --item needs --step')
  return { step, attempt, item, source: options.source }
}

/** Every attempt of every step, and of every item of it, that has begun, in the order of the steps. */
const placesOf = async (client: SopClient, view: RunView, wanted: Wanted): Promise<readonly LogPlace[]> => {
  const begun = view.stepResults.filter(
    (each) => (wanted.step === undefined || each.number === wanted.step) && hasBegun(each),
  )
  const places = begun.map(async (step) =>
    step.items === undefined && wanted.item === undefined
      ? attemptsOf(step, wanted)
      : itemsOf(client, view.runId, step, wanted),
  )
  return (await Promise.all(places)).flat()
}

/** A view does not tell of all items; the list of logs does. */
const itemsOf = async (
  client: SopClient,
  runId: string,
  { number }: StepView,
  { attempt, item, source = 'step' }: Wanted,
): Promise<readonly LogPlace[]> => {
  const wish = { step: number, source, ...(attempt !== undefined && { attempt }), ...(item !== undefined && { item }) }
  const { logs } = await client.listLogs(runId, wish)
  return logs.map((log) => ({
    step: log.stepNumber,
    attempt: log.attempt,
    source: log.source,
    ...(log.item !== undefined && { item: log.item }),
  }))
}

const attemptsOf = ({ number, attempt }: StepView, wanted: Wanted): readonly LogPlace[] =>
  Array.from({ length: Math.max(1, attempt) }, (_, index) => index + 1)
    .filter((each) => wanted.attempt === undefined || each === wanted.attempt)
    .map((each) => ({
      step: number,
      attempt: each,
      ...(wanted.source === undefined ? {} : { source: wanted.source }),
    }))

const stepOf = (view: RunView, step: number): StepView | undefined =>
  view.stepResults.find(({ number }) => number === step)

const isMoving = (step: StepView | undefined, { attempt, item }: LogPlace): boolean =>
  step?.status === 'running' && (item !== undefined || step.attempt === attempt)

const isOver = (view: RunView, step: number | undefined): boolean => {
  if (isClosed(view.status)) return true
  const one = step === undefined ? undefined : stepOf(view, step)
  return one !== undefined && hasEnded(one)
}

/** That nothing was printed is one thing; that it is not there any more another. */
const throwIfRemoved = async (client: SopClient, runId: string): Promise<void> => {
  try {
    await client.readLog(runId, { limit: 1 })
  } catch (error) {
    if (error instanceof SopError && error.details.removedAt !== undefined) throw error
  }
}

const nothingPrinted = (view: RunView, { step }: Wanted): string =>
  `No output${step === undefined ? '' : ` of step ${step}`} in run "${cleanText(view.runId)}"${isClosed(view.status) ? '' : ' yet'}.`

/** The pieces of each log as one, for programs. */
const joined = (chunks: readonly LogChunk[]): readonly Omit<LogChunk, 'offset' | 'next'>[] => {
  const logs = new Map<string, Omit<LogChunk, 'offset' | 'next'>>()
  for (const { offset: _offset, next: _next, ...chunk } of chunks) {
    const key = `${chunk.stepNumber} ${chunk.item} ${chunk.attempt} ${chunk.source}`
    logs.set(key, { ...chunk, text: (logs.get(key)?.text ?? '') + chunk.text })
  }
  return [...logs.values()]
}

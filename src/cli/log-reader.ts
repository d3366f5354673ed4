import type { LogChunk, SopClient } from '../client/client.ts'
import { SopError } from '../core/errors.ts'
import type { Context } from './context.ts'
import { hasColour } from './io.ts'
import { cleanText, createLogCleaner } from './render/clean.ts'
import { oneLine } from './render/table.ts'

/** One log of a run. */
export interface LogPlace {
  readonly step: number
  readonly attempt: number
  readonly source?: string
  readonly item?: number
}

export interface LogReaderOptions {
  readonly runId: string
  readonly follow: boolean
  readonly raw: boolean
  /** Says which step a piece of output is of. */
  readonly headings: boolean
  readonly signal: AbortSignal
}

const LONG_POLL_MS = 10_000

/** Reads logs one after the other: onto the screen as they come, or, with `--json`, into `chunks`. */
export interface LogReader {
  /** `false` if there is no such log (yet). `goesOn` is asked when nothing new came: whether more can come at all. */
  read(place: LogPlace, title: string, goesOn: () => Promise<boolean>): Promise<boolean>
  /** Something was printed. */
  hasPrinted(): boolean
  readonly chunks: readonly LogChunk[]
}

export const createLogReader = (context: Context, client: SopClient, options: LogReaderOptions): LogReader => {
  const chunks: LogChunk[] = []
  let printed = false
  const open = (place: LogPlace, title: string) =>
    openPrinter(context, options, () => {
      if (options.headings) context.io.out.write(`${printed ? '\n' : ''}${heading(place, title)}\n`)
      printed = true
    })
  return {
    chunks,
    hasPrinted: () => printed,
    async read(place, title, goesOn) {
      const printer = open(place, title)
      let offset = 0
      let found = false
      // A program that wrote a picture or an archive gets it back byte for byte.
      const encoding = options.raw && !context.json ? ({ encoding: 'base64' } as const) : {}
      while (!options.signal.aborted) {
        const wait = options.follow ? { waitMs: LONG_POLL_MS } : {}
        const chunk = await orAborted(
          readOrNothing(client, options.runId, { ...place, offset, ...wait, ...encoding }),
          options.signal,
        )
        if (chunk === undefined) break
        found = true
        if (context.json) chunks.push(chunk)
        else printer.write(chunk)
        const stands = chunk.next === offset
        offset = chunk.next
        if (chunk.complete || (stands && !(options.follow && (await goesOn())))) break
      }
      if (!context.json) printer.end()
      return found
    },
  }
}

const heading = ({ step, attempt, item }: LogPlace, title: string): string =>
  `==> ${item === undefined ? '' : `item ${item} of `}step ${step}: ${cleanText(oneLine(title))}${attempt > 1 ? `, attempt ${attempt}` : ''} <==`

const openPrinter = ({ io }: Context, { raw }: LogReaderOptions, onFirst: () => void) => {
  const cleaner = createLogCleaner(hasColour(io.env, io.isTTY))
  let last: string | Uint8Array | undefined
  const print = (text: string | Uint8Array): void => {
    if (text.length === 0) return
    if (last === undefined) onFirst()
    last = text
    io.out.write(text)
  }
  return {
    write: ({ text, base64 }: LogChunk): void =>
      print(raw ? (base64 === undefined ? text : Buffer.from(base64, 'base64')) : cleaner.push(text)),
    end: (): void => {
      if (raw) return
      print(cleaner.end())
      if (typeof last === 'string' && !last.endsWith('\n')) io.out.write('\n')
    },
  }
}

/** A step without a log (a manual one, say) is no error where all logs are asked for. */
const readOrNothing = async (
  client: SopClient,
  runId: string,
  at: Parameters<SopClient['readLog']>[1],
): Promise<LogChunk | undefined> => {
  try {
    return await client.readLog(runId, at)
  } catch (error) {
    if (error instanceof SopError && error.code === 'not_found') return undefined
    throw error
  }
}

/** Ctrl-C need not wait for an answer that the engine holds back. */
const orAborted = async <T>(answer: Promise<T>, signal: AbortSignal): Promise<T | undefined> => {
  let stop = (): void => {}
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined)
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([answer, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import * as tar from 'tar'
import type { Progress } from './console.ts'
import { TEMPORAL_FILE } from './find-temporal.ts'
import { type ProbeOptions, probeTemporal, type StageResult } from './temporal-binary.ts'
import { TEMPORAL_CLI_VERSION } from './temporal-release.ts'

export interface DownloadOptions extends ProbeOptions {
  /** The endpoint without version and query. */
  readonly baseUrl: string
  /** The folder that gets the binary, in one step at the end. */
  readonly into: string
  readonly progress: Progress
  /** The longest silence of the server, at any point. Default 20,000. */
  readonly stallMs?: number
}

/** Downloads the CLI from the SDKs' endpoint. Whatever goes wrong on the way is a reason, and leaves nothing behind. */
export async function downloadTemporal(options: DownloadOptions): Promise<StageResult> {
  const draft = join(options.into, `.download-${randomUUID()}`)
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 })
    const file = await fetchInto(draft, options)
    const probed = await probeTemporal(file, options)
    if (!probed.ok) return { ok: false, reason: `what ${options.baseUrl} gave cannot be used: ${probed.reason}` }
    const path = join(options.into, TEMPORAL_FILE)
    await rename(file, path)
    return { ok: true, binary: { ...probed.binary, path } }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { ok: false, reason: `${options.baseUrl} ${describe(error)}` }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function fetchInto(folder: string, options: DownloadOptions): Promise<string> {
  const { archiveUrl, fileToExtract } = await fetchRelease(options)
  const watch = new StallWatch(options.stallMs ?? 20_000, options.signal)
  try {
    const response = await request(archiveUrl, watch.signal)
    if (response.body === null) throw new Error('answered with an empty archive')
    const total = Number(response.headers.get('content-length') ?? 0)
    await pipeline(
      Readable.fromWeb(response.body as ReadableStream<Uint8Array>),
      count(total, watch, options.progress),
      tar.extract({ cwd: folder, strict: true, filter: (path) => normal(path) === normal(fileToExtract) }),
      { signal: watch.signal },
    )
    return join(folder, fileToExtract)
  } finally {
    watch.stop()
  }
}

interface Release {
  readonly archiveUrl: string
  readonly fileToExtract: string
}

async function fetchRelease({ baseUrl, stallMs = 20_000, signal }: DownloadOptions): Promise<Release> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const query = new URLSearchParams({ arch, platform, format: 'tar.gz' })
  const watch = new StallWatch(stallMs, signal)
  try {
    const response = await request(`${baseUrl}/${TEMPORAL_CLI_VERSION}?${query.toString()}`, watch.signal)
    const { archiveUrl, fileToExtract } = ((await response.json().catch(() => undefined)) ?? {}) as Partial<Release>
    if (typeof archiveUrl !== 'string' || typeof fileToExtract !== 'string' || !isPlainName(fileToExtract)) {
      throw new Error('answered without the address of an archive')
    }
    return { archiveUrl, fileToExtract }
  } finally {
    watch.stop()
  }
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new Error(`answered ${response.status} for ${new URL(url).pathname}`)
  return response
}

/** Aborts when nothing has come for `stallMs`, or when the caller gives up. */
class StallWatch {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly signal: AbortSignal

  constructor(stallMs: number, outer: AbortSignal | undefined) {
    const stalled = new Error(`sent nothing for ${stallMs / 1_000} s`)
    this.#timer = setTimeout(() => this.#controller.abort(stalled), stallMs)
    this.signal = outer === undefined ? this.#controller.signal : AbortSignal.any([outer, this.#controller.signal])
  }

  sign(): void {
    this.#timer.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

function count(totalBytes: number, watch: StallWatch, progress: Progress): Transform {
  let bytes = 0
  const megabytes = (size: number): string => (size / 1_000_000).toFixed(0)
  return new Transform({
    transform(chunk: Uint8Array, _, done) {
      bytes += chunk.length
      watch.sign()
      const share =
        totalBytes > 0 ? ` of ${megabytes(totalBytes)} MB (${Math.floor((bytes / totalBytes) * 100)} %)` : ' MB'
      progress.wait(`Downloading Temporal ${TEMPORAL_CLI_VERSION} … ${megabytes(bytes)}${share}`)
      done(null, chunk)
    },
    flush(done) {
      const short = totalBytes > 0 && bytes < totalBytes
      done(short ? new Error(`broke off after ${bytes} of ${totalBytes} bytes`) : null)
    },
  })
}

const normal = (path: string): string => path.replace(/^\.\//, '')
const isPlainName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)

const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'cannot be reached: its name is unknown (is this machine offline?)',
  EAI_AGAIN: 'cannot be reached: no name server answers (is this machine offline?)',
  ECONNREFUSED: 'cannot be reached: it refuses the connection',
  ETIMEDOUT: 'cannot be reached: it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'cannot be reached: it does not answer',
  ENETUNREACH: 'cannot be reached: there is no network',
  ZLIB: 'sent a damaged archive',
  TAR: 'sent a damaged archive',
}

function describe(error: unknown): string {
  const { message, cause, name } = error as Error
  const inner = cause as NodeJS.ErrnoException | undefined
  const code = inner?.code ?? (error as NodeJS.ErrnoException).code ?? ''
  const known =
    UNREACHABLE[code] ?? UNREACHABLE[/^(TAR|Z)_/.exec(code)?.[1] === 'TAR' ? 'TAR' : /^Z_/.test(code) ? 'ZLIB' : '']
  if (known !== undefined) return known
  if (name === 'AbortError' && inner?.message !== undefined) return inner.message
  return inner?.message === undefined ? message : `cannot be reached: ${inner.message}`
}

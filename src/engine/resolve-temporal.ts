import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SopError } from '../core/errors.ts'
import { buildTemporal } from './build-temporal.ts'
import type { Progress } from './console.ts'
import { downloadTemporal } from './download-temporal.ts'
import { waitForLock } from './file-lock.ts'
import { cacheFolder, type Environment, findTemporalOnPath, TEMPORAL_FILE } from './find-temporal.ts'
import { probeTemporal, type ProbeOptions, type StageResult, type TemporalBinary } from './temporal-binary.ts'
import { DOWNLOAD_BASE_URL, OLDEST_GO_VERSION, TEMPORAL_CLI_VERSION } from './temporal-release.ts'

export interface ResolveOptions extends ProbeOptions {
  readonly env: Environment
  /** `TEMPORAL_CLI_PATH`: this binary and no other. */
  readonly cliPath?: string
  readonly progress: Progress
  /** Where the download comes from. Default: `SOP_TEMPORAL_DOWNLOAD_URL`, else the SDKs' endpoint. */
  readonly downloadUrl?: string
  /** The folder with the Go module that pins the CLI. Default: `tools/temporal` of this installation. */
  readonly toolsDir?: string
  /** The longest silence during the download. Default 20,000. */
  readonly stallMs?: number
}

const TOOLS_DIR = fileURLToPath(new URL('../../tools/temporal', import.meta.url))

/**
 * Finds or makes a Temporal CLI: `TEMPORAL_CLI_PATH`, PATH, our cache, the download, a build with Go. (That a server
 * runs elsewhere is asked before: `temporal-address.ts`.) Progress tells what is passed over and what takes long.
 *
 * @throws SopError `unavailable` that says what each place gave and what helps
 */
export async function resolveTemporal(options: ResolveOptions): Promise<TemporalBinary> {
  if (options.cliPath) return await useOnly(options.cliPath, options)
  const onPath = await findTemporalOnPath(options.env, {
    ...options,
    onPass: (reason) => options.progress.note(`Passing over a Temporal CLI on PATH: ${reason}`),
  })
  if (onPath.ok) return onPath.binary
  const folder = cacheFolder(options.env)
  const cached = await findCached(folder, options)
  if (cached.ok) return cached.binary
  return await make(folder, { 'temporal on PATH': onPath.reason, [`cache ${folder}`]: cached.reason }, options)
}

async function useOnly(path: string, options: ResolveOptions): Promise<TemporalBinary> {
  const result = await probeTemporal(path, options)
  if (result.ok) return result.binary
  throw new SopError(
    'unavailable',
    `Cannot use TEMPORAL_CLI_PATH: ${result.reason}. Set it to a Temporal CLI ${TEMPORAL_CLI_VERSION}, or unset it to have one found`,
  )
}

async function findCached(folder: string, options: ResolveOptions): Promise<StageResult> {
  const path = join(folder, TEMPORAL_FILE)
  if (!(await isFile(path))) return { ok: false, reason: 'it is empty' }
  const result = await probeTemporal(path, options)
  if (!result.ok) options.progress.note(`Passing over the Temporal CLI in our cache: ${result.reason}`)
  return result
}

type Misses = Readonly<Record<string, string>>

/** Downloads or builds, one process at a time: a second one waits and then finds the first one's binary in the cache. */
async function make(folder: string, misses: Misses, options: ResolveOptions): Promise<TemporalBinary> {
  const release = await lockCache(folder, misses, options)
  try {
    const cached = await findCached(folder, options)
    if (cached.ok) return cached.binary
    await removeDrafts(folder)
    const baseUrl = options.downloadUrl ?? (options.env.SOP_TEMPORAL_DOWNLOAD_URL || DOWNLOAD_BASE_URL)
    const downloaded = await downloadTemporal({ ...options, baseUrl: baseUrl.replace(/\/+$/, ''), into: folder })
    if (downloaded.ok) return made(downloaded.binary, 'Downloaded', options.progress)
    options.progress.note(`Cannot download Temporal: ${downloaded.reason}`)
    const built = await buildTemporal({ ...options, toolsDir: options.toolsDir ?? TOOLS_DIR, into: folder })
    if (built.ok) return made(built.binary, 'Built', options.progress)
    throw nothingFound({ ...misses, download: downloaded.reason, 'build with Go': built.reason })
  } finally {
    await release()
  }
}

/** What a download or a build left that was killed. We hold the lock, so nobody works on them. */
async function removeDrafts(folder: string): Promise<void> {
  const drafts = (await readdir(folder)).filter((name) => /^\.(build|download)-/.test(name))
  for (const name of drafts) await rm(join(folder, name), { recursive: true, force: true })
}

async function lockCache(folder: string, misses: Misses, options: ResolveOptions): Promise<() => Promise<void>> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return await waitForLock(join(folder, '.lock'), {
      ...(options.signal && { signal: options.signal }),
      onWait: (holder) =>
        options.progress.wait(`Waiting for process ${holder?.pid ?? '(unknown)'}, which makes a Temporal binary …`),
    })
  } catch (error) {
    options.signal?.throwIfAborted()
    const reason = `the cache cannot be written (${(error as Error).message})`
    throw nothingFound({ ...misses, download: reason, 'build with Go': reason })
  }
}

function made(binary: TemporalBinary, verb: string, progress: Progress): TemporalBinary {
  progress.note(`${verb} Temporal ${binary.cliVersion} (server ${binary.serverVersion}) into ${binary.path}`)
  return binary
}

function nothingFound(misses: Misses): SopError {
  const tried = Object.entries({ TEMPORAL_CLI_PATH: 'it is not set', ...misses }).map(
    ([place, why]) => `  ${place}: ${why}`,
  )
  const lines = [
    'Cannot start Temporal: no Temporal CLI was found or could be made',
    ...tried,
    'Any one of these helps:',
    `  install the Temporal CLI ${TEMPORAL_CLI_VERSION} (https://docs.temporal.io/cli) so that "temporal" is on PATH, or set TEMPORAL_CLI_PATH to it`,
    `  install Go ${OLDEST_GO_VERSION} or later (https://go.dev/dl) and start again: it is then built from tools/temporal`,
    '  set TEMPORAL_ADDRESS to a Temporal server that runs already',
  ]
  return new SopError('unavailable', lines.join('\n'), { tried: misses })
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

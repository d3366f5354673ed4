import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Progress } from './console.ts'
import { type Environment, findOnPath, TEMPORAL_FILE } from './find-temporal.ts'
import { sendSignal } from './process-identity.ts'
import { type ProbeOptions, probeTemporal, type StageResult } from './temporal-binary.ts'
import { OLDEST_GO_VERSION, TEMPORAL_CLI_VERSION } from './temporal-release.ts'
import { compareVersions } from './version.ts'

export interface BuildOptions extends ProbeOptions {
  readonly env: Environment
  /** The folder with `go.mod` that pins the CLI. */
  readonly toolsDir: string
  /** The folder that gets the binary, in one step at the end. */
  readonly into: string
  readonly progress: Progress
  /** Give up after this long. Default 45 minutes. */
  readonly buildTimeoutMs?: number
}

/** Builds the CLI with Go from `tools/temporal`: about four minutes on two cores, once. */
export async function buildTemporal(options: BuildOptions): Promise<StageResult> {
  const go = await findGo(options.env)
  if (!go.ok) return go
  if (!(await exists(join(options.toolsDir, 'go.mod')))) {
    return { ok: false, reason: `"${options.toolsDir}" has no go.mod; this installation came without it` }
  }
  const draft = join(options.into, `.build-${randomUUID()}`)
  try {
    await mkdir(options.into, { recursive: true, mode: 0o700 })
    const failure = await runBuild(go.path, draft, options)
    if (failure !== undefined) return { ok: false, reason: `"go build" failed: ${failure}` }
    return await adopt(draft, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    return { ok: false, reason: (error as Error).message }
  } finally {
    await rm(draft, { force: true })
  }
}

async function adopt(draft: string, options: BuildOptions): Promise<StageResult> {
  const probed = await probeTemporal(draft, options)
  if (!probed.ok) return { ok: false, reason: `what Go built cannot be used: ${probed.reason}` }
  const path = join(options.into, TEMPORAL_FILE)
  await rename(draft, path)
  return { ok: true, binary: { ...probed.binary, path } }
}

type Go = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string }

async function findGo(env: Environment): Promise<Go> {
  const [path] = await findOnPath(env, process.platform === 'win32' ? 'go.exe' : 'go')
  if (path === undefined) return { ok: false, reason: 'there is no "go" on PATH' }
  try {
    const { stdout } = await promisify(execFile)(path, ['version'], { timeout: 20_000, env: { ...env } })
    const version = /go version go(\S+)/.exec(stdout)?.[1] ?? ''
    if (compareVersions(version, OLDEST_GO_VERSION) >= 0) return { ok: true, path }
    return {
      ok: false,
      reason: `"${path}" is Go ${version || 'of an unknown version'}; ${OLDEST_GO_VERSION} or later is needed`,
    }
  } catch (error) {
    return { ok: false, reason: `"${path}" does not run: ${(error as Error).message.trim()}` }
  }
}

/** Runs the build, showing what it does; what it said last when it failed, undefined when it went well. */
async function runBuild(go: string, output: string, options: BuildOptions): Promise<string | undefined> {
  const { buildTimeoutMs = 45 * 60_000 } = options
  const linked = `-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${TEMPORAL_CLI_VERSION}`
  const args = ['build', '-v', '-trimpath', '-ldflags', linked, '-o', output, 'github.com/temporalio/cli/cmd/temporal']
  const child = spawn(go, args, {
    cwd: options.toolsDir,
    // A go.work above us would change what is built; any Go since 1.21 fetches the toolchain that go.mod asks for.
    env: { GOTOOLCHAIN: 'auto', ...options.env, CGO_ENABLED: '0', GOWORK: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const exited = once(child, 'exit')
  exited.catch(() => {})
  const end = (): void => killGroup(child.pid)
  const limit = setTimeout(end, buildTimeoutMs)
  options.signal?.addEventListener('abort', end, { once: true })
  try {
    const said = await follow(child.stderr, options.progress)
    const [code, signal] = (await exited) as [number | null, string | null]
    options.signal?.throwIfAborted()
    if (code === 0) return undefined
    return said.join('\n    ') || (signal === null ? `it exits with ${code}` : `it was ended by ${signal}`)
  } finally {
    clearTimeout(limit)
    options.signal?.removeEventListener('abort', end)
  }
}

/** Shows a sign of life each second; gives the last lines that are neither a package's name nor a download. */
async function follow(stderr: NodeJS.ReadableStream, progress: Progress): Promise<readonly string[]> {
  const startedAt = Date.now()
  const said: string[] = []
  let [packages, downloads] = [0, 0]
  const show = (): void => {
    const seconds = Math.round((Date.now() - startedAt) / 1_000)
    const what = packages > 0 ? `${packages} packages built` : `${downloads} modules fetched`
    progress.wait(`Building Temporal ${TEMPORAL_CLI_VERSION} with Go, about four minutes, once … ${seconds} s, ${what}`)
  }
  show()
  const timer = setInterval(show, 1_000)
  try {
    for await (const line of createInterface({ input: stderr })) {
      if (line.startsWith('go: downloading ')) downloads++
      else if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) packages++
      else if (said.push(line) > 6) said.shift()
    }
  } finally {
    clearInterval(timer)
  }
  return said
}

/** Ends the compiler and linker with the `go` that started them. */
function killGroup(pid: number | undefined): void {
  if (pid !== undefined) sendSignal(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

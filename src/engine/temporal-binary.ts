import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { OLDEST_SERVER_VERSION } from './temporal-release.ts'
import { compareVersions } from './version.ts'

/** A Temporal CLI that runs on this machine, with the versions that it told. */
export interface TemporalBinary {
  readonly path: string
  readonly cliVersion: string
  readonly serverVersion: string
}

/** What one place gave where a binary may be: the binary, or why there is none, in words that follow the place's name. */
export type StageResult =
  | { readonly ok: true; readonly binary: TemporalBinary }
  | { readonly ok: false; readonly reason: string }

export interface ProbeOptions {
  /** A cold start from a slow disk takes seconds; a hanging one must end. Default 20,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Names why this server version cannot be used here, e.g. because of the database file; undefined: it can. */
  readonly accepts?: (serverVersion: string) => string | undefined
}

/** Runs `<path> --version` and tells whether this is a Temporal CLI whose embedded server we can use. */
export async function probeTemporal(path: string, options: ProbeOptions = {}): Promise<StageResult> {
  const answer = await runVersion(path, options)
  options.signal?.throwIfAborted()
  if (!answer.ok) return answer
  const match = /temporal version (\S+) \(server v?([\d.]+\S*?)[,)]/i.exec(answer.text)
  const [, cliVersion, serverVersion] = match ?? []
  if (cliVersion === undefined || serverVersion === undefined) {
    return { ok: false, reason: `"${path}" is no Temporal CLI: --version says "${firstLine(answer.text)}"` }
  }
  const refusal = tooOld(serverVersion) ?? options.accepts?.(serverVersion)
  if (refusal !== undefined) return { ok: false, reason: `"${path}" has server ${serverVersion}: ${refusal}` }
  return { ok: true, binary: { path, cliVersion, serverVersion } }
}

const tooOld = (serverVersion: string): string | undefined =>
  compareVersions(serverVersion, OLDEST_SERVER_VERSION) < 0 ? `${OLDEST_SERVER_VERSION} or later is needed` : undefined

type Answer = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

async function runVersion(path: string, { timeoutMs = 20_000, signal }: ProbeOptions): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const result = await execVersion(path, timeoutMs, signal)
    // ETXTBSY: a process that was forked while the file was written still holds it open for an instant.
    if (result.error?.code !== 'ETXTBSY' || attempt === 20) return toAnswer(path, result, timeoutMs)
    await sleep(50)
  }
}

interface ExecResult {
  readonly error: (Omit<NodeJS.ErrnoException, 'code'> & { code?: unknown; killed?: boolean; signal?: unknown }) | null
  readonly stdout: string
  readonly stderr: string
}

function execVersion(path: string, timeout: number, signal: AbortSignal | undefined): Promise<ExecResult> {
  return new Promise((resolve) => {
    const options = { timeout, killSignal: 'SIGKILL', windowsHide: true, ...(signal && { signal }) } as const
    execFile(path, ['--version'], options, (error, stdout, stderr) => resolve({ error, stdout, stderr }))
  })
}

function toAnswer(path: string, { error, stdout, stderr }: ExecResult, timeoutMs: number): Answer {
  if (error === null) return { ok: true, text: stdout }
  return { ok: false, reason: `"${path}" does not run: ${describe(error, stderr, timeoutMs)}` }
}

function describe(error: NonNullable<ExecResult['error']>, stderr: string, timeoutMs: number): string {
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'it is not an executable file'
    case 'ENOEXEC':
      return 'it is damaged or made for another kind of machine'
  }
  if (error.killed === true) return `--version gave no answer within ${timeoutMs / 1_000} s`
  if (typeof error.signal === 'string') return `--version ended by ${error.signal}; the file may be damaged`
  const said = firstLine(stderr)
  if (typeof error.code === 'number') return `--version exits with ${error.code}${said === '' ? '' : ` (${said})`}`
  return error.message
}

const firstLine = (text: string): string => text.trim().split('\n')[0]?.slice(0, 200) ?? ''

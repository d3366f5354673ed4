import { spawn } from 'node:child_process'
import type { Json } from '../core/definition.ts'

// fact-sources.ts: asks the commands and URLs of the config's facts. Both answer in time or not at all.

/** Longest answer that is taken, in bytes. */
const MAX_BYTES = 64 * 1024

export interface Asked {
  readonly timeoutMs: number
}

export interface CommandAnswer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 200) ?? ''

/** The end of an error message of a command: how it ended, and the last thing that it said. */
export const howItEnded = ({ exitCode, stderr }: CommandAnswer): string => {
  const said = lastLine(stderr)
  return `its command exited with ${exitCode}${said === '' ? '' : `: ${said}`}`
}

const endGroup = (pid: number | undefined): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

/**
 * Runs a command of the config in bash, in its own process group. It gets the engine's environment without the engine's
 * own `SOP_*` names: whoever writes the config may use the host's credentials.
 *
 * @throws when it cannot be started, does not end in time, is killed, or says more than 64 KiB
 */
export const runCommand = (
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  { timeoutMs, cwd }: Asked & { readonly cwd?: string },
): Promise<CommandAnswer> =>
  new Promise((resolve, reject) => {
    const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SOP_')))
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', command], {
      detached: true,
      env: own,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    const said = { stdout: '', stderr: '' }
    let failure: string | undefined
    const fail = (reason: string) => {
      failure ??= reason
      endGroup(child.pid)
      // A process that left the group may hold the pipes open; it is not waited for.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const timer = setTimeout(() => fail(`its command did not end within ${timeoutMs / 1_000} s`), timeoutMs)
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (chunk: string) => {
        if (stream === 'stdout' && said.stdout.length + chunk.length > MAX_BYTES)
          fail(`its command says more than ${MAX_BYTES} bytes`)
        else said[stream] = (said[stream] + chunk).slice(-MAX_BYTES)
      })
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(new Error(`its command cannot be started: ${error.message}`))
    })
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer)
      endGroup(child.pid)
      if (failure !== undefined) reject(new Error(failure))
      else if (exitCode === null) reject(new Error(`its command was ended by ${signal}`))
      else resolve({ exitCode, ...said })
    })
  })

export interface UrlAnswer {
  readonly status: number
  readonly body: string
}

/** GETs a URL. @throws when it does not answer in time, or with more than 64 KiB */
export const askUrl = async (url: string, { timeoutMs }: Asked): Promise<UrlAnswer> => {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json, text/plain, */*' },
    })
    return { status: response.status, body: await readBody(response) }
  } catch (error) {
    throw new Error(reasonOf(error, timeoutMs), { cause: error })
  }
}

const readBody = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > MAX_BYTES) throw new Error(`its URL answers with more than ${MAX_BYTES} bytes`)
  }
  return text + decoder.decode()
}

const reasonOf = (error: unknown, timeoutMs: number): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `its URL did not answer within ${timeoutMs / 1_000} s`
  const cause = (error as { cause?: { code?: unknown; message?: unknown } }).cause
  if (error.message.startsWith('its URL')) return error.message
  return `its URL cannot be reached: ${String(cause?.code ?? cause?.message ?? error.message)}`
}

/**
 * An answer as a value: JSON where it is JSON, else the text without the space around it. A number stays text unless it
 * is written as JSON would write it: `1.10` is a version.
 */
export const valueOf = (answer: string): Json => {
  const text = answer.trim()
  try {
    const value = JSON.parse(text) as Json
    return typeof value === 'number' && String(value) !== text ? text : value
  } catch {
    return text
  }
}

import type { FactSource, MaintenanceWindow } from '../core/fact-source.ts'
import { spawn } from 'node:child_process'
import { Cron } from 'croner'
import type { ResolveFact } from '../activities/deps.ts'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { nextAt, wallTime, weekdayIn } from '../core/local-time.ts'
import { didYouMean } from '../core/nearest.ts'

/** What facts need of the config. */
export interface FactsConfig {
  /** IANA zone of windows and of SOPs that set none. */
  readonly timezone: string
  readonly maintenanceWindows: readonly MaintenanceWindow[]
  /** Who answers `on_call_available`. */
  readonly onCall?: FactSource
  readonly facts: Readonly<Record<string, FactSource>>
  /** Environment variables that conditions may read as `env.NAME`. */
  readonly envInConditions: readonly string[]
  /** Where commands run. */
  readonly workdir?: string
}

export interface FactsOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Time for a command or a URL. Default 10 s. */
  readonly timeoutMs?: number
}

interface Asking {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
  readonly cwd?: string
}

/** Longest answer that is taken, in bytes. */
const MAX_BYTES = 64 * 1024

interface CommandAnswer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 200) ?? ''

/** The end of an error message of a command: how it ended, and the last thing that it said. */
const howItEnded = ({ exitCode, stderr }: CommandAnswer): string => {
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
const runCommand = (command: string, { environment, timeoutMs, cwd }: Asking): Promise<CommandAnswer> =>
  new Promise((resolve, reject) => {
    const own = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('SOP_')))
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
    // What the command left running would hold its pipes open.
    child.on('exit', () => endGroup(child.pid))
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer)
      if (failure !== undefined) reject(new Error(failure))
      else if (exitCode === null) reject(new Error(`its command was ended by ${signal}`))
      else resolve({ exitCode, ...said })
    })
  })

interface UrlAnswer {
  readonly status: number
  readonly body: string
}

/** GETs a URL. @throws when it does not answer in time, or with more than 64 KiB */
const askUrl = async (url: string, { timeoutMs }: Asking): Promise<UrlAnswer> => {
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
  if (error.message.startsWith('its URL')) return error.message
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  return `its URL cannot be reached: ${code ?? (cause instanceof Error ? cause.message : error.message)}`
}

/**
 * An answer as a value: JSON where it is JSON, else the text without the space around it. A number stays text unless it
 * is written as JSON would write it: `1.10` is a version.
 */
const valueOf = (answer: string): Json => {
  const text = answer.trim()
  try {
    const value = JSON.parse(text) as Json
    return typeof value === 'number' && String(value) !== text ? text : value
  } catch {
    return text
  }
}

const OPENS_AT = 9
const CLOSES_AT = 18
const BUILT_INS = ['business_hours', 'weekday', 'maintenance_window', 'on_call_available']

/** 09:00 to 18:00, the end excluded, on every day of the week (rulings 16). */
const isBusinessHours = (now: Date, timezone: string): boolean => {
  const { hour } = wallTime(now, timezone)
  return hour >= OPENS_AT && hour < CLOSES_AT
}

const isWeekday = (now: Date, timezone: string): boolean => {
  const day = weekdayIn(now, timezone)
  return day >= 1 && day <= 5
}

/** Open from each fire of the cron, itself included, until the duration is over. */
const isOpen = (window: MaintenanceWindow, now: Date, timezone: string): boolean => {
  const cron = new Cron(window.cron, { timezone: window.timezone ?? timezone, paused: true })
  const opened = cron.nextRun(new Date(now.getTime() - window.durationMs))
  return opened !== null && opened.getTime() <= now.getTime()
}

/** Statuses that say "no". Others beside 2xx say that the question was not understood, or not now. */
const SAYS_NO = [404, 410]

const isAvailable = async (source: FactSource, asked: Asking): Promise<boolean> => {
  if (source.url !== undefined) {
    const { status, body } = await askUrl(source.url, asked)
    if (status >= 200 && status < 300) return valueOf(body) !== false
    if (SAYS_NO.includes(status)) return false
    throw new Error(`its URL answers ${status}`)
  }
  if (source.command !== undefined) {
    const answer = await runCommand(source.command, asked)
    // 126 and 127 are the shell's own: the command could not be asked at all.
    if (answer.exitCode >= 126) throw new Error(howItEnded(answer))
    return answer.exitCode === 0 && valueOf(answer.stdout) !== false
  }
  const word = environmentValue(source.env ?? '', asked)
    .trim()
    .toLowerCase()
  return !['', '0', 'false', 'no', 'off'].includes(word)
}

const environmentValue = (name: string, { environment }: Asking): string => {
  const value = environment[name]
  if (value === undefined) throw new Error(`its environment variable ${name} is not set`)
  return value
}

const askSource = async (source: FactSource, asked: Asking): Promise<Json> => {
  if (source.url !== undefined) {
    const { status, body } = await askUrl(source.url, asked)
    if (status < 200 || status >= 300) throw new Error(`its URL answers ${status}`)
    return valueOf(body)
  }
  if (source.command !== undefined) {
    const answer = await runCommand(source.command, asked)
    if (answer.exitCode !== 0) throw new Error(howItEnded(answer))
    return valueOf(answer.stdout)
  }
  return valueOf(environmentValue(source.env ?? '', asked))
}

const refuse = (
  code: 'invalid' | 'not_found' | 'unavailable',
  name: string,
  reason: string,
  cause?: unknown,
): SopError => new SopError(code, `Cannot find out "${name}": ${reason}`, {}, cause)

const untilTime = (name: string, now: Date, timezone: string): string => {
  const [, hour, minute] = /^until:([01]?\d|2[0-3]):([0-5]\d)$/.exec(name) ?? []
  if (hour === undefined) throw refuse('invalid', name, 'a time of day is written HH:MM, from 00:00 to 23:59')
  return nextAt(now, Number(hour), Number(minute), timezone).toISOString()
}

/**
 * Finds out facts: built-ins, those of the config, `env.<NAME>` where the config allows it, and `until:<HH:MM>`, the next
 * instant (ISO-8601) at which clocks in the zone show that time. The zone is the SOP's, else the config's.
 *
 * Throws SopError `not_found` for a name that nobody knows, `invalid` for an impossible question, `unavailable` when
 * whoever knows the answer did not give it.
 */
export const createFacts = (config: FactsConfig, clock: () => Date, options: FactsOptions): ResolveFact => {
  const { environment, timeoutMs = 10_000 } = options
  const asked: Asking = { environment, timeoutMs, ...(config.workdir === undefined ? {} : { cwd: config.workdir }) }

  const builtIn = async (name: string, timezone: string): Promise<Json> => {
    const now = clock()
    if (name === 'business_hours') return isBusinessHours(now, timezone)
    if (name === 'weekday') return isWeekday(now, timezone)
    if (name === 'maintenance_window')
      return config.maintenanceWindows.some((window) => isOpen(window, now, config.timezone))
    if (config.onCall === undefined)
      throw new Error('the config does not say whom to ask ([on_call] with url or command)')
    return isAvailable(config.onCall, asked)
  }

  const environmentFact = (name: string): Json => {
    const variable = name.slice('env.'.length)
    if (!config.envInConditions.includes(variable))
      throw refuse('invalid', name, `the config does not allow it. Add "${variable}" to env_in_conditions`)
    return environment[variable] ?? null
  }

  const answer = async (name: string, timezone: string): Promise<Json> => {
    if (name.startsWith('until:')) return untilTime(name, clock(), timezone)
    if (name.startsWith('env.')) return environmentFact(name)
    if (BUILT_INS.includes(name)) return builtIn(name, timezone)
    const source = Object.hasOwn(config.facts, name) ? config.facts[name] : undefined
    if (source !== undefined) return askSource(source, asked)
    const known = [...BUILT_INS, ...Object.keys(config.facts)]
    throw refuse(
      'not_found',
      name,
      `there is no such fact. ${didYouMean(name, known) ?? `There are ${known.join(', ')}`}`,
    )
  }

  return async (name, sopTimezone) => {
    try {
      return await answer(name, sopTimezone ?? config.timezone)
    } catch (error) {
      if (error instanceof SopError) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw refuse(error instanceof RangeError ? 'invalid' : 'unavailable', name, reason, error)
    }
  }
}

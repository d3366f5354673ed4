import { Cron } from 'croner'
import type { ResolveFact } from '../activities/deps.ts'
import type { Config, FactSource, MaintenanceWindow } from '../config.ts'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { askUrl, howItEnded, runCommand, valueOf } from './fact-sources.ts'
import { nextAt, wallTime, weekdayIn } from './local-time.ts'

/** What facts need of the config. */
export type FactsConfig = Pick<Config, 'timezone' | 'maintenanceWindows' | 'onCall' | 'facts' | 'envInConditions'> & {
  /** Where commands run. */
  readonly workdir?: string
}

export interface FactsOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Time for a command or a URL. Default 10 s. */
  readonly timeoutMs?: number
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
    const answer = await runCommand(source.command, asked.environment, asked)
    // 126 and 127 are the shell's own: the command could not be asked at all.
    if (answer.exitCode >= 126) throw new Error(howItEnded(answer))
    return answer.exitCode === 0 && valueOf(answer.stdout) !== false
  }
  const value = valueOf(environmentValue(source.env ?? '', asked))
  return value !== false && !['', '0', 'no', 'off'].includes(String(value).toLowerCase())
}

interface Asking {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
  readonly cwd?: string
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
    const answer = await runCommand(source.command, asked.environment, asked)
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

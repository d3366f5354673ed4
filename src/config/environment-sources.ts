import { join } from 'node:path'
import { didYouMean } from '../core/nearest.ts'
import type { MergedEnvironment } from './environment.ts'
import { DURATION_SUFFIXES, SETTINGS, withUnit } from './settings.ts'
import { type Candidate, type ConfigProblem, NO_SOURCE, type Source } from './source.ts'

/** The environment, `.env` included. */
export function environmentSource(env: MergedEnvironment, cwd: string): Source {
  const candidates = SETTINGS.flatMap((setting): readonly Candidate[] => {
    const name = setting.info.env
    if (name === undefined) return []
    const suffixes = setting.info.duration === true ? Object.entries(DURATION_SUFFIXES) : []
    const spellings: readonly (readonly [string, string?])[] = [
      ...suffixes.map(([suffix, unit]) => [`${name}${suffix.toUpperCase()}`, unit] as const),
      [name],
    ]
    return spellings.flatMap(([spelling, unit]) => {
      const value = env.values[spelling]
      return value === undefined
        ? []
        : [{ setting, value: withUnit(value, unit), origin: env.originOf(spelling), base: cwd }]
    })
  })
  return { candidates, problems: misspelledVariables(env) }
}

/** Variables of shell steps, which a command that a step runs sees too (rulings 20). */
const STEP_VARIABLES = /^SOP_(?:PARAM_|TRIGGER_|RUN_ID$|RUN_DIR$|STEP$|OUTPUT$)/

function misspelledVariables(env: MergedEnvironment): readonly ConfigProblem[] {
  const known = SETTINGS.flatMap(({ info }) => (info.env === undefined ? [] : [info.env]))
  return Object.keys(env.values).flatMap((name): readonly ConfigProblem[] => {
    if (!name.startsWith('SOP_') || name === 'SOP_CONFIG' || STEP_VARIABLES.test(name) || isKnown(name, known))
      return []
    const help = didYouMean(name, known)
    if (help === undefined) return []
    const origin = env.originOf(name)
    return [
      {
        severity: 'warning',
        origin,
        message: `"${name}" sets nothing (${origin})`,
        help,
      },
    ]
  })
}

const isKnown = (name: string, known: readonly string[]): boolean =>
  known.includes(name) ||
  Object.keys(DURATION_SUFFIXES).some(
    (suffix) => known.includes(name.slice(0, -suffix.length)) && name.endsWith(suffix.toUpperCase()),
  )

/** `DATA_DIR` is the parent of seed 004's folders where they have no variable of their own (rulings 35). */
export function dataDirSource(env: MergedEnvironment, cwd: string): Source {
  const parent = env.values['DATA_DIR']
  if (parent === undefined) return NO_SOURCE
  const folders = { stateDir: 'sop-state', auditDir: 'sop-audit' }
  const candidates = SETTINGS.flatMap((setting): readonly Candidate[] => {
    const folder = folders[setting.key as keyof typeof folders]
    return folder === undefined
      ? []
      : [{ setting, value: join(parent, folder), origin: env.originOf('DATA_DIR'), base: cwd }]
  })
  return { candidates, problems: [] }
}

/** Flags of a command, by key. What is undefined was not given. */
export function overrideSource(overrides: Readonly<Record<string, unknown>>, cwd: string): Source {
  const candidates = Object.entries(overrides).flatMap(([key, value]): readonly Candidate[] => {
    const setting = SETTINGS.find((known) => known.key === key)
    if (setting === undefined) throw new RangeError(`Cannot override setting "${key}": there is no such setting`)
    return value === undefined ? [] : [{ setting, value, origin: 'option', base: cwd }]
  })
  return { candidates, problems: [] }
}

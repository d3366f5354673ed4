import { resolve } from 'node:path'
import { SETTINGS, type Setting } from './settings.ts'
import type { Candidate, ConfigProblem } from './source.ts'

/** Every setting's value as written (paths absolute), and where it came from. */
export interface Resolved {
  readonly values: ReadonlyMap<string, unknown>
  readonly origins: Readonly<Record<string, string>>
  readonly problems: readonly ConfigProblem[]
}

/** What depends on the machine rather than on any source. */
export interface Host {
  readonly cwd: string
  readonly home: string | undefined
  readonly timezone: string
}

/** Picks each setting's strongest candidate that is valid. `candidates` go from the weakest source to the strongest. */
export function resolveSettings(candidates: readonly Candidate[], host: Host): Resolved {
  const values = new Map<string, unknown>()
  const origins: Record<string, string> = {}
  const problems: ConfigProblem[] = []
  for (const setting of SETTINGS) {
    const standard = setting.key === 'timezone' ? host.timezone : setting.info.default
    if (standard !== undefined) values.set(setting.key, absolute(setting, standard, host.cwd, host.home))
    origins[setting.key] = 'default'
  }
  for (const { setting, value, origin, base } of candidates) {
    const full = absolute(setting, value, base, host.home)
    const parsed = setting.schema.safeParse(full)
    if (parsed.success) {
      values.set(setting.key, full)
      origins[setting.key] = origin
    } else problems.push(invalidValue(setting, value, origin, parsed.error.issues))
  }
  return { values, origins, problems }
}

function absolute({ info }: Setting, value: unknown, base: string, home: string | undefined): unknown {
  const make = (path: unknown): unknown => {
    if (typeof path !== 'string' || path.trim() === '') return path
    return home !== undefined && /^~(?=\/|$)/.test(path) ? resolve(home, path.slice(2)) : resolve(base, path.trim())
  }
  if (info.path === true) return make(value)
  if (info.pathTable !== true || typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, path]) => [name, make(path)]))
}

type Issues = readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]

function invalidValue(setting: Setting, value: unknown, origin: string, issues: Issues): ConfigProblem {
  const inner = issues[0]?.path.map(String).join('.') ?? ''
  const key = inner === '' ? setting.fileKey : `${setting.fileKey}.${inner}`
  const got = setting.info.secret === true ? 'something else' : shorten(JSON.stringify(value) ?? 'nothing')
  return {
    severity: 'error',
    origin,
    message: `Cannot read setting "${key}": expected ${setting.info.expected}, got ${got} (${origin})`,
  }
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text)

/** The flat values as the nested object that the schema reads. */
export function nest(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const [key, value] of values) {
    const [table, name] = key.split('.', 2)
    if (table === undefined) continue
    if (name === undefined) root[table] = value
    else root[table] = { ...(root[table] as object | undefined), [name]: value }
  }
  return root
}

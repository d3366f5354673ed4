import { APPROVAL_SETTINGS, GATE_SETTINGS } from './settings/gate.ts'
import { PARAM_SETTINGS, TABLE_SETTINGS } from './settings/value.ts'
import { SOP_SETTINGS } from './settings/sop.ts'
import { STEP_SETTINGS, EXECUTION_SETTINGS, ACTION_SETTINGS, MANUAL_SETTINGS } from './settings/step.ts'
import { TRIGGER_SETTINGS } from './settings/trigger.ts'
import { SCOPES, type Scope, type Setting } from './settings/setting.ts'

// settings.ts: every setting of SOP files, once: key, type, default and spellings. The compiler reads by this table, and
// docs/sop-format.md shows it; a test compares the two.
//
// A key is found in any of its spellings: snake_case, camelCase, kebab-case, words with spaces, any case; a duration also
// with a unit behind it (`timeout_secs`, `approvalTimeoutMins`, `jitter_ms`).

export { MODE_SYNONYMS, SCOPES, SETTING_TYPES, type Scope, type Setting, type SettingType } from './settings/setting.ts'

export const SETTINGS = [
  ...SOP_SETTINGS,
  ...STEP_SETTINGS,
  ...APPROVAL_SETTINGS,
  ...EXECUTION_SETTINGS,
  ...ACTION_SETTINGS,
  ...MANUAL_SETTINGS,
  ...GATE_SETTINGS,
  ...TRIGGER_SETTINGS,
  ...PARAM_SETTINGS,
  ...TABLE_SETTINGS,
] as const satisfies readonly Setting[]

export type SettingKey = (typeof SETTINGS)[number]['key']

/** `approvalTimeoutMins`, `Approval Timeout Mins` and `approval-timeout-mins` are all `approval_timeout_mins`. */
export const normalizeKey = (text: string): string => {
  if (NORMAL.test(text)) return text
  const known = normalized.get(text)
  if (known !== undefined) return known
  const key = normalize(text)
  if (normalized.size < MAX_NORMALIZED && text.length < 64) normalized.set(text, key)
  return key
}

/** What `normalize` leaves as it is: most keys of most documents. */
const NORMAL = /^[a-z0-9_]*$/

// Every document writes the same few keys. Bounded, since any text may come along as a key.
const MAX_NORMALIZED = 2_000
const normalized = new Map<string, string>()

const normalize = (text: string): string =>
  text
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase()

const UNIT = /_(ms|millis|milliseconds|s|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?)$/

export interface FoundSetting {
  readonly setting: Setting
  /** The unit that the spelling names, e.g. `mins`. */
  readonly unit?: string
}

const index = new Map<string, Setting>()
for (const setting of SETTINGS as readonly Setting[]) {
  for (const scope of setting.scopes) {
    for (const name of [setting.key, ...(setting.also ?? [])]) {
      const key = `${scope} ${name}`
      // A key's own name beats another key's synonym.
      if (!index.has(key) || name === setting.key) index.set(key, setting)
    }
  }
}

/** The setting that a spelling means in a scope, or undefined. */
export const findSetting = (scope: Scope, spelling: string): FoundSetting | undefined => {
  const key = normalizeKey(spelling)
  const exact = index.get(`${scope} ${key}`)
  if (exact !== undefined) return { setting: exact }
  const unit = UNIT.exec(key)?.[1]
  if (unit === undefined) return undefined
  const setting = index.get(`${scope} ${key.slice(0, -unit.length - 1)}`)
  return setting?.type === 'duration' ? { setting, unit } : undefined
}

/** All names that a scope knows, in snake_case: what a misspelt key may have meant. */
export const spellingsOf = (scope: Scope): readonly string[] => spellings.get(scope) ?? []

const spellings = new Map<Scope, readonly string[]>(
  SCOPES.map((scope) => {
    const keys = [...index.keys()].filter((key) => key.startsWith(`${scope} `))
    return [scope, keys.map((key) => key.slice(scope.length + 1))]
  }),
)

// setting.ts: what one setting of an SOP file is, and the words that settings share.

export const SCOPES = [
  'sop',
  'step',
  'gate',
  'trigger',
  'param',
  'conditions',
  'notifications',
  'http',
  'hint',
] as const
export type Scope = (typeof SCOPES)[number]

/** What a setting takes, with the words in which a message and the docs name it. */
export const SETTING_TYPES = {
  text: 'a text',
  name: 'a name of letters, digits, ".", "_" and "-"',
  boolean: 'true or false (in Markdown also yes and no)',
  integer: 'a whole number',
  duration: 'a duration such as "90s", "5 minutes" or "1h30m", or "none"',
  word: 'one of its words',
  list: 'a list of texts (in Markdown separated by commas)',
  map: 'a table of names and values',
  json: 'a value, list or table',
  condition: 'a condition such as "tests_pass" or "severity >= \'high\'"',
  commands: 'a command, or a list of commands',
  steps: 'numbers, slugs or titles of steps',
  failure: 'pause, fail, continue, rollback, retry:N or goto:N',
  quorum: 'a number, or a number per group as in { dba = 1, sre = 2 }',
  wait: 'a duration such as "10m", a time such as "18:00", or an instant such as "2026-03-01T09:00:00Z"',
  http: 'a URL with an optional method, as in "GET https://example.com/health", or a table',
  each: 'a list, or the name of a value that holds one',
  pool: 'a pool of workers, with labels as in "dba[eu]" or ["dba", "eu"]',
  fields: 'a table of typed values, as in { version = { type = "string", required = true } }',
  table: 'a table',
  tables: 'a list of tables',
} as const
export type SettingType = keyof typeof SETTING_TYPES

export interface Setting {
  readonly key: string
  readonly scopes: readonly Scope[]
  readonly type: SettingType
  /** Other names of the key, in snake_case. */
  readonly also?: readonly string[]
  /** For `word`: what it takes, and what else means the same. */
  readonly words?: readonly string[]
  readonly synonyms?: Readonly<Record<string, string>>
  /** For `integer`. */
  readonly least?: number
  readonly most?: number
  /** For `duration`: whether zero means something. */
  readonly zero?: boolean
  /** For settings of triggers: the types that know it. */
  readonly triggers?: readonly string[]
  /** As the docs say it; absent: nothing happens without the setting. */
  readonly default?: string
  readonly doc: string
}

export const MODE_SYNONYMS = {
  automatic: 'auto',
  autonomous: 'auto',
  manual: 'step_by_step',
  stepwise: 'step_by_step',
  priority: 'priority_based',
  // ZeroClaw: no model decides, so nothing but checkpoints stops it (rulings 10).
  deterministic: 'auto',
} as const
export const PRIORITY_SYNONYMS = { medium: 'normal', default: 'normal', urgent: 'critical' } as const
export const PARAM_TYPE_SYNONYMS = {
  text: 'string',
  str: 'string',
  int: 'number',
  integer: 'number',
  float: 'number',
  bool: 'boolean',
  enum: 'choice',
  select: 'choice',
} as const
export const ADMISSION_SYNONYMS = { hold: 'queue', parallel: 'queue', drop: 'reject' } as const
export const TIMEOUT_SYNONYMS = { auto_approve: 'approve', cancel: 'fail', deny: 'reject' } as const
export const OVERLAPS = ['allow_all', 'skip', 'buffer_one', 'buffer_all', 'cancel_other', 'terminate_other'] as const

export const SOP: readonly Scope[] = ['sop']
export const STEP: readonly Scope[] = ['step']
export const GATE: readonly Scope[] = ['gate']
export const TRIGGER: readonly Scope[] = ['trigger']
export const ASKING: readonly Scope[] = ['step', 'gate']

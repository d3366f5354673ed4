import { PARAM_TYPES } from '../definition.ts'
import { PARAM_TYPE_SYNONYMS, type Setting } from './setting.ts'

// value.ts: settings of params and form fields, and of the small tables.

/** Params and form fields. */
export const PARAM_SETTINGS = [
  {
    key: 'type',
    scopes: ['param'],
    type: 'word',
    words: PARAM_TYPES,
    synonyms: PARAM_TYPE_SYNONYMS,
    default: 'string',
    doc: 'What it takes',
  },
  { key: 'default', scopes: ['param'], type: 'json', also: ['value'], doc: 'What it is when nobody gives it' },
  {
    key: 'choices',
    scopes: ['param'],
    type: 'list',
    also: ['options', 'values', 'enum', 'choice'],
    doc: 'For choice: what can be chosen',
  },
  {
    key: 'pattern',
    scopes: ['param'],
    type: 'text',
    also: ['regex', 'match'],
    doc: 'An RE2 expression that the whole text must match',
  },
  {
    key: 'secret',
    scopes: ['param'],
    type: 'boolean',
    also: ['sensitive'],
    default: 'false',
    doc: 'Never shown, never recorded',
  },
] as const satisfies readonly Setting[]

/** Conditions, notifications, hints. */
export const TABLE_SETTINGS = [
  { key: 'requires', scopes: ['conditions'], type: 'list', also: ['require', 'all'], doc: 'All of these must hold' },
  { key: 'expression', scopes: ['conditions'], type: 'condition', also: ['if', 'when', 'expr'], doc: 'This must hold' },
  {
    key: 'on_approval_required',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a gate opens',
  },
  {
    key: 'on_step_completed',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a step is done',
  },
  {
    key: 'on_run_completed',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a run is done',
  },
  {
    key: 'on_run_failed',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a run failed',
  },
  {
    key: 'channel',
    scopes: ['notifications'],
    type: 'text',
    also: ['channels', 'to'],
    default: 'config `SOP_APPROVAL_CHANNEL`',
    doc: 'Where to: slack:#x or telegram:<chat>',
  },
  { key: 'key', scopes: ['hint'], type: 'text', doc: 'The setting' },
  { key: 'value', scopes: ['hint'], type: 'json', doc: 'Its value' },
  { key: 'step', scopes: ['hint'], type: 'integer', least: 1, doc: 'The step it stands at' },
] as const satisfies readonly Setting[]

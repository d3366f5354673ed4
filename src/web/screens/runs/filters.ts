import type { Priority, TriggerType } from '../../../core/definition.ts'
import type { RunState } from '../../../core/run/state.ts'

// filters.ts: what a list of runs is narrowed to. The address of the page says it in the words of the API, so that an address is
// a saved filter; what the words mean, the engine decides.

/** The keys that narrow, each with its text as the API reads it. */
const FILTER_KEYS = ['q', 'sop', 'state', 'priority', 'trigger', 'waiting', 'from', 'to'] as const
export type FilterKey = (typeof FILTER_KEYS)[number]
export type Filters = Readonly<Partial<Record<FilterKey, string>>>

/** The filters of an address; other keys are left out. */
export const readFilters = (search: URLSearchParams): Filters => {
  const filters: Partial<Record<FilterKey, string>> = {}
  for (const key of FILTER_KEYS) {
    const text = search.get(key)?.trim() ?? ''
    if (text !== '') filters[key] = text
  }
  return filters
}

/** The address of filters: `''`, or `?…` with its keys always in one order. */
export const addressOf = (filters: Filters): string => {
  const search = new URLSearchParams()
  for (const key of FILTER_KEYS) {
    const text = filters[key]
    if (text !== undefined && text !== '') search.set(key, text)
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** The values of a key that takes several. */
export const valuesOf = (filters: Filters, key: FilterKey): readonly string[] =>
  (filters[key] ?? '').split(',').filter(Boolean)

const STATES: Readonly<Record<RunState, string>> = {
  pending: 'Pending',
  waiting_approval: 'Waiting for approval to begin',
  running: 'Running',
  awaiting_approval: 'Awaiting approval',
  paused: 'Paused',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
}
const PRIORITIES: Readonly<Record<Priority, string>> = {
  critical: 'Critical',
  high: 'High',
  normal: 'Normal',
  low: 'Low',
}
const TRIGGERS: Readonly<Record<TriggerType, string>> = {
  manual: 'By hand',
  cron: 'Schedule',
  webhook: 'Webhook',
  file_watch: 'File',
  command: 'Command',
  event: 'Event',
  mqtt: 'MQTT',
  amqp: 'AMQP',
  sop: 'Another SOP',
}

/** Each value of a key with its name. */
export const CHOICES = {
  state: Object.entries(STATES),
  priority: Object.entries(PRIORITIES),
  trigger: Object.entries(TRIGGERS),
} as const

/** What began a run, in words. */
export const triggerName = (trigger: string): string =>
  (TRIGGERS as Readonly<Record<string, string>>)[trigger] ?? trigger

export interface NamedFilter {
  readonly name: string
  /** As `addressOf` gives it. */
  readonly address: string
}

/** Filters that everybody has. */
export const VIEWS: readonly NamedFilter[] = [
  { name: 'All', address: '' },
  { name: 'Open', address: addressOf({ state: 'open' }) },
  { name: 'Needs a person', address: addressOf({ waiting: 'true' }) },
  { name: 'Paused', address: addressOf({ state: 'paused' }) },
  { name: 'Failed, 7 days', address: addressOf({ state: 'failed', from: '7d' }) },
]

/** Spans of time that the list offers, as the API reads them. */
export const SPANS: readonly (readonly [span: string, name: string])[] = [
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
  ['90d', 'Last 90 days'],
]

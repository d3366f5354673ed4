import { METRIC_DAYS } from '../core/metrics/report.ts'
import type { CommandSpec } from './command.ts'

/** Verbs about what runs came to. */
export const METRICS_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'metrics',
    summary: 'how runs ended, how long they took, and how long they waited for whom',
    details:
      'Counted from the record; dry runs and simulations are none. WORK is the time of completed runs without that in which they only waited ' +
      'for people or for a slot, TOTAL is all of it. p50 is what half of them did not exceed, p95 what 95 of 100 did not; both are off by 2.5 % at ' +
      'most. Days are UTC days. With an SOP: by step, and who was waited for.',
    args: [{ name: '[sop]', summary: 'only this SOP, step by step', completes: 'sop' }],
    options: [
      { flags: '--days <days>', summary: 'how many days up to today (default: 30)', choices: METRIC_DAYS.map(String) },
    ],
    examples: ['sop metrics', 'sop metrics deploy-production --days 90', 'sop metrics --days 7 --json'],
    load: async () => (await import('./verbs/metrics.ts')).metrics,
  },
]

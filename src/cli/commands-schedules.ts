import type { CommandSpec } from './command.ts'

/** Verbs about what begins runs by itself. */
export const SCHEDULE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'schedules',
    summary: 'cron triggers: when they fire next, what they started; pause, resume, trigger, backfill',
    details:
      'Without an action it lists them. With --between it shows what would be started in that time, and what not and why; nothing is started. ' +
      'Times: 2026-12-24, "2026-12-24 18:00" (of this machine), 2026-12-24T17:00:00Z, now; the second one also as a length of time, as 7d.',
    args: [
      {
        name: '[action]',
        summary: 'pause, resume, trigger (fire now) or backfill (fire at the times of --between)',
        choices: ['pause', 'resume', 'trigger', 'backfill'],
      },
      { name: '[schedule]', summary: 'its id, or an SOP that has only one', completes: 'schedule' },
    ],
    options: [
      { flags: '--between <times...>', summary: 'from when to when' },
      { flags: '--sop <sop>', summary: 'only the schedules of this SOP', completes: 'sop' },
      { flags: '-c, --comment <text>', summary: 'why it is paused' },
    ],
    examples: [
      'sop schedules',
      'sop schedules --between now 7d',
      'sop schedules pause nightly-backup --comment "Change freeze until Monday"',
      'sop schedules resume nightly-backup',
      'sop schedules trigger nightly-backup',
      'sop schedules backfill nightly-backup --between 2026-11-20 2026-11-22',
    ],
    load: async () => (await import('./verbs/schedules.ts')).schedules,
  },
]

/** How a schedule stands. `missing`: not made yet, or Temporal refused it. */
export const SCHEDULE_STATES = ['active', 'paused', 'missing'] as const
export type ScheduleState = (typeof SCHEDULE_STATES)[number]

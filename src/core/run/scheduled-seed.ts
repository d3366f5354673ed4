import type { Json } from '../definition.ts'
import { checkParams } from '../params.ts'
import { nominalTime, sealedSchedule, type StartedBySchedule } from '../schedule/sealed-schedule.ts'
import { cronsOf, type CronTrigger } from '../schedule/cron-trigger.ts'
import { verifySeal } from '../seal.ts'
import type { StartInput } from './seed.ts'
import type { PinnedSop, RunSeed } from './run.ts'
import { unsupported } from './supported.ts'

/**
 * The seed of a run that a Temporal Schedule started: by the schedule, at its nominal time, with the params of its trigger.
 * An argument that is not as we sealed it, or stands under an id that is not one of that schedule's runs, is put on record as
 * a refusal of a start that nobody vouches for.
 */
export const scheduledSeed = (runId: string, input: StartInput, pinned: PinnedSop): RunSeed => {
  const { definition } = pinned
  const schedule = readSchedule(input.schedule)
  const params = isTable(input.params) ? input.params : {}
  const isSealed =
    schedule !== undefined &&
    typeof input.seal === 'string' &&
    verifySeal(pinned.authority, sealedSchedule(definition.name, schedule, params), input.seal)
  const scheduledAt = schedule === undefined ? undefined : nominalTime(runId, schedule.runPrefix)
  const base = { runId, rulesVersion: pinned.rulesVersion ?? 1, pinned }
  if (!isSealed || scheduledAt === undefined) {
    const problem = isSealed
      ? `"${runId}" is not the id of a run of schedule "${schedule.id}"`
      : 'the seal of the schedule is not one of this installation'
    return {
      ...base,
      params: {},
      trigger: { type: 'manual' },
      startedBy: { id: 'temporal', kind: 'user', verified: false },
      via: 'temporal',
      problems: [...unsupported(definition), problem],
    }
  }
  const trigger = cronsOf(definition)[schedule.number - 1]
  const checked = checkParams(definition.params, params, 'trigger')
  const problems = [...unsupported(definition), ...scheduleProblems(input, definition.name, schedule, trigger, checked)]
  return {
    ...base,
    params: checked.ok ? checked.params : {},
    trigger: { type: 'cron', scheduledAt },
    startedBy: { id: `schedule:${schedule.id}`, kind: 'timer' },
    via: 'schedule',
    ...(trigger?.condition && { triggerCondition: trigger.condition }),
    ...(problems.length > 0 && { problems }),
  }
}

const scheduleProblems = (
  input: StartInput,
  sop: string,
  schedule: StartedBySchedule,
  trigger: CronTrigger | undefined,
  checked: ReturnType<typeof checkParams>,
): readonly string[] => [
  ...(trigger === undefined ? [`SOP "${sop}" has no cron trigger number ${schedule.number} any more`] : []),
  ...(checked.ok ? [] : checked.problems),
  ...(checked.ok && checked.secretNames.length > 0
    ? [`secret params (${checked.secretNames.join(', ')}) cannot be given by a trigger: they would stand in the file`]
    : []),
  ...(['executionMode', 'skipApproval', 'force', 'parent'] as const)
    .filter((key) => input[key] !== undefined)
    .map((key) => `a schedule may not set "${key}"`),
]

const readSchedule = (value: unknown): StartedBySchedule | undefined => {
  if (!isTable(value)) return undefined
  const { id, runPrefix, number } = value
  return typeof id === 'string' && typeof runPrefix === 'string' && typeof number === 'number'
    ? { id, runPrefix, number }
    : undefined
}

const isTable = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

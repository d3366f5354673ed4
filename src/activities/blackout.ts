import { calendarOf, type FiledDay, outlookAt } from '../core/blackout.ts'
import { parseHoliday } from '../core/blackout/window.ts'
import type { Json } from '../core/definition.ts'
import type { FactsTask } from '../core/run/task.ts'
import type { ActivityDeps } from './deps.ts'

type Asked = NonNullable<FactsTask['calendar']>

/** Whether a run of the SOP may begin now, and until when that holds. @throws SopError where a file of holidays cannot be read */
export const askBlackout = async (
  { readHolidays }: Pick<ActivityDeps, 'readHolidays'>,
  asked: Asked,
  timezone: string,
  now: Date,
): Promise<Json> => {
  const filed: FiledDay[] = []
  for (const text of asked.holidays ?? []) {
    const holiday = parseHoliday(text)
    if (!holiday.ok || holiday.value.kind !== 'file') continue
    if (readHolidays === undefined) throw new Error(`Cannot read holidays "${text}": this worker has no SOP directory`)
    filed.push(...(await readHolidays(asked.sop, holiday.value.path)))
  }
  return { ...outlookAt(calendarOf(asked, timezone, filed), now.toISOString()) }
}

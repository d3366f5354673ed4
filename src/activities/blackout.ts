import { calendarOf, type FiledDay, holidayFiles, outlookAt } from '../core/blackout.ts'
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
  for (const path of holidayFiles(asked.holidays)) {
    if (readHolidays === undefined) throw new Error(`Cannot read holidays "${path}": this worker has no SOP directory`)
    filed.push(...(await readHolidays(asked.sop, path)))
  }
  return { ...outlookAt(calendarOf(asked, timezone, filed), now.toISOString()) }
}

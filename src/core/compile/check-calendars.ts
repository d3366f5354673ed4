import { holidayFiles } from '../blackout.ts'
import type { Compiled } from '../compile.ts'
import { type Diagnostic, hasErrors } from '../diagnostic.ts'

// check-calendars.ts: whether the calendar files that an SOP names among its holidays can be read. They are no part of the
// definition: a run asks them when it begins, and is refused where they cannot be read. So their owner hears of it before.

/**
 * Why a calendar file of an SOP cannot be read, as a sentence; undefined when it can. `path`: the main file of the SOP, below
 * the SOP directory.
 */
export type CalendarProblem = (path: string, file: string) => Promise<string | undefined>

/** An SOP as it stands in its files. */
interface Sop {
  readonly path: string
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly compiled: Pick<Compiled, 'definition' | 'diagnostics'>
}

/** A warning for each that cannot be read, where it is named: once the file is there, runs begin without an edit. */
export const checkCalendars = async (
  { path, files, compiled: { definition, diagnostics } }: Sop,
  problemOf: CalendarProblem,
): Promise<readonly Diagnostic[]> => {
  if (definition === undefined || hasErrors(diagnostics)) return []
  const found: Diagnostic[] = []
  for (const file of holidayFiles(definition.holidays)) {
    const problem = await problemOf(path, file)
    if (problem !== undefined) found.push(warningOf(problem, file, { path, files }))
  }
  return found
}

const warningOf = (problem: string, file: string, { path, files }: Pick<Sop, 'path' | 'files'>): Diagnostic => ({
  code: 'holidays-file',
  severity: 'warning',
  message: problem,
  ...placeOf(file, { path, files }),
  help: 'Until it can be read no run of this SOP begins.',
})

/** The first line that names it. */
const placeOf = (
  file: string,
  { path, files }: Pick<Sop, 'path' | 'files'>,
): Pick<Diagnostic, 'place' | 'sourceLine'> => {
  for (const source of files) {
    const lines = source.text.split(/\r\n|\n|\r/)
    const at = lines.findIndex((line) => line.includes(file))
    const sourceLine = lines[at]
    if (sourceLine === undefined) continue
    const column = sourceLine.indexOf(file) + 1
    return { place: { file: source.path, line: at + 1, column, length: file.length }, sourceLine }
  }
  return { place: { file: path, line: 1, column: 1 } }
}

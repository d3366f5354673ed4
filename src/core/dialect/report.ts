import type { Diagnostic, Place, Severity } from '../diagnostic.ts'
import { CODES, type DiagnosticCode } from './codes.ts'
import type { SourceText } from './source-text.ts'

/** More findings than these help nobody; the last one says that there are more. */
export const MAX_DIAGNOSTICS = 200
const LONGEST_SOURCE_LINE = 500

/** Where the compiler puts what it finds, so that a document's findings come all at once. */
export interface Report {
  /** Records a finding. Its severity is that of `CODES`. */
  add(code: DiagnosticCode, place: Place, message: string, help?: string): void
  /** The line of a place; undefined where it is too long to be shown. */
  sourceLine(place: Place): string | undefined
  /** Nothing more is recorded: costly searches for a way out are pointless. */
  readonly isFull: boolean
  readonly hasErrors: boolean
  readonly errorCount: number
  /** By file, then by place. */
  list(): readonly Diagnostic[]
}

export const createReport = (sources: readonly SourceText[]): Report => {
  const found: Diagnostic[] = []
  const lines = new Map(sources.map((source) => [source.path, source.lines]))
  const order = new Map(sources.map((source, index) => [source.path, index]))
  let errors = 0
  const sourceLine = (place: Place): string | undefined => {
    const line = lines.get(place.file)?.[place.line - 1]
    return line !== undefined && line.length <= LONGEST_SOURCE_LINE ? line : undefined
  }
  const record = (code: DiagnosticCode, severity: Severity, place: Place, message: string, help?: string): void => {
    if (severity === 'error') errors += 1
    const line = sourceLine(place)
    found.push({
      code,
      severity,
      message,
      place,
      ...(line === undefined ? {} : { sourceLine: line }),
      ...(help === undefined ? {} : { help }),
    })
  }
  return {
    add(code, place, message, help) {
      const { severity } = CODES[code]
      if (found.length < MAX_DIAGNOSTICS) return record(code, severity, place, message, help)
      // An error behind the limit must still keep the SOP from starting.
      if (found.length === MAX_DIAGNOSTICS || (severity === 'error' && errors === 0)) {
        record(
          'too-many-findings',
          severity,
          place,
          `Cannot list every finding: there are more than ${MAX_DIAGNOSTICS}`,
        )
      }
    },
    sourceLine,
    get isFull() {
      return found.length > MAX_DIAGNOSTICS
    },
    get errorCount() {
      return errors
    },
    get hasErrors() {
      return errors > 0
    },
    list: () =>
      [...found].sort(
        (a, b) =>
          (order.get(a.place.file) ?? 0) - (order.get(b.place.file) ?? 0) ||
          a.place.line - b.place.line ||
          a.place.column - b.place.column,
      ),
  }
}

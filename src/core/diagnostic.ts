import { printable, widthOf } from './printable.ts'

export type Severity = 'error' | 'warning' | 'hint'

/**
 * A place in a source file. Line and column count from 1; a column counts UTF-16 units, as editors do. `length` is the
 * width of the caret in the same units.
 */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly length?: number
}

/** One finding about a source document: data until `renderDiagnostic` makes it text. */
export interface Diagnostic {
  /** Stable kebab-case name of the rule, e.g. `unknown-key`. Tests and tools match on it. */
  readonly code: string
  readonly severity: Severity
  readonly message: string
  readonly place: Place
  /** The source line that `place` names, without its line end. Absent for lines longer than a screen can show. */
  readonly sourceLine?: string
  /** The way out, e.g. `Did you mean "timeout"?`. */
  readonly help?: string
}

/** Whether any of them keeps the SOP from starting. */
export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ severity }) => severity === 'error')

/** `deploy/SOP.md:3:7`. */
export const renderPlace = ({ file, line, column }: Place): string => `${file}:${line}:${column}`

/**
 * A diagnostic as lines of text, with the source line and a caret under the place. Control characters of the source are
 * shown as `�`, so that a document cannot drive the reader's terminal.
 */
export const renderDiagnostic = (diagnostic: Diagnostic): string => {
  const { severity, code, message, place, sourceLine, help } = diagnostic
  const gutter = ' '.repeat(String(place.line).length)
  const lines = [`${severity}[${code}]: ${printable(message)}`, `${gutter}--> ${printable(renderPlace(place))}`]
  if (sourceLine !== undefined) {
    const before = sourceLine.slice(0, place.column - 1)
    const under = sourceLine.slice(place.column - 1, place.column - 1 + (place.length ?? 1))
    const indent = before.replace(/[^\t]+/g, (run) => ' '.repeat(widthOf(run)))
    lines.push(
      `${gutter} |`,
      `${place.line} | ${printable(sourceLine)}`,
      `${gutter} | ${indent}${'^'.repeat(Math.max(1, widthOf(under)))}`,
    )
  }
  if (help !== undefined) lines.push(`${gutter} = help: ${printable(help)}`)
  return lines.join('\n')
}

export type Severity = 'error' | 'warning' | 'hint'

/** A place in a source file. Line and column count from 1; `length` is the width of the caret, in characters. */
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
  /** The source line that `place` names, without its line end. */
  readonly sourceLine?: string
  /** The way out, e.g. `Did you mean "timeout"?`. */
  readonly help?: string
}

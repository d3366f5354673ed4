import { Link } from 'react-router'
import type { Diagnostic } from '../../../core/diagnostic.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import type { Sop } from './sop-queries.ts'

interface FindingsProps {
  readonly sop: Sop
  readonly sourceAddress: string
}

/** What the compiler found, and what keeps the SOP from starting. */
export function Findings({ sop, sourceAddress }: FindingsProps) {
  const { diagnostics, blockers, notices, definition } = sop
  // Without a definition the errors are the blockers.
  const others = [...(definition === undefined ? [] : blockers), ...notices]
  if (diagnostics.length + others.length === 0) return null
  return (
    <section className="findings" aria-label="Findings">
      {diagnostics.map((diagnostic) => (
        <Finding key={keyOf(diagnostic)} diagnostic={diagnostic} to={sourceAddress} />
      ))}
      {others.map((text) => (
        <p key={text} className="finding finding-warning">
          <PlainText text={text} />
        </p>
      ))}
    </section>
  )
}

export const keyOf = ({ code, place, message }: Diagnostic): string =>
  `${place.file}:${place.line}:${place.column} ${code} ${message}`

/** One finding with its line, a caret, and the way out. */
export function Finding({ diagnostic, to }: { readonly diagnostic: Diagnostic; readonly to?: string }) {
  const { severity, message, place, sourceLine, help } = diagnostic
  const where = `${place.file}:${place.line}:${place.column}`
  return (
    <div className={`finding finding-${severity}`}>
      <p>
        <strong>{severity}</strong> <PlainText text={message} />
      </p>
      {sourceLine !== undefined && to !== undefined && (
        <pre tabIndex={0} aria-label={`Line ${place.line}`}>
          {caretLines(sourceLine, place.column, place.length)}
        </pre>
      )}
      <p className="small muted">
        {to === undefined ? where : <Link to={to}>{where}</Link>}
        {help !== undefined && (
          <>
            {' · '}
            <PlainText text={help} />
          </>
        )}
      </p>
    </div>
  )
}

const MOST = 200

/** The line, and below it a caret under the place. Tabs stay, so that the caret stands right. */
export const caretLines = (line: string, column: number, length = 1): string => {
  const shown = line.slice(0, MOST)
  const before = shown.slice(0, column - 1).replace(/[^\t]/g, ' ')
  return `${shown}\n${before}${'^'.repeat(Math.max(1, Math.min(length, MOST - before.length)))}`
}

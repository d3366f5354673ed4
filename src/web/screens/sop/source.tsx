import type { Diagnostic } from '../../../core/diagnostic.ts'
import { visible } from '../../parts/visible.ts'
import { caretLines, Finding, keyOf } from './findings.tsx'
import type { Sop } from './sop-queries.ts'

/** Lines that are drawn of one file; longer ones are for an editor. */
const MOST_LINES = 5_000

/** The files as they are written, with each finding below its line. */
export function Source({ sop }: { readonly sop: Sop }) {
  const files = Object.entries(sop.source ?? {})
  const known = new Set(files.map(([path]) => path))
  const elsewhere = sop.diagnostics.filter(({ place }) => !known.has(place.file))
  return (
    <>
      {elsewhere.map((diagnostic) => (
        <Finding key={keyOf(diagnostic)} diagnostic={diagnostic} />
      ))}
      {files.map(([path, text]) => (
        <SourceFile
          key={path}
          path={path}
          text={text}
          diagnostics={sop.diagnostics.filter(({ place }) => place.file === path)}
        />
      ))}
      {files.length === 0 && <p className="muted">The engine does not hand out its source.</p>}
    </>
  )
}

interface SourceFileProps {
  readonly path: string
  readonly text: string
  readonly diagnostics: readonly Diagnostic[]
}

function SourceFile({ path, text, diagnostics }: SourceFileProps) {
  const lines = text.split(/\r\n|\n|\r/)
  const shown = lines.slice(0, MOST_LINES)
  return (
    <section className="card source-file">
      <h2>{path}</h2>
      <div className="source-lines" tabIndex={0} role="region" aria-label={path}>
        {shown.map((line, at) => {
          const here = diagnostics.filter(({ place }) => place.line === at + 1)
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have nothing but their number
            <div key={at}>
              <div className={here.length > 0 ? 'source-line source-found' : 'source-line'}>
                <span className="source-number">{at + 1}</span>
                <code>{visible(line, 2_000)}</code>
              </div>
              {here.map((diagnostic) => (
                <div key={keyOf(diagnostic)} className="source-finding">
                  <code aria-hidden="true">
                    {caretLines(line, diagnostic.place.column, diagnostic.place.length).split('\n')[1]}
                  </code>
                  <Finding diagnostic={diagnostic} />
                </div>
              ))}
            </div>
          )
        })}
      </div>
      {lines.length > MOST_LINES && <p className="muted small">… {lines.length - MOST_LINES} more lines</p>}
    </section>
  )
}

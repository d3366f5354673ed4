import { structuredPatch } from 'diff'
import { useMemo } from 'react'
import { visible } from '../../parts/visible.ts'

type Files = Readonly<Record<string, string>>

/** How long the comparison of one file may take, in milliseconds; a file that changed altogether is shown as such. */
const PATIENCE_MS = 2_000

/** What changed in each file, with a few lines around it. */
export function Diff({ before, after }: { readonly before: Files; readonly after: Files }) {
  const paths = useMemo(
    () => [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((path) => before[path] !== after[path]),
    [before, after],
  )
  if (paths.length === 0) return <p className="muted">Their texts are the same.</p>
  return paths.map((path) => <FileDiff key={path} path={path} before={before[path] ?? ''} after={after[path] ?? ''} />)
}

interface FileDiffProps {
  readonly path: string
  readonly before: string
  readonly after: string
}

function FileDiff({ path, before, after }: FileDiffProps) {
  const patch = useMemo(
    () => structuredPatch(path, path, before, after, undefined, undefined, { context: 3, timeout: PATIENCE_MS }),
    [path, before, after],
  )
  return (
    <section className="card source-file">
      <h2>{path}</h2>
      {patch === undefined ? (
        <p className="muted">Too much changed to be compared line by line.</p>
      ) : (
        <div className="source-lines" tabIndex={0} role="region" aria-label={`Changes in ${path}`}>
          {patch.hunks.map((hunk) => (
            <div key={`${hunk.oldStart} ${hunk.newStart}`} className="diff-hunk">
              <div className="diff-place">
                line {hunk.newStart} (was {hunk.oldStart})
              </div>
              {hunk.lines.map((line, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: lines have nothing but their number
                <DiffLine key={at} line={line} />
              ))}
            </div>
          ))}
        </div>
      )}
    </section>
  )
}

const KINDS = {
  '+': { name: 'added', className: 'diff-added' },
  '-': { name: 'removed', className: 'diff-removed' },
} as const

function DiffLine({ line }: { readonly line: string }) {
  const sign = line[0] === '+' || line[0] === '-' ? line[0] : undefined
  const kind = sign === undefined ? undefined : KINDS[sign]
  return (
    <div className={`source-line ${kind?.className ?? ''}`}>
      <span className="source-number" aria-hidden="true">
        {sign ?? ''}
      </span>
      {kind !== undefined && <span className="visually-hidden">{kind.name}: </span>}
      <code>{visible(line.slice(1), 2_000)}</code>
    </div>
  )
}

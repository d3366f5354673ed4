import type { NextItem, RunNext } from '../../../client/client.ts'
import { PlainText } from '../../parts/plain-text.tsx'

const SHOWN = 12

/** What is still to come, as simulated from where the run stands. */
export function NextView({ next, isClosed }: { readonly next: RunNext | undefined; readonly isClosed: boolean }) {
  return (
    <section className="card aside-card" aria-label="What happens next">
      <h2>What happens next</h2>
      {next === undefined ? null : next.items.length === 0 ? (
        <p className="muted">{isClosed ? 'Nothing: the run is over.' : 'Nothing more: the run is about to end.'}</p>
      ) : (
        <ol className="next-items">
          {next.items.slice(0, SHOWN).map((item) => (
            <li key={`${item.kind} ${item.id}`} className={`next-item next-${item.runs}`}>
              <NextLine item={item} />
            </li>
          ))}
        </ol>
      )}
      {next !== undefined && next.total > SHOWN && <p className="muted small">and {next.total - SHOWN} more</p>}
      {next?.then !== undefined && <p>Then the run is {next.then}.</p>}
    </section>
  )
}

function NextLine({ item }: { readonly item: NextItem }) {
  const { kind, title, stepNumber, runs, now, undo, condition, note, timeout, approvers, each } = item
  const isGate = kind !== 'step'
  const facts = [
    ...(runs === 'unknown' ? ['may be skipped'] : runs === 'no' ? ['is skipped'] : []),
    ...(condition === undefined ? [] : [`if ${condition}`]),
    ...(runs !== 'yes' && note !== undefined ? [note] : []),
    ...(isGate && approvers !== undefined ? [`for ${approvers.join(', ')}`] : []),
    ...(isGate && timeout !== undefined ? [`after ${timeout}`] : []),
    ...(each?.total === undefined ? [] : [`${each.total} items`]),
  ]
  return (
    <>
      <span className="next-title">
        {undo === true ? 'Undo: ' : isGate ? 'Approval: ' : <span className="muted tabular">{stepNumber} </span>}
        <PlainText text={title} />
        {now === true && <span className="badge badge-active">now</span>}
      </span>
      {facts.length > 0 && (
        <span className="muted small next-facts">
          <PlainText text={facts.join(' · ')} />
        </span>
      )}
    </>
  )
}

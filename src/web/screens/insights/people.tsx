import type { ReactNode } from 'react'
import type { MetricsReport } from '../../../client/client.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { span } from './figures.ts'

/** For whom runs waited, and who decided: the longest first, with bars to scale. */
export function People({ report: { waitedFor, decidedBy, total } }: { readonly report: MetricsReport }) {
  const longest = Math.max(...[...waitedFor, ...decidedBy].map(({ wait }) => wait.totalMs), 1)
  return (
    <div className="people">
      <WhoTable
        title="Waited for"
        note="whom the gates named"
        none="No gate named anybody."
        headings={['Who', 'Gates', 'p50', 'p95', 'In all']}
      >
        {waitedFor.map(({ who, wait }) => (
          <tr key={who}>
            <th scope="row">
              <PlainText text={who} />
            </th>
            <td>{wait.count}</td>
            <td>{span(wait.p50Ms)}</td>
            <td>{span(wait.p95Ms)}</td>
            <td>
              <InAll ms={wait.totalMs} longest={longest} />
            </td>
          </tr>
        ))}
      </WhoTable>
      <WhoTable
        title="Decided by"
        note="and how long their gates had been open"
        none={`Nobody decided at a gate${total.approvals.approvedByTimer > 0 ? '; the timer did' : ''}.`}
        headings={['Who', 'Approved', 'Rejected', 'p50', 'In all']}
      >
        {decidedBy.map(({ who, approved, rejected, wait }) => (
          <tr key={who}>
            <th scope="row">
              <PlainText text={who} />
            </th>
            <td>{approved}</td>
            <td>{rejected}</td>
            <td>{span(wait.p50Ms)}</td>
            <td>
              <InAll ms={wait.totalMs} longest={longest} />
            </td>
          </tr>
        ))}
      </WhoTable>
    </div>
  )
}

function InAll({ ms, longest }: { readonly ms: number; readonly longest: number }) {
  return (
    <span className="in-all">
      <span className="in-all-bar" style={{ width: `${Math.max(1, (ms / longest) * 100)}%` }} />
      <span>{span(ms)}</span>
    </span>
  )
}

interface WhoTableProps {
  readonly title: string
  readonly note: string
  readonly none: string
  readonly headings: readonly string[]
  readonly children: readonly ReactNode[]
}

function WhoTable({ title, note, none, headings, children }: WhoTableProps) {
  return (
    <section className="card who-table">
      <h2>
        {title} <span className="muted small">{note}</span>
      </h2>
      {children.length === 0 ? (
        <p className="muted">{none}</p>
      ) : (
        <div className="scroll-x" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead>
              <tr>
                {headings.map((heading) => (
                  <th key={heading} scope="col">
                    {heading}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="tabular">{children}</tbody>
          </table>
        </div>
      )}
    </section>
  )
}

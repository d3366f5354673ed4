import { Link } from 'react-router'
import type { MetricsReport } from '../../../client/client.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { percent, span } from './figures.ts'

const HEADINGS = ['Went well', 'p50', 'p95', 'Waited at gates', 'By the timer', 'Retries'] as const

/** The SOPs that ran, most runs first. */
export function SopTable({ sops, days }: { readonly sops: MetricsReport['sops']; readonly days: number }) {
  return (
    <section>
      <h2>By SOP</h2>
      <div className="scroll-x card" tabIndex={0} role="region" aria-label="By SOP">
        <table className="figures-table">
          <thead>
            <tr>
              <th scope="col">SOP</th>
              <th scope="col">Runs</th>
              {HEADINGS.map((heading) => (
                <th key={heading} scope="col">
                  {heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="tabular">
            {sops.map(({ sop, created, successRate, elapsed, approvals, retries }) => (
              <tr key={sop}>
                <th scope="row">
                  <Link to={`/insights?days=${days}&sop=${encodeURIComponent(sop)}`}>
                    <PlainText text={sop} />
                  </Link>
                </th>
                <td>{created.toLocaleString()}</td>
                <td>
                  <Rate rate={successRate} />
                </td>
                <td>{span(elapsed.p50Ms)}</td>
                <td>{span(elapsed.p95Ms)}</td>
                <td>{span(approvals.wait.count === 0 ? null : approvals.wait.totalMs)}</td>
                <td>{approvals.approvedByTimer + approvals.rejectedByTimer}</td>
                <td>{retries.byEngine + retries.byPerson}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

/** The steps of one SOP, in their order. */
export function StepTable({ steps }: { readonly steps: MetricsReport['steps'] }) {
  return (
    <section>
      <h2>By step</h2>
      {steps.length === 0 ? (
        <p className="muted">None of its steps began in this time.</p>
      ) : (
        <div className="scroll-x card" tabIndex={0} role="region" aria-label="By step">
          <table className="figures-table">
            <thead>
              <tr>
                <th scope="col">Step</th>
                <th scope="col">Begun</th>
                {HEADINGS.map((heading) => (
                  <th key={heading} scope="col">
                    {heading}
                  </th>
                ))}
                <th scope="col">Done by hand p50</th>
                <th scope="col">Skipped</th>
              </tr>
            </thead>
            <tbody className="tabular">
              {steps.map((step) => (
                <tr key={step.step}>
                  <th scope="row">
                    {step.step}. <PlainText text={step.title} />
                  </th>
                  <td>{step.started.toLocaleString()}</td>
                  <td>
                    <Rate rate={step.successRate} />
                  </td>
                  <td>{span(step.duration.p50Ms)}</td>
                  <td>{span(step.duration.p95Ms)}</td>
                  <td>{span(step.approvals.wait.count === 0 ? null : step.approvals.wait.totalMs)}</td>
                  <td>{step.approvals.approvedByTimer + step.approvals.rejectedByTimer}</td>
                  <td>{step.retries.byEngine + step.retries.byPerson}</td>
                  <td>{span(step.inputWait.p50Ms)}</td>
                  <td>{step.skipped.byCondition + step.skipped.byPerson + step.skipped.otherwise}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function Rate({ rate }: { readonly rate: number | null }) {
  return <span className={rate !== null && rate < 0.9 ? 'rate-low' : undefined}>{percent(rate)}</span>
}

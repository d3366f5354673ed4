import { useMutation } from '@tanstack/react-query'
import type { RunCheck } from '../../../core/verify/finding.ts'
import { ApiProblem } from '../../api/problem.ts'
import { request } from '../../api/request.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { pathOf } from './log-choice.ts'

/** Looks whether the record is as it was written. */
export function RecordView({ runId }: { readonly runId: string }) {
  const check = useMutation({
    mutationFn: () => request<RunCheck>(`${pathOf(runId)}/verify`),
  })
  return (
    <section className="card aside-card" aria-label="Record">
      <h2>Record</h2>
      <p className="muted small">Every event is chained to the one before it, and signed heads stand beside them.</p>
      <div className="record-buttons">
        <button type="button" className="button button-small" disabled={check.isPending} onClick={() => check.mutate()}>
          Check it
        </button>
        <a className="button button-small" href={`${pathOf(runId)}/export`} download>
          Export
        </a>
      </div>
      <div role="status">{check.data !== undefined && <Answer check={check.data} />}</div>
      {check.error !== null && (
        <ErrorBox
          title={
            check.error instanceof ApiProblem && check.error.code === 'not_found'
              ? 'There is no record yet'
              : 'It cannot be checked'
          }
          error={check.error}
        />
      )}
    </section>
  )
}

function Answer({ check }: { readonly check: RunCheck }) {
  const problems = check.findings.filter(({ severity }) => severity === 'problem')
  const notices = check.findings.filter(({ severity }) => severity === 'notice')
  return (
    <>
      {check.ok ? (
        <p className="record-good">
          ✓ All {check.events} events are as they were written
          {check.sealedTo > 0 && `; a signed head vouches for the first ${check.sealedTo}`}.
        </p>
      ) : (
        <p className="step-error">✕ The record was changed, or is not whole:</p>
      )}
      {[problems, notices].map((findings, index) =>
        findings.length === 0 ? null : (
          <ul
            key={index === 0 ? 'problems' : 'notices'}
            className={`record-findings ${index === 0 ? '' : 'muted small'}`}
          >
            {findings.map(({ kind, message, sequence, file, line }) => (
              <li key={`${kind} ${sequence ?? ''} ${message}`}>
                <PlainText text={message} />
                {file !== undefined && (
                  <span className="muted small">
                    {' '}
                    <PlainText text={`${file}${line === undefined ? '' : `:${line}`}`} />
                  </span>
                )}
              </li>
            ))}
          </ul>
        ),
      )}
    </>
  )
}

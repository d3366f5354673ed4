import type { Json } from '../../../core/definition.ts'
import type { CoveredStep, WaitingItem } from '../../../core/run/waiting.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { visible } from '../../parts/visible.ts'

/** What an approval lets happen: the commands, and the values that they get. */
export function Covered({ item }: { readonly item: WaitingItem }) {
  const { covered = [], coveredSteps } = item
  const [only] = covered
  return (
    <div className="covered">
      <h3>{covered.length === 1 ? 'This will run' : `These ${coveredSteps ?? covered.length} steps will follow`}</h3>
      {covered.length === 1 && only !== undefined ? (
        <Commands step={only} />
      ) : (
        <ol className="covered-steps">
          {covered.map((step) => (
            <li key={step.number} value={step.number}>
              <PlainText text={step.title} />
              {step.pointOfNoReturn === true && <span className="badge badge-warn">point of no return</span>}
              {step.commands !== undefined && (
                <details>
                  <summary>Commands</summary>
                  <Commands step={step} />
                </details>
              )}
            </li>
          ))}
        </ol>
      )}
      {coveredSteps !== undefined && (
        <p className="muted small">The first {covered.length} are shown; the run has all of them.</p>
      )}
      <Values title="With these params" values={item.params} />
    </div>
  )
}

function Commands({ step }: { readonly step: CoveredStep }) {
  const { commands = [], verify = [], rollback = [], runsOn } = step
  return (
    <>
      {commands.length === 0 && <p className="muted">No command: {KINDS[step.kind] ?? step.kind}.</p>}
      {commands.map((script, index) => (
        <Script key={index} name={`Command ${index + 1}`} text={script} />
      ))}
      {runsOn !== undefined && (
        <p className="small muted">
          On the pool <PlainText text={runsOn} />
        </p>
      )}
      {verify.length > 0 && <Labelled name="Checked by" scripts={verify} />}
      {rollback.length > 0 && <Labelled name="Undone by" scripts={rollback} />}
    </>
  )
}

const KINDS: Readonly<Record<string, string>> = { manual: 'a person does this step', wait: 'the run waits' }

function Labelled({ name, scripts }: { readonly name: string; readonly scripts: readonly string[] }) {
  return (
    <details className="small">
      <summary>{name}</summary>
      {scripts.map((script, index) => (
        <Script key={index} name={`${name} ${index + 1}`} text={script} />
      ))}
    </details>
  )
}

/** A command as it stands in the procedure; it scrolls in itself, also by keyboard. */
export function Script({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <pre className="script" tabIndex={0} role="group" aria-label={name}>
      <code>{visible(text.trimEnd())}</code>
    </pre>
  )
}

/** Names and their values. */
export function Values({ title, values }: { readonly title: string; readonly values: Readonly<Record<string, Json>> }) {
  const entries = Object.entries(values)
  if (entries.length === 0) return null
  return (
    <>
      <h3>{title}</h3>
      <dl className="values">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>
              <PlainText text={name} />
            </dt>
            <dd>
              <PlainText text={typeof value === 'string' ? value : JSON.stringify(value)} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  )
}

import type { Json } from '../../../core/definition.ts'
import type { RunView } from '../../../core/run/view.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { textOf } from './decide.tsx'

/** Params and outputs of the run and of each step, and the warnings that it began with. */
export function FactsView({ run }: { readonly run: RunView }) {
  const outputs = run.stepResults.filter(({ outputs: of }) => of !== undefined && Object.keys(of).length > 0)
  return (
    <div className="fact-sections">
      <Values title="Params" values={run.params} empty="The run has no params." />
      <Values title="Outputs" values={run.outputs} empty="No step has handed anything on so far." />
      {outputs.map(({ number, title, outputs: of = {} }) => (
        <Values key={number} title={`Outputs of step ${number}: ${title}`} values={of} empty="" />
      ))}
      {(run.warnings ?? []).length > 0 && (
        <>
          <h3>Warnings</h3>
          <ul>
            {run.warnings?.map((warning) => (
              <li key={warning}>
                <PlainText text={warning} />
              </li>
            ))}
          </ul>
        </>
      )}
      {run.trigger.payload !== undefined && (
        <Values title="What its trigger brought" values={{ payload: run.trigger.payload }} empty="" />
      )}
    </div>
  )
}

interface ValuesProps {
  readonly title: string
  readonly values: Readonly<Record<string, Json>>
  readonly empty: string
}

function Values({ title, values, empty }: ValuesProps) {
  const entries = Object.entries(values)
  return (
    <section>
      <h3>
        <PlainText text={title} />
      </h3>
      {entries.length === 0 ? (
        <p className="muted">{empty}</p>
      ) : (
        <dl className="fact-values">
          {entries.map(([name, value]) => (
            <div key={name}>
              <dt>
                <PlainText text={name} />
              </dt>
              <dd>
                <PlainText text={textOf(value)} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  )
}

import { useMutation } from '@tanstack/react-query'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import type { RunPlan } from '../../../client/client.ts'
import type { ExecutionMode, Param } from '../../../core/definition.ts'
import type { RunView } from '../../../core/run/view.ts'
import { type ApiProblem, problemOf } from '../../api/problem.ts'
import { request } from '../../api/request.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { ParamField } from '../../parts/param-field.tsx'
import { Plan } from './plan.tsx'
import { type Sop, sopPath } from './sop-queries.ts'
import { MODES } from './words.ts'

type Values = Readonly<Record<string, string>>

interface Options {
  readonly executionMode: ExecutionMode | ''
  readonly skipApproval: boolean
  readonly force: boolean
}

/** What the params are, a look at what a run would do with them, and the start. What fits, the engine says. */
export function StartForm({ sop }: { readonly sop: Sop }) {
  const params = sop.definition?.params ?? []
  const [values, setValues] = useState<Values>(() => defaultsOf(params))
  const [options, setOptions] = useState<Options>({ executionMode: '', skipApproval: false, force: false })
  const navigate = useNavigate()
  const form = useRef<HTMLFormElement>(null)
  // A start that is sent again after a lost answer is the same start; another one begins with other values.
  const key = useRef(newKey())
  const change = (next: Values): void => {
    key.current = newKey()
    setValues(next)
  }
  const body = () => bodyOf(values, options)
  const preview = useMutation({
    mutationFn: () => request<RunPlan>(`${sopPath(sop.name)}/plan`, { method: 'POST', body: body() }),
  })
  const start = useMutation({
    mutationFn: () =>
      request<RunView>(`${sopPath(sop.name)}/runs`, {
        method: 'POST',
        body: { ...body(), idempotencyKey: key.current },
      }),
    onSuccess: (run) => void navigate(`/runs/${encodeURIComponent(run.runId)}`),
  })
  const problem = start.error === null ? undefined : problemOf(start.error)
  const errors = problem === undefined ? errorsIn(preview.data?.errors) : errorsIn(problem.document['errors'])
  const seen = problem ?? preview.data
  useEffect(() => {
    if (seen !== undefined) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [seen])

  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    start.mutate()
  }
  return (
    <div className="two-columns sop-start">
      <form ref={form} className="card start-form" onSubmit={submit} noValidate aria-label={`Start ${sop.name}`}>
        {!sop.startable && (
          <ErrorBox title="It cannot be started" error={new Error(sop.blockers[0] ?? 'It does not compile')} />
        )}
        {params.map((param) => (
          <ParamField
            key={param.name}
            param={param}
            value={values[param.name] ?? ''}
            error={errors.get(param.name)}
            onChange={(value) => change({ ...values, [param.name]: value })}
          />
        ))}
        {params.length === 0 && <FreeParams values={values} errors={errors} onChange={change} />}
        <MoreOptions options={options} onChange={setOptions} />
        <RestOfProblem problem={problem} />
        <div className="dialog-buttons">
          <button
            type="button"
            className="button"
            disabled={preview.isPending}
            onClick={() => {
              start.reset()
              preview.mutate()
            }}
          >
            Preview
          </button>
          <button type="submit" className="button button-primary" disabled={start.isPending || !sop.startable}>
            {start.isPending ? 'Starting…' : 'Start'}
          </button>
        </div>
      </form>
      <section className="start-plan" aria-label="Preview" aria-live="polite">
        {preview.error !== null ? (
          <ErrorBox title="There is no preview" error={preview.error} />
        ) : preview.data !== undefined ? (
          <Plan plan={preview.data} />
        ) : (
          <p className="muted">
            Preview says what a run would do with these values: steps, gates and commands. It starts nothing.
          </p>
        )}
      </section>
    </div>
  )
}

const newKey = (): string => `web-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`

const defaultsOf = (params: readonly Param[]): Values =>
  Object.fromEntries(
    params.flatMap(({ name, default: value, secret }) =>
      value === undefined || secret === true ? [] : [[name, String(value)]],
    ),
  )

/** Empty fields are not given: a default, or the refusal of the engine, takes their place. */
const bodyOf = (values: Values, { executionMode, skipApproval, force }: Options) => ({
  params: Object.fromEntries(Object.entries(values).filter(([name, value]) => name !== '' && value !== '')),
  ...(executionMode !== '' && { executionMode }),
  ...(skipApproval && { skipApproval }),
  ...(force && { force }),
})

/** What the engine says about single params, by name. */
const errorsIn = (errors: unknown): ReadonlyMap<string, string> =>
  new Map(
    (Array.isArray(errors)
      ? (errors as readonly { readonly path?: unknown; readonly message?: unknown }[])
      : []
    ).flatMap(({ path, message }) =>
      typeof path === 'string' && path.startsWith('params.') && typeof message === 'string'
        ? [[path.slice('params.'.length), message] as const]
        : [],
    ),
  )

/** A refusal that does not stand beside a field. */
function RestOfProblem({ problem }: { readonly problem: ApiProblem | undefined }) {
  if (problem === undefined) return null
  if (errorsIn(problem.document['errors']).size > 0)
    return (
      <p className="field-error" role="alert">
        Not started: correct the values above.
      </p>
    )
  return <ErrorBox title="Not started" error={problem} />
}

interface MoreOptionsProps {
  readonly options: Options
  readonly onChange: (options: Options) => void
}

function MoreOptions({ options, onChange }: MoreOptionsProps) {
  return (
    <details className="start-more">
      <summary>More options</summary>
      <label className="field">
        <span>Mode</span>
        <select
          value={options.executionMode}
          onChange={(event) => onChange({ ...options, executionMode: event.target.value as Options['executionMode'] })}
        >
          <option value="">As the SOP says</option>
          {Object.entries(MODES).map(([mode, text]) => (
            <option key={mode} value={mode}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={options.skipApproval}
          onChange={(event) => onChange({ ...options, skipApproval: event.target.checked })}
        />
        Approve plain gates as myself
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={options.force}
          onChange={(event) => onChange({ ...options, force: event.target.checked })}
        />
        In spite of cooldown, conditions and blackouts (admin)
      </label>
    </details>
  )
}

interface FreeParamsProps {
  readonly values: Values
  readonly errors: ReadonlyMap<string, string>
  readonly onChange: (values: Values) => void
}

/** An SOP that declares no params takes any. */
function FreeParams({ values, errors, onChange }: FreeParamsProps) {
  const [name, setName] = useState('')
  const add = (): void => {
    if (name.trim() !== '') onChange({ ...values, [name.trim()]: '' })
    setName('')
  }
  return (
    <>
      <p className="muted">It declares no params. Commands and conditions read whatever is given here.</p>
      {Object.entries(values).map(([each, value]) => (
        <ParamField
          key={each}
          param={{ name: each, type: 'string' }}
          value={value}
          error={errors.get(each)}
          onChange={(next) => onChange({ ...values, [each]: next })}
        />
      ))}
      <div className="free-param">
        <input
          className="input"
          aria-label="Name of a param"
          placeholder="name"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="button" className="button" onClick={add}>
          Add a param
        </button>
      </div>
    </>
  )
}

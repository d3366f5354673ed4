import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Control, SopVersionDetail } from '../../../client/client.ts'
import type { Json, Param } from '../../../core/definition.ts'
import type { DecisionReply } from '../../../core/run/decision.ts'
import type { RunView } from '../../../core/run/view.ts'
import { request } from '../../api/request.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { ReasonField } from '../../parts/reason-field.tsx'
import { MEANING } from '../waiting/meaning.ts'
import { type FieldTexts, ParamFields, valuesOf } from './param-fields.tsx'
import { pathOf } from './log-choice.ts'

/** Sends what a control stands for. @throws ApiProblem with who was quicker, or why not */
const sendControl = (
  runId: string,
  { verb, body }: Pick<Control, 'verb' | 'body'>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<DecisionReply> =>
  request<DecisionReply>(`${pathOf(runId)}/${verb}`, { method: 'POST', body: { ...body, ...more } })

interface DecideDialogProps {
  readonly run: RunView
  readonly control: Control
  readonly onClose: () => void
  readonly onDone: (reply: DecisionReply) => void
}

/** Asks for what a decision wants: a reason, other params, and a second look at what cannot be taken back. */
export function DecideDialog({ run, control, onClose, onDone }: DecideDialogProps) {
  const { name, verb, label, body, secondLook, leadsTo, secrets = [] } = control
  const [comment, setComment] = useState('')
  const [hasLooked, setLooked] = useState(false)
  const [texts, setTexts] = useState<FieldTexts>({})
  const isRetry = verb === 'retry' && body.item === undefined && run.rollback === undefined
  const params = useParams(run, isRetry)
  const changed = valuesOf(params, texts)
  const sending = useMutation({
    mutationFn: () =>
      sendControl(run.runId, control, {
        ...(comment.trim() !== '' && { comment: comment.trim() }),
        ...(Object.keys(changed).length > 0 && { params: changed }),
      }),
    onSuccess: onDone,
  })
  const wantsReason = name === 'cancel' || name === 'roll_back' || name === 'skip' || name === 'reject'
  const gate = run.openGates.find((each) => each.gate === body.gate)
  const step = body.step === undefined ? undefined : run.stepResults.find(({ number }) => number === body.step)
  return (
    <Dialog title={titleOf(control, step?.title)} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          sending.mutate()
        }}
      >
        {meaningOf(control) !== undefined && <p>{meaningOf(control)}</p>}
        {name === 'reject' && leadsTo !== undefined && <p>The run is then: {leadsTo}.</p>}
        {gate?.commands !== undefined && name === 'approve' && <Commands commands={gate.commands} />}
        {isRetry && params.length > 0 && (
          <details open={secrets.length > 0} className="decide-params">
            <summary>{secrets.length > 0 ? 'Params: secret ones have to be given again' : 'Change params'}</summary>
            <ParamFields params={params} texts={texts} values={run.params} onChange={setTexts} areRequired={false} />
          </details>
        )}
        <ReasonField label={wantsReason ? 'Reason' : 'Comment'} value={comment} onChange={setComment} />
        {secondLook === true && (
          <label className="check-field decide-look">
            <input type="checkbox" checked={hasLooked} onChange={(event) => setLooked(event.target.checked)} />
            <span>I have looked: this cannot be taken back</span>
          </label>
        )}
        {sending.error !== null && <ErrorBox title="It was refused" error={sending.error} />}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Go back
          </button>
          <button
            type="submit"
            className={`button ${toneOf(control)}`}
            disabled={sending.isPending || (secondLook === true && !hasLooked)}
          >
            {label}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** A retry that wants a second look runs again what may have run. */
const meaningOf = ({ name, secondLook }: Control): string | undefined =>
  MEANING[name === 'retry' && secondLook === true ? 'run_again' : name]

const titleOf = ({ label, about, body }: Control, title: string | undefined): string =>
  about === 'run' && label.includes(' ')
    ? label
    : about === 'run'
      ? `${label} the run`
      : `${label}: ${title ?? body.gate ?? ''}`

/** What a control looks like by what it does. */
export const toneOf = ({ name }: Pick<Control, 'name'>): string =>
  name === 'approve' || name === 'complete'
    ? 'button-good'
    : name === 'cancel' || name === 'roll_back' || name === 'reject' || name === 'fail'
      ? 'button-bad'
      : 'button-primary'

/** The commands that pass through a gate. */
export function Commands({ commands }: { readonly commands: readonly string[] }) {
  return commands.map((command, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: they never change their order
    <pre key={index} className="commands" tabIndex={0} role="region" aria-label="Command">
      <PlainText text={command} />
    </pre>
  ))
}

/** The params of the definition that the run goes by. */
function useParams({ sopName, digest }: RunView, isWanted: boolean): readonly Param[] {
  const version = useQuery({
    queryKey: ['sop-version', sopName, digest],
    queryFn: ({ signal }) =>
      request<SopVersionDetail>(`/api/v1/sops/${encodeURIComponent(sopName)}/versions/${digest}`, { signal }),
    enabled: isWanted,
    retry: false,
  })
  return version.data?.definition.params ?? NONE
}
const NONE: readonly Param[] = []

/** A JSON value on one line. */
export const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

import { turnOf } from './admission.ts'
import type { EventDraft } from './event.ts'
import { awaitsSlot } from './frontier-entry.ts'
import type { AdmissionVerdict, RunInput } from './input.ts'
import { ENGINE, type Principal, type Surface } from './principal.ts'
import { askerOf, type QueueOrder } from './queue-order.ts'
import type { Run } from './run.ts'

// decide-admission.ts: what an answer of admission leads to.

/** An answer to a question that the run does not ask any more leads to nothing. */
export const admissionAnswered = (
  run: Run,
  { workId, verdict, turn }: Extract<RunInput, { kind: 'admission' }>,
): readonly EventDraft[] => {
  if (run.outcome !== undefined || (run.startedAt !== undefined && !awaitsSlot(run))) return []
  const phase = workId === 'admission:arrival' ? 'arrival' : 'slot'
  if (phase === 'slot' && turn !== undefined && turn !== turnOf(run)) return []
  const by = whoOf(run, verdict)
  const note = noteOf(verdict.order)
  switch (verdict.kind) {
    case 'admitted':
      if (run.admitted[phase] === true) return []
      return [
        {
          eventType: 'run_admitted',
          ...by,
          details: { phase, ...(verdict.order !== undefined && { overLimit: true as const }), ...note },
        },
      ]
    case 'queued':
      return run.queued === undefined || verdict.order !== undefined
        ? [{ eventType: 'run_queued', ...by, details: { reason: verdict.reason, ...note } }]
        : []
    case 'refused':
      return [refused(verdict, by, note)]
  }
}

type By = { readonly principal: Principal; readonly via: Surface }
type Note = { readonly comment?: string }

const refused = (
  { reason, notBefore, replacedBy, order }: Extract<AdmissionVerdict, { kind: 'refused' }>,
  by: By,
  note: Note,
): EventDraft => ({
  eventType: 'run_refused',
  ...by,
  details: {
    reason: order === undefined ? reason : `${reason} by ${by.principal.id}${note.comment ? `: ${note.comment}` : ''}`,
    ...(notBefore !== undefined && { notBefore }),
    ...(replacedBy !== undefined && { replacedBy }),
    ...note,
  },
})

const whoOf = ({ seed }: Run, { order }: AdmissionVerdict): By =>
  order === undefined ? { principal: ENGINE, via: 'engine' } : askerOf(seed.runId, seed.pinned.authority, order)

const noteOf = (order: QueueOrder | undefined): Note =>
  typeof order?.reason === 'string' && order.reason !== '' ? { comment: order.reason.slice(0, 2_000) } : {}

import type { AdmissionAnswer } from '../admission.ts'
import type { AdmissionVerdict, RunInput } from './input.ts'

// admission-answer.ts: what admission said, as it comes by signal or from an activity: from another workflow, maybe of
// another build, so nothing of it is taken on trust.

/** The answer as the rules take it; undefined where it is none. One that fits no question is passed over by the rules. */
export const readAdmissionAnswer = (answer: unknown): Extract<RunInput, { kind: 'admission' }> | undefined => {
  const { phase, verdict, turn } = (answer ?? {}) as Partial<AdmissionAnswer>
  if ((phase !== 'arrival' && phase !== 'slot') || !isVerdict(verdict)) return undefined
  return { kind: 'admission', workId: `admission:${phase}`, verdict, ...(typeof turn === 'number' && { turn }) }
}

const isVerdict = (value: AdmissionVerdict | undefined): value is AdmissionVerdict =>
  (value?.kind === 'admitted' ||
    ((value?.kind === 'queued' || value?.kind === 'refused') && typeof value.reason === 'string')) &&
  (value.order === undefined || (typeof value.order === 'object' && value.order !== null))

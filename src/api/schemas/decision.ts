import { z } from 'zod'
import type {
  ApproveRequest,
  CancelRequest,
  CompleteRequest,
  DecisionRequest,
  RetryRequest,
  SkipRequest,
} from '../../client/client.ts'
import { ERROR_CODES } from '../../core/errors.ts'
import { type DecisionReply, RETRY_OUTCOMES } from '../../core/run/decision.ts'
import { RUN_STATES } from '../../core/run/state.ts'
import { components, jsonRecord } from './registry.ts'

const step = z.int().min(0).max(100_000).describe('Step number; 0 is the gate before the start')
const text = z.string().max(10_000)

const item = z.int().min(1).max(1_000)

const decisionFields = {
  gate: z.string().min(1).max(200).exactOptional().describe('Gate id, e.g. `start` or `3-deploy`'),
  step: step.exactOptional(),
  attempt: z.int().min(1).exactOptional().describe('Which opening of the gate is meant'),
  comment: text.exactOptional(),
  reason: text.exactOptional().describe('The same as comment, for a rejection, a skip or a cancel'),
  decisionId: z.string().min(1).max(200).exactOptional().describe('Makes a repeated call count once'),
}

interface Approved {
  readonly approved?: boolean
}

const approvedAs = (approved: boolean, other: string) =>
  z.literal(approved, { error: `expected ${approved}; for the other decision POST to …/${other}` }).exactOptional()

export const approveBody: z.ZodType<ApproveRequest & Approved> = z
  .strictObject({
    ...decisionFields,
    covers: z.string().min(1).max(200).exactOptional().describe('Digest of what was shown; another one is refused'),
    approved: approvedAs(true, 'reject'),
  })
  .register(components, { id: 'Approval' })
export const rejectBody: z.ZodType<DecisionRequest & Approved> = z
  .strictObject({ ...decisionFields, approved: approvedAs(false, 'approve') })
  .register(components, { id: 'Rejection' })
export const decisionBody: z.ZodType<DecisionRequest> = z
  .strictObject(decisionFields)
  .register(components, { id: 'Decision' })

export const cancelBody: z.ZodType<CancelRequest> = z
  .strictObject({
    ...decisionFields,
    rollback: z.boolean().exactOptional().describe('Undo the finished steps first, in reverse order'),
  })
  .register(components, { id: 'Cancellation' })
export const skipBody: z.ZodType<SkipRequest> = z
  .strictObject({
    ...decisionFields,
    item: item.exactOptional().describe('Only this item of a `for_each` step, from 1'),
  })
  .register(components, { id: 'Skip' })
export const retryBody: z.ZodType<RetryRequest> = z
  .strictObject({
    ...decisionFields,
    item: item
      .exactOptional()
      .describe('Only this item of a `for_each` step, from 1. Absent: all that failed, or are unknown'),
    params: jsonRecord.exactOptional().describe('Params that change'),
    outcome: z
      .enum(RETRY_OUTCOMES)
      .exactOptional()
      .describe('For a step that is `unknown`: it did not run. Absent: run it again though it may have run'),
  })
  .register(components, { id: 'Retry' })

export const completeBody: z.ZodType<CompleteRequest> = z
  .strictObject({
    ...decisionFields,
    values: jsonRecord.exactOptional().describe("Values for the step's form; they become outputs"),
    item: z
      .int()
      .min(1)
      .exactOptional()
      .describe('Of a manual step: tick this item of its checklist. Of a `for_each` step: the item that was unknown'),
    ticked: z.boolean().exactOptional(),
    failed: z.boolean().exactOptional().describe('The step failed'),
  })
  .register(components, { id: 'Completion' })

const seedFields = {
  step: step.exactOptional(),
  approved: z.boolean().default(true).describe('false rejects'),
  comment: text.exactOptional(),
  decisionId: z.string().min(1).max(200).exactOptional(),
}

/** `POST /api/sop/run/<run-id>/approve` of seed 003. */
export const seedApproval = z.strictObject(seedFields).register(components, { id: 'StepDecision' })

/** `POST /api/sop/approve` (rulings 32). */
export const seedOpenApproval = z
  .strictObject({
    sop: z.string().min(1).exactOptional().describe('Name of the SOP: its only open run is meant'),
    runId: z.string().min(1).exactOptional(),
    ...seedFields,
  })
  .refine(({ sop, runId }) => (sop === undefined) !== (runId === undefined), {
    error: 'expected exactly one of "sop" and "runId"',
  })
  .register(components, { id: 'RunDecision' })

export const decisionReply: z.ZodType<DecisionReply> = z
  .object({
    accepted: z.boolean(),
    runId: z.string(),
    status: z.enum(RUN_STATES).describe('State of the run after the decision'),
    gate: z.string().exactOptional(),
    stepNumber: z.int().exactOptional(),
    attempt: z.int().exactOptional(),
    reason: z.string().exactOptional().describe('Why it was refused'),
    code: z.enum(ERROR_CODES).exactOptional(),
    decidedBy: z.string().exactOptional(),
    fields: z
      .array(z.object({ name: z.string(), reason: z.string() }))
      .readonly()
      .exactOptional()
      .describe('Values of a form that do not fit'),
    action: z.string().exactOptional().describe('What a rejection led to'),
    duplicate: z.boolean().exactOptional().describe('The decisionId was seen before; this is the first answer'),
    stored: z.boolean().exactOptional().describe('Stored durably, but no worker has seen it yet'),
  })
  .register(components, { id: 'DecisionReply' })

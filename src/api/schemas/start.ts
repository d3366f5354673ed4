import { z } from 'zod'
import type { StartRequest } from '../../client/client.ts'
import { EXECUTION_MODES } from '../../core/definition.ts'
import { PARAM_SYNONYMS, paramsOf, type ParamSynonyms } from '../../core/param-synonyms.ts'
import { RUN_STATES } from '../../core/run/state.ts'
import { triggerRequest } from './principal.ts'
import { components, jsonRecord, list } from './registry.ts'
import { runSummary, runView } from './run.ts'

/** A start as it comes over the wire: the params by any of their words. */
export type StartBody = Omit<StartRequest, 'params'> & ParamSynonyms

const synonym = jsonRecord.exactOptional().describe('The same as params. Give only one of them')

export const startBody: z.ZodType<StartBody> = z
  .strictObject({
    params: jsonRecord.exactOptional(),
    vars: synonym,
    variables: synonym,
    payload: synonym,
    executionMode: z.enum(EXECUTION_MODES).exactOptional().describe('A looser mode than the SOP asks for needs admin'),
    skipApproval: z.boolean().exactOptional().describe('Approves plain gates as the caller; never for agents'),
    force: z.boolean().exactOptional().describe('Passes over conditions and cooldown; needs admin'),
    idempotencyKey: z.string().min(1).max(256).exactOptional().describe('The header Idempotency-Key means the same'),
    trigger: triggerRequest.exactOptional().describe('Any type but `manual` needs admin'),
    wait: z.boolean().exactOptional().describe('false: answer as soon as the start is durable'),
  })
  .register(components, { id: 'StartRequest' })

/** The request that a start body means. @throws SopError `invalid` when params come by two words */
export function startRequestOf(body: StartBody): StartRequest {
  const params = paramsOf(body)
  const rest = Object.fromEntries(
    Object.entries(body).filter(([key]) => !(PARAM_SYNONYMS as readonly string[]).includes(key)),
  ) as StartRequest
  return params === undefined ? rest : { ...rest, params }
}

export const triggered = z
  .object({ runId: z.string(), status: z.enum(RUN_STATES), url: z.string().describe('Where the run can be read') })
  .register(components, { id: 'Triggered' })

export const sopStatus = z
  .object({
    sop: z.string(),
    runId: z.string().nullable(),
    status: z.enum(RUN_STATES).nullable(),
    currentStep: z.int().nullable(),
    totalSteps: z.int().nullable(),
    run: runView.nullable().describe('The newest run'),
    openRuns: list(runSummary),
  })
  .register(components, { id: 'SopStatus', description: 'The newest run of an SOP, and its open runs' })

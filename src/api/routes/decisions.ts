import type { DecisionRequest, SopClient } from '../../client/client.ts'
import { assertMay, may } from '../../core/access.ts'
import type { DecisionReply } from '../../core/run/decision.ts'
import { refusal } from '../problem.ts'
import { route, type Answer, type Call, type Reply, type Route } from '../route.ts'
import {
  approveBody,
  cancelBody,
  completeBody,
  decisionBody,
  decisionReply,
  rejectBody,
  retryBody,
  skipBody,
} from '../schemas/decision.ts'

/** How a decision is answered: 202 when it is stored and nobody has seen it yet. A refused one is a problem. */
export function answerTo(reply: DecisionReply): Answer {
  if (!reply.accepted) throw refusal(reply)
  return { status: reply.stored === true ? 202 : 200, json: reply }
}

export const decisionReplies: Readonly<Record<number, Reply>> = {
  200: { description: 'Accepted', schema: decisionReply },
  202: { description: 'Stored durably; no worker has seen it yet', schema: decisionReply },
}

const decision = { method: 'post', tag: 'Decisions', replies: decisionReplies } as const

export const decisionRoutes: readonly Route[] = [
  route({
    ...decision,
    path: '/api/v1/runs/:id/approve',
    operationId: 'approveStep',
    summary: 'Approve the open gate',
    description: 'With several gates open, `gate` or `step` says which one. A gate that is not open refuses.',
    verb: 'approveStep',
    body: approveBody,
    example: { step: 2, comment: 'Tests passed, proceeding' },
    handle: async ({ client, params, body }) => {
      const { step, approved: _, ...request } = body
      return answerTo(await client.approveStep(params.id ?? '', step, request))
    },
  }),
  route({
    ...decision,
    path: '/api/v1/runs/:id/reject',
    operationId: 'rejectStep',
    summary: 'Reject the open gate',
    verb: 'rejectStep',
    body: rejectBody,
    example: { step: 2, reason: 'Backup failed - insufficient disk space' },
    handle: async ({ client, params, body }) => {
      const { step, approved: _, ...request } = body
      return answerTo(await client.rejectStep(params.id ?? '', step, request))
    },
  }),
  route({
    ...decision,
    path: '/api/v1/runs/:id/complete',
    operationId: 'completeStep',
    summary: 'Complete a manual step, or tick one of its items',
    description: 'Its assignee may, and any operator.',
    verb: 'completeStep',
    handlerDecides: true,
    body: completeBody,
    example: { step: 3, values: { ticket: 'OPS-7' } },
    handle: async (call) => {
      await assertMayComplete(call)
      const { step, ...request } = call.body
      return answerTo(await call.client.completeStep(call.params.id ?? '', step, request))
    },
  }),
  route({
    ...decision,
    path: '/api/v1/runs/:id/skip',
    operationId: 'skipStep',
    summary: 'Skip a step that waits for somebody',
    verb: 'skipStep',
    body: skipBody,
    example: { step: 3, reason: 'Done by hand already' },
    handle: async ({ client, params, body }) => {
      const { step, ...request } = body
      return answerTo(await client.skipStep(params.id ?? '', step, request))
    },
  }),
  route({
    ...decision,
    path: '/api/v1/runs/:id/cancel',
    operationId: 'cancelRun',
    summary: 'End a run at once, or after undoing what it did',
    verb: 'cancelRun',
    body: cancelBody,
    example: { reason: 'Wrong version' },
    handle: async ({ client, params, body }) => answerTo(await client.cancelRun(params.id ?? '', body)),
  }),
  route({
    ...decision,
    path: '/api/v1/runs/:id/pause',
    operationId: 'pauseRun',
    summary: 'Pause a run at the next boundary between two steps',
    verb: 'pauseRun',
    body: decisionBody,
    example: { reason: 'Waiting for the network team' },
    handle: async ({ client, params, body }) => answerTo(await client.pauseRun(params.id ?? '', body)),
  }),
  route({
    ...decision,
    path: '/api/v1/runs/:id/resume',
    operationId: 'resumeRun',
    summary: 'Go on after a pause',
    verb: 'resumeRun',
    body: decisionBody,
    example: { comment: 'The network is back' },
    handle: async ({ client, params, body }) => answerTo(await client.resumeRun(params.id ?? '', body)),
  }),
  route({
    ...decision,
    path: '/api/v1/runs/:id/retry',
    operationId: 'retryRun',
    summary: 'Try again from where a run stopped, or from an earlier step',
    verb: 'retryRun',
    body: retryBody,
    example: { step: 3, params: { version: '1.4.3' }, comment: 'Fixed the version' },
    handle: async ({ client, params, body }) => answerTo(await client.retryRun(params.id ?? '', body)),
  }),
]

/** Who has the role needs no look at the run; for everyone else it must say that they are the assignee. */
async function assertMayComplete({ client, actor, params, body }: Call<unknown, DecisionRequest>): Promise<void> {
  if (may(actor, 'completeStep').ok) return
  assertMay(actor, 'completeStep', { assignee: await assigneeOf(client, params.id ?? '', body.step) })
}

async function assigneeOf(client: SopClient, ref: string, step: number | undefined): Promise<string | undefined> {
  const { openInputs } = await client.getRunStatus(ref)
  const meant = step === undefined ? openInputs : openInputs.filter(({ stepNumber }) => stepNumber === step)
  return meant.length === 1 ? meant[0]?.assignee : undefined
}

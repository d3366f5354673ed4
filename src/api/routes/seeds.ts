// seeds.ts: the paths of the systems before this one, with their bodies and answers (product.md 7, rulings 32).

import type { SopClient } from '../../client/client.ts'
import { isClosed, RUN_STATES } from '../../core/run/state.ts'
import { route, type Route } from '../route.ts'
import { seedApproval, seedOpenApproval } from '../schemas/decision.ts'
import { sopStatus, startBody, triggered } from '../schemas/start.ts'
import { answerTo, decisionReplies } from './decisions.ts'
import { start } from './sops.ts'

const OPEN_STATES = RUN_STATES.filter((state) => !isClosed(state))

export const seedRoutes = (baseUrl: (host: string) => string): readonly Route[] => [
  route({
    method: 'post',
    path: '/api/sop/:name/trigger',
    operationId: 'triggerSop',
    tag: 'Short paths',
    summary: 'Start a run',
    verb: 'createRun',
    body: startBody,
    example: { variables: { severity: 'high', service: 'api' } },
    replies: { 202: { description: 'Started durably', schema: triggered } },
    handle: async (call) => {
      const { runId, status } = await start(call)
      const path = `/api/v1/runs/${encodeURIComponent(runId)}`
      return {
        status: 202,
        json: { runId, status, url: baseUrl(call.request.headers.host ?? '') + path },
        headers: { Location: path },
      }
    },
  }),
  route({
    method: 'get',
    path: '/api/sop/:name/status',
    operationId: 'getSopStatus',
    tag: 'Short paths',
    summary: 'The newest run of an SOP, and its open runs',
    verb: 'getRunStatus',
    replies: { 200: { description: 'Its runs', schema: sopStatus } },
    handle: async ({ client, params }) => ({ status: 200, json: await statusOf(client, params.name ?? '') }),
  }),
  route({
    method: 'post',
    path: '/api/sop/run/:runId/approve',
    operationId: 'decideStep',
    tag: 'Short paths',
    summary: 'Approve or reject a step',
    verb: 'approveStep',
    body: seedApproval,
    example: { step: 2, approved: true, comment: 'Looks good' },
    replies: decisionReplies,
    handle: async ({ client, params, body }) => decide(client, params.runId ?? '', body),
  }),
  route({
    method: 'post',
    path: '/api/sop/approve',
    operationId: 'decideRun',
    tag: 'Short paths',
    summary: "Approve or reject by the SOP's name or the run's id",
    verb: 'approveStep',
    body: seedOpenApproval,
    example: { sop: 'deploy-production', approved: true },
    replies: decisionReplies,
    handle: async ({ client, body: { sop, runId, ...decision } }) => decide(client, sop ?? runId ?? '', decision),
  }),
]

interface SeedDecision {
  readonly step?: number
  readonly approved: boolean
  readonly comment?: string
  readonly decisionId?: string
}

async function decide(client: SopClient, ref: string, { step, approved, ...request }: SeedDecision) {
  return answerTo(await (approved ? client.approveStep(ref, step, request) : client.rejectStep(ref, step, request)))
}

async function statusOf(client: SopClient, name: string) {
  const [newest, openRuns] = await Promise.all([
    client.listRuns({ sop: name, limit: 1 }),
    client.listRuns({ sop: name, states: OPEN_STATES, limit: 1000 }),
  ])
  // An SOP that never ran is told from a name that nobody knows.
  if (newest[0] === undefined) await client.getSop(name)
  const run = newest[0] === undefined ? null : await client.getRunStatus(newest[0].runId)
  return {
    sop: name,
    runId: run?.runId ?? null,
    status: run?.status ?? null,
    currentStep: run?.currentStep ?? null,
    totalSteps: run?.totalSteps ?? null,
    run,
    openRuns,
  }
}

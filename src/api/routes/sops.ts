import type { Request } from 'express'
import type { StartRequest } from '../../client/client.ts'
import { assertMay, assertMayStart } from '../../core/access.ts'
import { SopError } from '../../core/errors.ts'
import { route, type Call, type Route } from '../route.ts'
import { createdSop, newSop, runPlan, sopDetail, sopList, sopVersionDetail, sopVersions } from '../schemas/sop.ts'
import { runView } from '../schemas/run.ts'
import { startBody, startRequestOf, type StartBody } from '../schemas/start.ts'

const SOP = '/api/v1/sops/:name'

export const sopRoutes = (policy: { readonly agentsMayCreate: boolean }): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/sops',
    operationId: 'listSops',
    tag: 'SOPs',
    summary: 'All SOPs by name, broken ones last',
    verb: 'listSops',
    replies: { 200: { description: 'The catalog', schema: sopList } },
    handle: async ({ client }) => ({ status: 200, json: { sops: await client.listSops() } }),
  }),
  route({
    method: 'get',
    path: SOP,
    operationId: 'getSop',
    tag: 'SOPs',
    summary: 'One SOP: definition, findings, source',
    verb: 'getSop',
    replies: { 200: { description: 'The SOP', schema: sopDetail } },
    handle: async ({ client, params }) => ({ status: 200, json: await client.getSop(params.name ?? '') }),
  }),
  route({
    method: 'get',
    path: `${SOP}/versions`,
    operationId: 'listSopVersions',
    tag: 'SOPs',
    summary: 'The definitions that its runs ran by, and the one of its file now',
    verb: 'getSop',
    replies: { 200: { description: 'Newest first', schema: sopVersions } },
    handle: async ({ client, params }) => ({
      status: 200,
      json: { versions: await client.listSopVersions(params.name ?? '') },
    }),
  }),
  route({
    method: 'get',
    path: `${SOP}/versions/:digest`,
    operationId: 'getSopVersion',
    tag: 'SOPs',
    summary: 'One of its definitions, with the text that it was compiled of',
    verb: 'getSop',
    replies: { 200: { description: 'The definition', schema: sopVersionDetail } },
    handle: async ({ client, params }) => ({
      status: 200,
      json: await client.getSopVersion(params.name ?? '', params.digest ?? ''),
    }),
  }),
  route({
    method: 'post',
    path: '/api/v1/sops',
    operationId: 'createSop',
    tag: 'SOPs',
    summary: 'Write a new SOP that runs',
    description:
      'SOPs run commands, so this is code execution: admins only, agents only where the configuration says so.',
    verb: 'createSop',
    handlerDecides: true,
    body: newSop,
    example: { name: 'rotate-logs', description: 'Rotate the logs', mode: 'supervised', priority: 'low' },
    replies: { 201: { description: 'Written', schema: createdSop } },
    handle: async ({ client, actor, body }) => {
      assertMay(actor, 'createSop', policy)
      const created = await client.createSop(body)
      return { status: 201, json: created, headers: { Location: `/api/v1/sops/${encodeURIComponent(created.name)}` } }
    },
  }),
  route({
    method: 'post',
    path: `${SOP}/plan`,
    operationId: 'planRun',
    tag: 'SOPs',
    summary: 'The dry run: what a run would do',
    verb: 'planRun',
    body: startBody,
    example: { params: { version: '2.1.0' } },
    replies: { 200: { description: 'The plan; nothing was started', schema: runPlan } },
    handle: async ({ client, params, body }) => ({
      status: 200,
      json: await client.planRun(params.name ?? '', startRequestOf(body)),
    }),
  }),
  route({
    method: 'post',
    path: `${SOP}/runs`,
    operationId: 'createRun',
    tag: 'Runs',
    summary: 'Start a run',
    description: 'Answers when the first gate is open or the first step has started, after 5 s at the latest.',
    verb: 'createRun',
    body: startBody,
    example: { params: { environment: 'production', version: '2.1.0' }, executionMode: 'step_by_step' },
    replies: { 201: { description: 'Started; Location names the run', schema: runView } },
    handle: async (call) => {
      const view = await start(call)
      return { status: 201, json: view, headers: { Location: `/api/v1/runs/${encodeURIComponent(view.runId)}` } }
    },
  }),
]

/** Starts the run that a body asks for, after what its options need besides the role (rulings 22, 29). */
export async function start({ client, params, body, actor, request }: Call<unknown, StartBody>) {
  const wanted = withKey(startRequestOf(body), request)
  assertMayStart(actor, wanted)
  return client.createRun(params.name ?? '', wanted)
}

function withKey(wanted: StartRequest, request: Request): StartRequest {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || key === '') return wanted
  if (key.length > 256)
    throw new SopError('invalid', 'Cannot start a run: the Idempotency-Key is longer than 256 characters')
  if (wanted.idempotencyKey !== undefined && wanted.idempotencyKey !== key) {
    throw new SopError(
      'invalid',
      'Cannot start a run: the header Idempotency-Key and "idempotencyKey" differ. Give only one',
    )
  }
  return { ...wanted, idempotencyKey: key }
}

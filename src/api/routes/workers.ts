import type { RecordedLog } from '../../client/records.ts'
import type { LogSum, WorkerDoor } from '../../client/worker-door.ts'
import { SopError } from '../../core/errors.ts'
import type { ExecutableId } from '../../core/run/task.ts'
import { route, type Route } from '../route.ts'
import { EXECUTABLE_ID, logNext, logSum, paramValue, putQuery, runState, welcome } from '../schemas/worker.ts'

const LOG = '/api/v1/worker/logs/:id/:command/:attempt'

/** What workers of pools ask for; people have no use for it. */
export const workerRoutes = (door: WorkerDoor): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/worker',
    operationId: 'welcomeWorker',
    tag: 'Workers',
    summary: 'Where Temporal is, and whose signatures count',
    verb: 'serveSteps',
    replies: { 200: { description: 'What a worker has to know', schema: welcome } },
    handle: async ({ actor }) => ({ status: 200, json: door.welcome(actor) }),
  }),
  route<{ readonly offset: number }>({
    method: 'put',
    path: LOG,
    operationId: 'putLog',
    tag: 'Workers',
    summary: "A stretch of a step's log",
    description:
      'Idempotent: bytes that are there already are passed over. A gap, or other bytes than those that are there, is a 409, the ' +
      'first with `expected`, the offset to go on from. `command` is `step:N`, `verify:N` or `rollback:N`.',
    verb: 'serveSteps',
    query: putQuery,
    takesBytes: true,
    replies: { 200: { description: 'Kept', schema: logNext } },
    handle: async ({ actor, params, query, bytes }) => ({
      status: 200,
      json: await door.putLog(actor, logOf(params), query.offset, bytes),
    }),
  }),
  route<Record<string, never>, LogSum>({
    method: 'post',
    path: `${LOG}/end`,
    operationId: 'endLog',
    tag: 'Workers',
    summary: 'The log is whole',
    description: 'Closes it. A 409 where what was kept is not what the length and the SHA-256 say.',
    verb: 'serveSteps',
    body: logSum,
    replies: { 204: { description: 'Checked and closed' } },
    handle: async ({ actor, params, body }) => {
      await door.endLog(actor, logOf(params), body)
      return { status: 204 }
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/worker/runs/:id',
    operationId: 'getRunState',
    tag: 'Workers',
    summary: 'Whether a run is over, so that its scratch folder can go',
    verb: 'serveSteps',
    replies: { 200: { description: 'The state of the run', schema: runState } },
    handle: async ({ actor, params }) => ({ status: 200, json: await door.runState(actor, params.id ?? '') }),
  }),
  route({
    method: 'get',
    path: '/api/v1/worker/runs/:id/params/:name',
    operationId: 'getSecretParam',
    tag: 'Workers',
    summary: 'The value of a secret param',
    description: 'Only of open runs that have steps on a pool that the worker may serve.',
    verb: 'serveSteps',
    replies: { 200: { description: 'The value', schema: paramValue } },
    handle: async ({ actor, params }) => ({
      status: 200,
      json: await door.secretParam(actor, params.id ?? '', params.name ?? ''),
    }),
  }),
]

const logOf = ({ id = '', command = '', attempt = '' }: Readonly<Record<string, string>>): RecordedLog => {
  if (!EXECUTABLE_ID.test(command)) {
    throw new SopError('invalid', `Cannot read "command" in the path: expected step:N, verify:N or rollback:N`)
  }
  if (!/^[1-9]\d{0,6}$/.test(attempt)) {
    throw new SopError('invalid', 'Cannot read "attempt" in the path: expected a number from 1')
  }
  return { runId: id, executableId: command as ExecutableId, attempt: Number(attempt) }
}

import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { ulid } from 'ulid'
import { type Actor, assertMay, type Verb } from '../core/access.ts'
import { type AdmissionState, EMPTY_ADMISSION, type QueueCommand, type QueueReply } from '../core/admission.ts'
import { queueOf } from '../core/admission/queue.ts'
import { SopError } from '../core/errors.ts'
import { type QueueOrder, sealedOrder } from '../core/run/queue-order.ts'
import { ADMISSION_COMMAND, ADMISSION_QUEUE, admissionId } from '../workflows/messages.ts'
import { type FindDeps, findRun, unavailable } from './find-run.ts'
import type { QueueChange, QueueClient, QueueRequest } from './queue-client.ts'
import type { InstallationKey } from './signing.ts'

export interface QueueDeps extends FindDeps {
  readonly temporal: Client
  readonly taskQueue: string
  readonly key: Pick<InstallationKey, 'seal'>
}

/** How long admission may take to answer, in milliseconds. */
const DEADLINE_MS = 10_000

/** The queue, from the workflow that keeps it. Orders are sealed: the run puts on record who gave them. */
export const createQueueMethods = (deps: QueueDeps, actor: Actor): QueueClient => {
  const order = async (
    verb: Verb,
    ref: string,
    asked: Pick<QueueOrder, 'action' | 'place'>,
    { reason }: QueueRequest = {},
  ): Promise<QueueChange> => {
    assertMay(actor, verb)
    const runId = await findRun(deps, ref)
    const { principal, via } = actor
    const said: QueueOrder = { ...asked, ...(reason !== undefined && { reason }), principal, via }
    const reply = await send(deps, { runId, ...said, seal: deps.key.seal(sealedOrder(runId, said)) })
    if (!reply.accepted) {
      const why = reply.reason ?? 'it was refused'
      throw new SopError(reply.code ?? 'conflict', `Cannot ${asked.action} run "${runId}": ${why}`, {
        runId,
        reason: why,
      })
    }
    return { runId, action: asked.action, ...(reply.position !== undefined && { position: reply.position }) }
  }
  return {
    getQueue: async () => {
      assertMay(actor, 'getQueue')
      return queueOf(await readState(deps), new Date().toISOString())
    },
    moveInQueue: (ref, place, request) => order('moveInQueue', ref, { action: 'move', place }, request),
    dropFromQueue: (ref, request) => order('dropFromQueue', ref, { action: 'drop' }, request),
    admitFromQueue: (ref, request) => order('admitFromQueue', ref, { action: 'admit' }, request),
  }
}

/** Where nothing ever asked for admission, nothing waits. */
const readState = async ({ temporal, taskQueue }: QueueDeps): Promise<AdmissionState> => {
  try {
    return await temporal.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      temporal.workflow.getHandle(admissionId(taskQueue)).query<AdmissionState>(ADMISSION_QUEUE),
    )
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return EMPTY_ADMISSION
    throw unavailable(error)
  }
}

const send = async ({ temporal, taskQueue }: QueueDeps, command: QueueCommand): Promise<QueueReply> => {
  const { runId } = command
  try {
    return await temporal.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      temporal.workflow
        .getHandle(admissionId(taskQueue))
        .executeUpdate<QueueReply, [QueueCommand]>(ADMISSION_COMMAND, { args: [command], updateId: ulid() }),
    )
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      return { accepted: false, runId, code: 'not_found', reason: `run "${runId}" does not wait for admission` }
    throw unavailable(error)
  }
}

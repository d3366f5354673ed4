import { defaultPayloadConverter } from '@temporalio/common'
import type { WorkflowHandle } from '@temporalio/client'
import { temporal as proto } from '@temporalio/proto'
import { newRun } from '../../src/core/run/evolve.ts'
import { seedOf } from '../../src/core/run/seed.ts'
import { transition } from '../../src/core/run/transition.ts'
import { RUN_WORKFLOW, type RunSopInput } from '../../src/workflows/messages.ts'
import type { TestEngine } from './engine.ts'

const namespace = 'default'

/**
 * Begins a workflow as an execution that another one handed it to. The first of them is carried out by the test, so that
 * messages find the second before a worker has seen it. The engine has no worker afterwards.
 */
export const beginHandedOver = async (
  { temporal, taskQueue, stopWorker }: TestEngine,
  { type, workflowId, input }: { readonly type: string; readonly workflowId: string; readonly input: unknown },
): Promise<WorkflowHandle> => {
  await stopWorker()
  // Nobody else's task comes from a queue of its own.
  const own = `first-of-${workflowId}`
  await temporal.workflow.start(type, { workflowId, taskQueue: own, args: [] })
  const { taskToken } = await temporal.workflowService.pollWorkflowTaskQueue({
    namespace,
    taskQueue: { name: own },
    identity: 'test',
  })
  await temporal.workflowService.respondWorkflowTaskCompleted({
    taskToken,
    identity: 'test',
    namespace,
    commands: [
      {
        commandType: proto.api.enums.v1.CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continueAsNewWorkflowExecutionCommandAttributes: {
          workflowType: { name: type },
          taskQueue: { name: taskQueue },
          input: { payloads: [defaultPayloadConverter.toPayload(input)] },
        },
      },
    ],
  })
  return temporal.workflow.getHandle(workflowId)
}

/** A run of an SOP that stands where it stands after its creation, handed over to an execution that no worker has seen. */
export const handOverRun = async (engine: TestEngine, sop: string, runId: string): Promise<WorkflowHandle> => {
  const { digest } = await engine.client.createRun(sop)
  const pinned = await engine.stores.audit.readDefinition(digest)
  if (pinned === undefined) throw new Error(`Cannot find the definition of "${sop}"`)
  const { run, events } = transition(newRun(seedOf(runId, {}, pinned)), { kind: 'create' }, new Date().toISOString())
  const input: RunSopInput = { sop, snapshot: { run, tail: events, inbox: [], executions: 1 } }
  return beginHandedOver(engine, { type: RUN_WORKFLOW, workflowId: runId, input })
}

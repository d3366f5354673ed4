import { command } from '../../support/definitions.ts'
import { ok } from '../../support/play.ts'
import { servePool } from '../../support/pool-worker.ts'
import { type Case, isOver, seen } from './case.ts'

/** Steps that workers of a pool carry out, and that wait for one. */
export const POOL_CASES: readonly Case[] = [
  {
    name: 'pool-waited-and-taken',
    until: isOver,
    steps: [{}, { runsOn: 'late[eu]', verify: [command('true')] }, {}],
    play: async (engine, runId) => {
      await seen(engine, runId, 'step_waiting')
      const stop = await servePool(engine, 'late[eu]', async ({ executableId }) => {
        if (executableId === 'step:2') await seen(engine, runId, 'step_taken')
        return ok()
      })
      await seen(engine, runId, 'run_completed')
      await stop()
    },
  },
  {
    name: 'pool-waiting',
    until: ({ poolWaits }) => poolWaits !== undefined,
    steps: [{ requiresApproval: true, runsOn: 'nobody' }],
    play: (engine, runId) => engine.client.approveStep(runId),
  },
]

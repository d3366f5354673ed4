import { breakRecord } from '../../support/broken-record.ts'
import { until } from '../../support/engine.ts'
import { type Case, isOver } from './case.ts'

/** Runs whose record cannot be written for a while; the engine that makes these lets four events wait. */
export const RECORD_CASES: readonly Case[] = [
  {
    name: 'record-down-held-and-released',
    until: isOver,
    steps: [{ requiresApproval: true }, {}, {}],
    play: async (engine, runId) => {
      const mend = await breakRecord(engine.dataDir, 'record-down-held-and-released', runId)
      await engine.client.approveStep(runId)
      await until(
        () => engine.client.getRunStatus(runId),
        ({ held }) => held !== undefined,
      )
      await mend()
    },
  },
]

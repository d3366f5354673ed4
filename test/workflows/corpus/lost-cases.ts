import type { ProbeAnswer } from '../../../src/core/run/task.ts'
import { ok } from '../../support/play.ts'
import { dieOn, serveHost, servePool } from '../../support/pool-worker.ts'
import { type Case, isOver, isPaused, seen } from './case.ts'
import type { TestEngine } from '../../support/engine.ts'

// Commands whose worker dies, and what their host says of them. A pool has such a worker without one of the test's own dying.

const HOST = 'feedfacecafe0001'

/** The first worker of the pool dies with its command; a later one of the same pool does it. */
const deadOnce = async (engine: TestEngine, pool: string, host: string): Promise<() => Promise<void>> => {
  let died = false
  return servePool(engine, pool, () => {
    if (died) return Promise.resolve(ok())
    died = true
    return dieOn(host)
  })
}

const hostThat = (host: string, answer: ProbeAnswer): Promise<() => Promise<void>> =>
  serveHost(host, {
    probeCommand: () => Promise.resolve(answer),
    adoptCommand: () => Promise.resolve(ok({ outputs: { made: 'here' }, adopted: 'far-host' })),
  })

const lost = (pool: string, host: string, answer: ProbeAnswer, last: 'run_completed' | 'run_paused') => ({
  play: async (engine: TestEngine, runId: string): Promise<void> => {
    const stops = [await deadOnce(engine, pool, host), await hostThat(host, answer)]
    await seen(engine, runId, last)
    await Promise.all(stops.map((stop) => stop()))
  },
})

/** Steps whose worker was lost. */
export const LOST_CASES: readonly Case[] = [
  {
    name: 'lost-and-adopted',
    until: isOver,
    steps: [{}, { runsOn: 'dba', outputs: ['made'] }, {}],
    ...lost('dba', HOST, { state: 'adoptable' }, 'run_completed'),
  },
  {
    name: 'lost-and-begun-again',
    until: isOver,
    steps: [{ runsOn: 'web', idempotent: true }, {}],
    ...lost('web', 'feedfacecafe0002', { state: 'lost', reason: 'the host was started again' }, 'run_completed'),
  },
  {
    name: 'lost-and-never-begun',
    until: isOver,
    steps: [{ runsOn: 'mail' }],
    ...lost('mail', 'feedfacecafe0003', { state: 'never' }, 'run_completed'),
  },
  {
    name: 'lost-and-unknown',
    until: isPaused,
    steps: [{ runsOn: 'bank' }, {}],
    ...lost('bank', 'feedfacecafe0004', { state: 'lost', reason: 'the host was started again' }, 'run_paused'),
  },
]

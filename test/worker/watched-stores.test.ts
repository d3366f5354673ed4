import { expect, test } from 'vitest'
import type { AuditStore } from '../../src/activities/deps.ts'
import type { RunEvent } from '../../src/core/run/event.ts'
import { storeChecks } from '../../src/engine/store-checks.ts'
import { watchAudit } from '../../src/worker/watched-stores.ts'

const START = Date.parse('2026-11-21T03:00:00.000Z')
const iso = (seconds: number): string => new Date(START + seconds * 1000).toISOString()

/** `takes`: how far the store takes the events of a run; `fails`: it throws. */
const world = () => {
  const state = { now: START, takes: Number.POSITIVE_INFINITY, fails: false }
  const audit = {
    append: async (_run: unknown, events: readonly RunEvent[]) => {
      if (state.fails) throw new Error('gone')
      return Math.min(state.takes, events.at(-1)?.sequence ?? 0)
    },
  } as unknown as AuditStore
  const watched = watchAudit(audit, () => state.now)
  const append = (runId: string, from: number, to: number): Promise<number> =>
    watched.store.append(
      { runId, sop: 'x' },
      Array.from({ length: to - from + 1 }, (_, index) => {
        const sequence = from + index
        return { sequence, timestamp: iso(sequence), runId } as unknown as RunEvent
      }),
    )
  return { state, watched, append }
}

test('a store that takes everything is up, and nothing waits', async () => {
  const { watched, append } = world()
  expect(await append('a', 1, 3)).toBe(3)
  expect(watched.state()).toEqual({ runs: 0, waiting: 0 })
})

test('a store that takes nothing is down since the first write that failed, and what waits is counted once for each run', async () => {
  const { state, watched, append } = world()
  state.takes = 2
  await append('a', 1, 3)
  state.now += 5000
  await append('a', 1, 6)
  await append('b', 4, 4)
  expect(watched.state()).toEqual({ downSince: iso(0), runs: 2, waiting: 5, oldestAt: iso(3) })
  expect(
    storeChecks({ recordState: watched.state, logState: () => ({ runs: 0, waiting: 0 }) }, START + 63_000)['records'],
  ).toMatchObject({
    ok: false,
    since: iso(0),
    detail: 'the record cannot be written: 5 events wait for it, of 2 runs',
    figures: { unrecordedEvents: 5, runs: 2, lagMs: 60_000 },
  })
  state.takes = Number.POSITIVE_INFINITY
  await append('a', 1, 6)
  expect(watched.state()).toMatchObject({ downSince: iso(0), runs: 1, waiting: 1 })
  await append('b', 4, 4)
  expect(watched.state()).toEqual({ runs: 0, waiting: 0 })
})

test('a store that throws counts as one that takes nothing, and its error goes on', async () => {
  const { state, watched, append } = world()
  state.fails = true
  await expect(append('a', 1, 2)).rejects.toThrow('gone')
  expect(watched.state()).toMatchObject({ downSince: iso(0), waiting: 2 })
})

test('a run that tries no more, since it was terminated, is forgotten', async () => {
  const { state, watched, append } = world()
  state.takes = 0
  await append('a', 1, 2)
  state.now += 121_000
  expect(watched.state()).toEqual({ runs: 0, waiting: 0 })
})

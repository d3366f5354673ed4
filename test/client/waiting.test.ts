import { expect, test } from 'vitest'
import { createWaiting } from '../../src/client/waiting.ts'
import type { Records } from '../../src/client/records.ts'
import type { Actor } from '../../src/core/access.ts'
import type { RecordedEvent, RunEvent } from '../../src/core/run/event.ts'
import { applyToSummary, summaryOfState } from '../../src/core/run/summary.ts'
import type { SummaryState } from '../../src/core/run/summary-state.ts'
import { sopOf } from '../support/definitions.ts'
import { ok, Play } from '../support/play.ts'

const actor: Actor = { principal: { id: 'bob', kind: 'user', role: 'operator' }, via: 'web' }

/** Records that count what they are asked. */
const recordsOf = (plays: readonly Play[]) => {
  const asked = { lists: 0, reads: [] as string[], definitions: 0 }
  const summaries = () =>
    plays.map(({ events }) =>
      summaryOfState(
        (events as readonly RunEvent[]).reduce<SummaryState | undefined>(applyToSummary, undefined) as SummaryState,
      ),
    )
  const records = {
    index: {
      list: async ({ states = [] }: { states?: readonly string[] }) => {
        asked.lists += 1
        return summaries().filter(({ status }) => states.includes(status))
      },
    },
    audit: {
      read: async (runId: string) => {
        asked.reads.push(runId)
        return (plays.find(({ seed }) => seed.runId === runId)?.events ?? []) as unknown as readonly RecordedEvent[]
      },
      readDefinition: async () => {
        asked.definitions += 1
        return plays[0]?.seed.pinned
      },
    },
  } as unknown as Pick<Records, 'audit' | 'index'>
  return { records, asked }
}

const manual = { kind: 'manual' } as const
const play = (index: number): Play =>
  new Play(sopOf({ steps: [{ requiresApproval: true }, { action: manual }] }), { runId: `sop_run_${index}` }).start()

test('what is asked again is not read again: a question costs two lists, whatever waits', async () => {
  const plays = Array.from({ length: 50 }, (_, index) => play(index))
  const { records, asked } = recordsOf(plays)
  const read = createWaiting(records)
  expect((await read(actor)).items).toHaveLength(50)
  expect([asked.lists, asked.reads.length, asked.definitions]).toEqual([2, 50, expect.any(Number)])
  for (let page = 0; page < 20; page++) await read(actor)
  expect([asked.lists, asked.reads.length]).toEqual([42, 50])
  expect(asked.definitions).toBeLessThan(50)
})

test('only what changed is read anew, and what does not wait any more is forgotten', async () => {
  const plays = [play(0), play(1), play(2)]
  const { records, asked } = recordsOf(plays)
  const read = createWaiting(records)
  await read(actor)
  asked.reads.length = 0
  plays[1]?.decide('approve')
  plays[1]?.ends(ok())
  const { items, total, mine } = await read(actor)
  expect(asked.reads).toEqual(['sop_run_1'])
  expect(items.map(({ runId, kind }) => [runId, kind])).toEqual(
    expect.arrayContaining([
      ['sop_run_0', 'gate'],
      ['sop_run_1', 'input'],
      ['sop_run_2', 'gate'],
    ]),
  )
  expect([total, mine]).toEqual([3, 3])
  plays[1]?.decide('complete')
  expect((await read(actor)).total).toBe(2)
})

test('of very many the most urgent are shown, and all are counted', async () => {
  const { records } = recordsOf(Array.from({ length: 250 }, (_, index) => play(index)))
  const { items, total, mine } = await createWaiting(records)(actor)
  expect([items.length, total, mine]).toEqual([200, 250, 250])
})

test('nobody reads it without a role', async () => {
  const { records } = recordsOf([])
  await expect(createWaiting(records)({ principal: { id: 'x', kind: 'user' }, via: 'web' })).rejects.toMatchObject({
    code: 'forbidden',
  })
})

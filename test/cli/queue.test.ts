import { describe, expect, test } from 'vitest'
import { queueSample } from '../support/fake-client.ts'
import { sop } from './support/sop.ts'

const engine = {
  getQueue: async () => queueSample,
  moveInQueue: async (runId: string) => ({ runId, action: 'move' as const, position: 2 }),
  dropFromQueue: async (runId: string) => ({ runId, action: 'drop' as const }),
  admitFromQueue: async (runId: string) => ({ runId, action: 'admit' as const }),
}

test('sop queue shows what waits and for what; with --long also who holds it', async () => {
  const short = await sop(['queue'], { engine })
  expect(short.out).toMatch(/^#\s+RUN\s+SOP\s+PRIORITY\s+SINCE\s+WAITS FOR\n/)
  expect(short.out).toMatch(/1\s+sop_run_b\s+deploy-production\s+high\s+.*run "sop_run_a" holds lock "cluster-x"/)
  expect(short.out).not.toContain('HOLDS')
  expect((await sop(['queue', '--long'], { engine })).out).toMatch(/sop_run_a\s+patch\s+yes\s+cluster-x/)
  expect(JSON.parse((await sop(['queue', '--json'], { engine })).out)).toEqual(queueSample)
  const empty = await sop(['queue'], { engine: { getQueue: async () => ({ waiting: [], holders: [] }) } })
  expect(empty.out).toBe('Nothing waits for admission.\n')
})

describe('orders', () => {
  test.each([
    [['move', 'r1'], 'moveInQueue', ['r1', { to: 'front' }, {}], 'Moved run r1 to place 2 of the queue.\n'],
    [
      ['move', 'r1', '--before', 'r0', '--reason', 'hotfix'],
      'moveInQueue',
      ['r1', { to: 'before', before: 'r0' }, { reason: 'hotfix' }],
      'Moved run r1 to place 2 of the queue.\n',
    ],
    [
      ['move', 'r1', '--priority', 'low'],
      'moveInQueue',
      ['r1', { to: 'priority', priority: 5 }, {}],
      'Moved run r1 to place 2 of the queue.\n',
    ],
    [['drop', 'r1', '-r', 'done'], 'dropFromQueue', ['r1', { reason: 'done' }], 'Dropped run r1: it ends cancelled.\n'],
    [['admit', 'r1'], 'admitFromQueue', ['r1', {}], 'Admitted run r1.\n'],
  ])('sop queue %j', async (args, method, asked, out) => {
    const said = await sop(['queue', ...args], { engine })
    expect(said.calls).toEqual([{ method, args: asked }])
    expect([said.out, said.code]).toEqual([out, 0])
  })

  test.each([
    [['move'], 'it needs a run'],
    [['drop', 'r1', '--before', 'r0'], 'they belong to "move"'],
    [['move', 'r1', '--before', 'r0', '--priority', 'low'], 'to two places'],
    [['--reason', 'x'], 'it belongs to move, drop and admit'],
  ])('sop queue %j is refused before the engine is asked', async (args, why) => {
    const said = await sop(['queue', ...args], { engine })
    expect(said.calls).toEqual([])
    expect([said.err, said.code]).toEqual([expect.stringContaining(why), 2])
  })
})

import { describe, expect, test } from 'vitest'
import type { DeliveryView, TriggerView } from '../../src/client/trigger-client.ts'
import { sop } from './support/sop.ts'

const DELIVERY: DeliveryView = {
  id: 'del_1',
  at: '2027-03-27T13:00:00.000Z',
  source: 'webhook',
  subject: '/hook',
  sop: 'deploy',
  trigger: 0,
  verdict: 'refused',
  code: 'invalid',
  reason: 'Cannot start SOP "deploy": no',
  principal: 'ci',
}
const WEBHOOK: TriggerView = {
  sop: 'deploy',
  trigger: 0,
  type: 'webhook',
  awaits: '/hook',
  served: true,
  last: DELIVERY,
}
const CRON: TriggerView = {
  sop: 'nightly',
  trigger: 0,
  type: 'cron',
  awaits: '0 2 * * *',
  served: true,
  lastRun: { runId: 'sop_run_nightly_1-x', at: '2027-03-27T11:30:00.000Z', state: 'completed' },
}

const run = (argv: readonly string[], found: readonly TriggerView[] = [WEBHOOK, CRON]) =>
  sop(['triggers', ...argv], {
    now: '2027-03-27T13:30:00Z',
    engine: {
      listTriggers: async () => found,
      listDeliveries: async () => [DELIVERY],
      testTrigger: async () => [],
      redeliver: async () => ({ status: 'unmatched' as const, runs: [], others: [], deliveryIds: [] }),
    },
  })

describe('sop triggers', () => {
  test('shows what each trigger did last: its delivery, or the run of its schedule, whichever is newer', async () => {
    expect((await run([])).out).toMatch(
      /deploy +webhook +\/hook +30 min ago +refused +- +-\nnightly +cron +0 2 \* \* \* +2 h ago +started +sop_run_nightly_1-x +completed/,
    )
    const missed: DeliveryView = { ...DELIVERY, source: 'cron', sop: 'nightly' }
    expect((await run([], [{ ...CRON, last: missed }])).out).toMatch(/nightly +cron +0 2 \* \* \* +30 min ago +refused/)
  })

  test('says that there are none', async () => {
    expect((await run([], [])).out).toBe('No triggers: runs are started by hand\n')
    expect((await run(['deploy'], [])).out).toBe('No triggers of "deploy": runs are started by hand\n')
  })

  test.each<[readonly string[], string]>([
    [['--payload', '{}'], 'Cannot use --payload here: it belongs to "test"'],
    [['deploy', '--verdict', 'refused'], 'Cannot use --verdict here: it belongs to "deliveries"'],
    [['--source', 'webhook'], 'Cannot use --source here: it belongs to "test" and "deliveries"'],
    [['test', 'x.json', '--limit', '3'], 'Cannot use --limit here'],
    [['deliveries', '--header', 'a=b'], 'Cannot use --header here'],
    [['redeliver', 'del_1', '--sop', 'deploy'], 'Cannot use --sop here'],
    [['redeliver'], 'it needs the id of a delivery'],
    [['deliveries', '--limit', '0'], '--limit'],
    [['test'], 'Cannot test triggers: give a file'],
    [['test', 'x.json', '--payload', '{}'], 'give a file or --payload, not both'],
    [['deploy', 'nightly'], 'an SOP stands alone'],
    [['deploy', '--sop', 'nightly'], 'it is "deploy" and --sop says "nightly"'],
  ])('%j is a wrong command line, and asks nobody', async (argv, said) => {
    const { err, code, calls } = await run(argv)
    expect([code, calls]).toEqual([2, []])
    expect(err).toContain(said)
  })
})

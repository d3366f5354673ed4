import { expect, test } from 'vitest'
import type { CheckedUpgrade } from '../../src/cli/ports.ts'
import { sop } from './support/sop.ts'

const FINE: CheckedUpgrade = {
  temporal: { address: '127.0.0.1:7233', namespace: 'default', taskQueue: 'sop' },
  checked: 3,
  closed: 1,
  fine: 3,
  comparedWith: { run: 2, record: 1, nothing: 0 },
  broken: [],
  noted: [],
}
const RUN = {
  runId: 'sop_run_1',
  sop: 'deploy',
  status: 'awaiting_approval',
  breaks: [],
  notes: [
    {
      kind: 'argument',
      message: 'activity 1 would say more',
      eventId: 5,
      differences: [{ path: 'arguments[0].priority', would: '3' }],
    },
  ],
}
const NOTED: CheckedUpgrade = { ...FINE, noted: [RUN] }
const BROKEN: CheckedUpgrade = {
  ...FINE,
  fine: 2,
  broken: [
    {
      ...RUN,
      breaks: [
        {
          kind: 'argument',
          message: 'timer 1 would be another',
          eventId: 7,
          differences: [{ path: 'durationMs', was: '1000', would: '2000' }],
        },
      ],
    },
  ],
}

const check = (found: CheckedUpgrade, ...args: string[]) =>
  sop(['check-upgrade', ...args], { ports: { checkUpgrade: async () => found } })

test('sop check-upgrade says that this build can take over, and what was compared', async () => {
  const { code, out } = await check(FINE)
  expect(code).toBe(0)
  expect(out).toContain('Replayed 3 open runs of 127.0.0.1:7233, namespace default, task queue sop; 1 closed meanwhile')
  expect(out).toContain('This build can take over.')
})

test('sop check-upgrade refuses with each run that would break, and why', async () => {
  const { code, out } = await check(BROKEN)
  expect(code).toBe(1)
  expect(out).toContain('sop_run_1 deploy (awaiting_approval): would break')
  expect(out).toContain('argument: timer 1 would be another (event 7)')
  expect(out).toContain('durationMs: 1000 → 2000')
  expect(out).toContain('Do not upgrade: 1 would break.')
})

test('what this build only says more is a note, and refused with --strict', async () => {
  expect(await check(NOTED)).toMatchObject({ code: 0, out: expect.stringContaining('says more') as string })
  expect(await check(NOTED, '--strict')).toMatchObject({ code: 1 })
})

test('sop check-upgrade --json prints one value', async () => {
  const { code, json } = await check(BROKEN, '--json')
  expect(code).toBe(1)
  expect(json()).toEqual({ ...BROKEN, ok: false })
})

test.each(['0', '65', 'many', '1.5'])('--concurrency %s is a wrong command line', async (text) => {
  const { code, err } = await check(FINE, '--concurrency', text)
  expect(code).toBe(2)
  expect(err).toContain('give a whole number from 1 to 64')
})

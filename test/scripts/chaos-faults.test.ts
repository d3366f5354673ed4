import { expect, test } from 'vitest'
import { aroundActivities, aroundDecisions } from '../../scripts/chaos/faults.mjs'

// What a chaos run puts around the build must be invisible as long as no fault is armed.

test('aroundDecisions() hands on everything that it is given, however much that is', async () => {
  const given = ['deps', 'actor', 'run', 'retry', { step: 1 }, () => Promise.resolve()]
  const send = (...args: readonly unknown[]): Promise<readonly unknown[]> => Promise.resolve(args)
  expect(await aroundDecisions(send)(...given)).toEqual(given)
})

test('aroundActivities() hands on tasks and results', async () => {
  const around = aroundActivities(() => ({
    runCommand: async (task) => ({ ran: task }),
    recordAudit: async (task) => ({ recorded: task }),
  }))({})
  const task = { events: [{ sequence: 1 }] }
  expect(await around.runCommand(task)).toEqual({ ran: task })
  expect(await around.recordAudit(task)).toEqual({ recorded: task })
})

// bare-workflows.mjs: what a user of Temporal would write by hand: the same activities in a row, with no SOP, no gate
// rules, no record. The engine is measured beside these.

import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow'

const { runCommand } = proxyActivities({
  startToCloseTimeout: 3_600_000,
  heartbeatTimeout: 10_000,
  retry: { maximumAttempts: 1 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
})

/** Runs the tasks one after the other. @param {readonly object[]} tasks */
export async function bareSteps(tasks) {
  let last
  for (const task of tasks) last = await runCommand(task)
  return last
}

/** Waits for the signal, then runs the task. @param {object} task */
export async function bareGate(task) {
  let approved = false
  setHandler(defineSignal('approve'), () => {
    approved = true
  })
  await condition(() => approved)
  return runCommand(task)
}

/** Runs the task once for each item, so many at once, with an attempt of its own each. @param {object} task @param {number} items @param {number} abreast */
export async function bareEach(task, items, abreast) {
  let next = 0
  const work = async () => {
    while (next < items) {
      next += 1
      await runCommand({ ...task, attempt: next })
    }
  }
  await Promise.all(Array.from({ length: abreast }, work))
}

// faults.mjs: runs inside a worker or an API of a chaos run. A fault point kills its process when a file with its name lies
// in CHAOS_FAULTS; taking the file away is what makes it happen once. CHAOS_PLANT names bugs to show that the
// checker sees them.

import { spawn } from 'node:child_process'
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env.CHAOS_FAULTS ?? ''
const planted = new Set((process.env.CHAOS_PLANT ?? '').split(',').filter((name) => name !== ''))

/** Ends the process as a power cut would, if it is armed. @param {string} name */
const point = (name) => {
  try {
    unlinkSync(join(folder, name))
  } catch {
    return
  }
  process.kill(process.pid, 'SIGKILL')
}

/** A bug that has its turn once in a process. @param {string} name */
const once = (name) => planted.delete(name)

/** @typedef {(task: any) => Promise<any>} Activity */

/** @param {(deps: object) => { runCommand: Activity, recordAudit: Activity }} create */
export const aroundActivities = (create) => (/** @type {object} */ deps) => {
  const real = create(deps)
  return {
    ...real,
    runCommand: async (/** @type {any} */ task) => {
      point('before-command')
      if (once('leave')) leave()
      const result = await real.runCommand(task)
      if (once('repeat')) await real.runCommand({ ...task, events: [] })
      point('after-command')
      return result
    },
    recordAudit: async (/** @type {any} */ task) => {
      point('before-record')
      const result = await real.recordAudit(once('forge') ? forged(task) : task)
      point('after-record')
      return result
    },
  }
}

/** A process that outlives the engine. */
const leave = () => spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).unref()

/** Another principal than the one who acted. @param {{ events: readonly object[] }} task */
const forged = (task) => ({
  ...task,
  events: task.events.map((event, index) =>
    index === 0 ? { ...event, principal: { id: 'mallory', kind: 'user' } } : event,
  ),
})

/** @param {(...args: any[]) => Promise<any>} send @returns {(...args: any[]) => Promise<any>} */
export const aroundDecisions =
  (send) =>
  async (/** @type {any[]} */ ...args) => {
    const [, , runId, kind] = args
    point('before-decision')
    // Acknowledged, and forgotten.
    if (kind === 'pause' && planted.has('drop')) return { accepted: true, runId, status: 'running' }
    const reply = await send(...args)
    point('after-decision')
    return reply
  }

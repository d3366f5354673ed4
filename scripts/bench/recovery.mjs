// recovery.mjs: what a failure in mid-step costs. A host that dies: its death is seen within 15 s, and the idempotent step
// runs again within 20 s. A worker that dies alone: its command is taken over. A server that stands still for a minute:
// no step becomes unknown.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median, table } from './measure.mjs'
import { folder, openSide, pause, QUICK, say, sopDir, startServerProcess, startWorker } from './rig.mjs'

const KILLS = QUICK ? 1 : 3
const OUTAGE_MS = QUICK ? 20_000 : 60_000
const GIVE_UP_MS = 120_000

/** Says by a file when it began, each time, and who carries it out: its own process group and the keeper of its output. */
const sopOf = (name, settings, marks, seconds) =>
  `---\nname: ${name}\nexecution_mode: auto\n---\n\n# ${name}\n\n## Step 1: Long [${settings}]\n\n\`\`\`bash\necho "$(date +%s%3N) $$ $PPID" >> ${marks}\nsleep ${seconds}\n\`\`\`\n`

const SOPS = {
  again: ['idempotent: true, on_failure: pause', 600],
  asked: ['on_failure: pause', 600],
  taken: ['on_failure: pause', 3],
  outage: ['on_failure: pause', OUTAGE_MS / 1000 / 2],
}

export async function recovery() {
  say(
    `${KILLS} deaths of a host and of a worker in mid-step, and a server that stands still for ${OUTAGE_MS / 1000} s …`,
  )
  const marksOf = (name) => join(folder, `marks-${name}`)
  for (const [name, [settings, seconds]] of Object.entries(SOPS)) {
    await writeFile(join(sopDir, `${name}.md`), sopOf(name, settings, marksOf(name), seconds))
  }
  const server = await startServerProcess('recovery')
  const options = { address: server.address, taskQueue: 'sop', dataDir: join(folder, 'recovery-data'), sopDir }
  let worker = await startWorker(options)
  const { client } = await openSide(server.address, options.dataDir, 'sop')

  const begin = async (name) => {
    await writeFile(marksOf(name), '')
    const { runId } = await client.createRun(name)
    await until(async () => (await marks(marksOf(name))).length === 1)
    return runId
  }
  const is = (runId, status) => until(async () => (await client.getRunStatus(runId)).status === status)

  const [seen, again, taken] = [[], [], []]
  for (let kill = 0; kill < KILLS; kill += 1) {
    const runs = [await begin('again'), await begin('asked')]
    const killedAt = Date.now()
    await worker.kill()
    for (const name of ['again', 'asked']) killAll((await marks(marksOf(name)))[0])
    worker = await startWorker(options)
    await is(runs[1], 'paused')
    seen.push(Date.now() - killedAt)
    await until(async () => (await marks(marksOf('again'))).length === 2)
    again.push((await marks(marksOf('again')))[1].at - killedAt)
    for (const runId of runs) await client.cancelRun(runId, { reason: 'measured' })
  }
  for (let kill = 0; kill < KILLS; kill += 1) {
    const runId = await begin('taken')
    const killedAt = Date.now()
    await worker.kill()
    worker = await startWorker(options)
    await is(runId, 'completed')
    taken.push(Date.now() - killedAt)
  }

  const runId = await begin('outage')
  process.kill(server.pid(), 'SIGSTOP')
  await pause(OUTAGE_MS)
  process.kill(server.pid(), 'SIGCONT')
  const backAt = Date.now()
  await is(runId, 'completed')
  const outageMs = Date.now() - backAt
  const { events } = await client.getAuditLog(runId)
  const unknown = events.filter(({ eventType }) => eventType === 'step_unknown').length
  const begun = (await marks(marksOf('outage'))).length

  const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
  console.log(
    `\n${table([
      ['a failure in mid-step', 'median', 'target'],
      ['host died: the run asks what became of the step', seconds(median(seen)), 'within 15 s'],
      ['host died: the idempotent step runs again', seconds(median(again)), 'within 20 s'],
      ['worker died: its command of 3 s is taken over, and the run completes', seconds(median(taken)), ''],
      [`server stood still for ${OUTAGE_MS / 1000} s: the run completes after it is back`, seconds(outageMs), ''],
      ['server stood still: steps that became unknown, and that ran twice', `${unknown}, ${begun - 1}`, '0, 0'],
    ])}`,
  )
}

const marks = async (path) =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number))
    .map(([at, group, keeper]) => ({ at, group, keeper }))

/** What ends with its host: the command and all that it started, and the keeper of its output. */
function killAll({ group, keeper }) {
  for (const pid of [keeper, -group]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
}

async function until(is) {
  const end = Date.now() + GIVE_UP_MS
  while (!(await is())) {
    if (Date.now() > end) throw new Error('Cannot measure: it did not come to that within two minutes')
    await pause(50)
  }
}

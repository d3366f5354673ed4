// wide.mjs: a step for each of 1,000 items, beside a bare workflow that starts the same activities with the same limit.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median, msOf, table } from './measure.mjs'
import { bareBundle, folder, openSide, pause, QUICK, say, sopDir, startServer, startWorker } from './rig.mjs'

const ITEMS = QUICK ? 100 : 1000
const ABREAST = 16
const ROUNDS = QUICK ? 1 : 3

const EACH = `---
name: each
execution_mode: auto
---

# Each

## Step 1: One item [for_each: ${JSON.stringify(Array.from({ length: ITEMS }, (_, index) => `i${index}`))}, max_parallel: ${ABREAST}]

\`\`\`bash
true
\`\`\`
`

export async function wide() {
  say(`${ITEMS} items, ${ABREAST} at once …`)
  await writeFile(join(sopDir, 'each.md'), EACH)
  const address = await startServer('wide', true)
  const ours = { address, taskQueue: 'sop', dataDir: join(folder, 'wide-data'), sopDir }
  const bare = { ...ours, taskQueue: 'bare', dataDir: join(folder, 'wide-bare'), bundlePath: await bareBundle() }
  await startWorker(ours)
  await startWorker(bare)
  const [side, bareSide] = [await openSide(address, ours.dataDir, 'sop'), await openSide(address, bare.dataDir, 'bare')]
  const times = [[], []]
  for (let round = 0; round <= ROUNDS; round += 1) {
    const bareMs = await msOf(() => bareEach(bareSide, round))
    const ourMs = await msOf(() => ourEach(side))
    if (round === 0) continue
    times[0].push(bareMs)
    times[1].push(ourMs)
  }
  const [bareS, ourS] = times.map((each) => median(each) / 1000)
  console.log(
    `\n${table([
      [`for_each of ${ITEMS}, ${ABREAST} at once`, 'bare workflow', 'SOP Engine', 'ratio'],
      ['seconds', bareS.toFixed(1), ourS.toFixed(1), (ourS / bareS).toFixed(2)],
      ['items/s', (ITEMS / bareS).toFixed(0), (ITEMS / ourS).toFixed(0), (bareS / ourS).toFixed(2)],
    ])}`,
  )
}

async function bareEach(side, round) {
  const workflowId = `bare-each-${process.pid}-${round}`
  const [task] = await side.tasksOf('each', workflowId)
  const handle = await side.temporal.workflow.start('bareEach', {
    workflowId,
    taskQueue: side.taskQueue,
    args: [task, ITEMS, ABREAST],
  })
  return handle.result()
}

async function ourEach({ client, temporal }) {
  const { runId } = await client.createRun('each', { wait: false })
  const closed = temporal.workflow.getHandle(runId).result()
  await Promise.race([closed, paused(client, runId)])
  const { status } = await client.getRunStatus(runId)
  if (status !== 'completed') throw new Error(`Cannot measure: the run is ${status}`)
}

/** Rejected when the run stands still, which nothing here would end. */
async function paused(client, runId) {
  for (;;) {
    await pause(1000)
    const { status, reason } = await client.getRunStatus(runId)
    if (status === 'paused') throw new Error(`Cannot measure: the run is paused, ${reason}`)
    if (status !== 'running' && status !== 'pending') return
  }
}

// recovery.mjs: a worker is killed in mid-step. Targets: its death is seen within 15 s, and the idempotent step runs again
// within 20 s.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median, table } from './measure.mjs'
import { folder, openSide, pause, QUICK, say, sopDir, startServer, startWorker } from './rig.mjs'

const KILLS = QUICK ? 1 : 3
const GIVE_UP_MS = 60_000

/** Says by a file when it began, each time, and never ends by itself. */
const sopOf = (name, idempotent, marks) =>
  `---\nname: ${name}\nexecution_mode: auto\n---\n\n# ${name}\n\n## Step 1: Long [idempotent: ${idempotent}, on_failure: pause]\n\n\`\`\`bash\ndate +%s%3N >> ${marks}\nsleep 600\n\`\`\`\n`

export async function recovery() {
  say(`${KILLS} kills of a worker in mid-step …`)
  const marks = join(folder, 'marks')
  await writeFile(join(sopDir, 'again.md'), sopOf('again', true, marks))
  await writeFile(join(sopDir, 'asked.md'), sopOf('asked', false, join(folder, 'marks-asked')))
  const address = await startServer('recovery', true)
  const options = { address, taskQueue: 'sop', dataDir: join(folder, 'recovery-data'), sopDir }
  let worker = await startWorker(options)
  const { client } = await openSide(address, options.dataDir, 'sop')
  const again = []
  const seen = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    await writeFile(marks, '')
    const runs = [await client.createRun('again'), await client.createRun('asked')].map(({ runId }) => runId)
    await until(async () => (await lines(marks)).length === 1)
    const killedAt = Date.now()
    await worker.kill()
    worker = await startWorker(options)
    await until(async () => (await client.getRunStatus(runs[1])).status === 'paused')
    seen.push(Date.now() - killedAt)
    await until(async () => (await lines(marks)).length === 2)
    again.push(Number((await lines(marks))[1]) - killedAt)
    for (const runId of runs) await client.cancelRun(runId, { reason: 'measured' })
  }
  const seconds = (times) => `${(median(times) / 1000).toFixed(1)} s`
  console.log(
    `\n${table([
      ['a worker killed in mid-step', 'median', 'target'],
      ['death seen: the run asks what became of the step', seconds(seen), 'within 15 s'],
      ['the idempotent step runs again', seconds(again), 'within 20 s'],
    ])}`,
  )
}

const lines = async (path) => (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')

async function until(is) {
  const end = Date.now() + GIVE_UP_MS
  while (!(await is())) {
    if (Date.now() > end) throw new Error('Cannot measure: it did not come to that within a minute')
    await pause(50)
  }
}

// logs.mjs: what one step prints, from its pipe to the file of the log store. Target: 100 MB/s.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median, msOf, table } from './measure.mjs'
import { folder, openSide, QUICK, say, sopDir, startServer, startWorker } from './rig.mjs'

const MEGABYTES = QUICK ? 64 : 512
const ROUNDS = QUICK ? 1 : 3
const sopOf = (name, script) =>
  `---\nname: ${name}\nexecution_mode: auto\n---\n\n# ${name}\n\n## Step 1: Print\n\n\`\`\`bash\n${script}\n\`\`\`\n`

export async function logs() {
  say(`${MEGABYTES} MB printed by one step, ${ROUNDS} times …`)
  const line = 'x'.repeat(119)
  const count = Math.round((MEGABYTES * 1e6) / (line.length + 1))
  await writeFile(
    join(sopDir, 'print.md'),
    sopOf('print', `awk 'BEGIN { for (i = 0; i < ${count}; i++) print "${line}" }'`),
  )
  await writeFile(join(sopDir, 'silent.md'), sopOf('silent', 'true'))
  const address = await startServer('logs', true)
  const options = { address, taskQueue: 'sop', dataDir: join(folder, 'logs-data'), sopDir }
  const worker = await startWorker(options)
  const side = await openSide(address, options.dataDir, 'sop')
  const one = async (name) => {
    const { runId } = await side.client.createRun(name, { wait: false })
    return msOf(() => side.temporal.workflow.getHandle(runId).result())
  }
  await one('silent')
  const times = []
  for (let round = 0; round < ROUNDS; round += 1) times.push((await one('print')) - (await one('silent')))
  console.log(
    `\n${table([
      ['the log of one step', 'measured', 'target'],
      ['throughput', `${(MEGABYTES / (median(times) / 1000)).toFixed(0)} MB/s`, '100 MB/s'],
      ['worker memory afterwards', `${((await worker.rss()) / 2 ** 20).toFixed(0)} MiB`, ''],
    ])}`,
  )
}

// admission.mjs: runs that ask for a slot beside the same runs that do not, and how long the answer takes.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median, msOf, quantile, table } from './measure.mjs'
import { folder, openSide, QUICK, say, sopDir, startServer, startWorker } from './rig.mjs'

const RUNS = QUICK ? 20 : 100
const ROUNDS = QUICK ? 1 : 3
const ALONE = QUICK ? 5 : 20

const sop = (name, settings) =>
  `---\nname: ${name}\nexecution_mode: auto\n${settings}---\n\n# ${name}\n\n## Step 1: True\n\n\`\`\`bash\ntrue\n\`\`\`\n`

export async function admission() {
  say('A server and a worker for admission …')
  await writeFile(join(sopDir, 'free.md'), sop('free', ''))
  await writeFile(join(sopDir, 'slotted.md'), sop('slotted', 'max_concurrent: 10000\n'))
  await writeFile(join(sopDir, 'locked.md'), sop('locked', 'lock: [bench]\n'))
  const address = await startServer('admission', true)
  const dataDir = join(folder, 'admission-data')
  await startWorker({ address, taskQueue: 'sop', dataDir, sopDir })
  const { client, temporal } = await openSide(address, dataDir, 'sop')

  const one = async (name) => {
    const { runId } = await client.createRun(name, { wait: false })
    await temporal.workflow.getHandle(runId).result()
    return runId
  }
  const perSecond = async (name, count) =>
    (count * 1000) / (await msOf(() => Promise.all(Array.from({ length: count }, () => one(name)))))

  say(`${RUNS} runs of one step at once, ${ROUNDS} times each, in turn …`)
  const [free, slotted] = [[], []]
  for (let round = 0; round <= ROUNDS; round += 1) {
    const pair = [await perSecond('free', RUNS), await perSecond('slotted', RUNS)]
    // The first warms up.
    if (round === 0) continue
    free.push(pair[0])
    slotted.push(pair[1])
  }
  const locked = await perSecond('locked', QUICK ? 10 : 40)

  say('The way through admission …')
  const waits = async (runIds) =>
    Promise.all(
      runIds.map(async (runId) => {
        const { events } = await client.getAuditLog(runId)
        const at = (type) => Date.parse(events.find(({ eventType }) => eventType === type)?.timestamp ?? '')
        return at('run_admitted') - at('run_created')
      }),
    )
  const alone = []
  for (let each = 0; each < ALONE; each += 1) alone.push(...(await waits([await one('slotted')])))
  const busy = await waits(await Promise.all(Array.from({ length: RUNS }, () => one('slotted'))))

  const rate = (value) => `${value.toFixed(1)} runs/s`
  const ms = (values) => `${median(values).toFixed(0)} / ${quantile(values, 0.95).toFixed(0)} ms`
  console.log(
    `\n${table([
      ['what', 'value'],
      [`${RUNS} runs at once without admission`, rate(median(free))],
      [`${RUNS} runs at once through admission`, rate(median(slotted))],
      ['ratio (at least 0.6)', (median(slotted) / median(free)).toFixed(2)],
      ['runs one after another behind one lock', rate(locked)],
      ['from created to admitted, one run alone, p50 / p95', ms(alone)],
      [`from created to admitted, ${RUNS} at once, p50 / p95`, ms(busy)],
    ])}`,
  )
}

// schedules.mjs: what it costs to keep 1,000 schedules in step: made from cold, a pass without a change, and a save until
// the cluster has it.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { createCatalog } from '../../dist/client/catalog.js'
import { createScheduledSops } from '../../dist/client/scheduled-sops.js'
import { createScheduleStore } from '../../dist/client/schedule-store.js'
import { createCatalogWatch } from '../../dist/engine/catalog-watch.js'
import { createScheduleSource } from '../../dist/triggers/schedules.js'
import { median, table } from './measure.mjs'
import { folder, later, say, startServer } from './rig.mjs'

const COUNT = 1_000
const QUIET = { info: () => {}, warn: () => {}, debug: () => {} }

const sopOf = (index, hour) =>
  `---\nname: scheduled-${index}\ntriggers:\n  - type: cron\n    expression: "${index % 60} ${hour} * * *"\n    timezone: Europe/Berlin\n---\n\n# Scheduled\n\n## Step 1: True\n\n\`\`\`bash\ntrue\n\`\`\`\n`

export async function schedules() {
  say(`${COUNT} SOPs with a cron each, in a zone whose clocks change …`)
  const sopDir = join(folder, 'scheduled')
  await mkdir(sopDir)
  const write = (index, hour) => writeFile(join(sopDir, `scheduled-${index}.md`), sopOf(index, hour))
  for (let index = 0; index < COUNT; index++) await write(index, 2)
  const connection = await Connection.connect({ address: await startServer('schedules', true) })
  later(() => connection.close())
  const temporal = new Client({ connection })
  const now = () => Date.now()
  const store = createScheduleStore({ temporal: () => temporal, taskQueue: 'sop', seal: () => 'seal', now })
  const watch = createCatalogWatch({
    catalog: createCatalog({ sopDir, workdir: folder }),
    sopDir,
    workdir: folder,
    log: QUIET,
  })
  const sopsOf = createScheduledSops({ taskQueue: 'sop', timezone: 'UTC', authority: 'bench' }, now)
  const source = createScheduleSource({ watch, store, sopsOf, log: QUIET, now })
  later(async () => {
    await watch.close()
    await source.close()
  })
  const cold = await timed(async () => {
    source.start()
    await watch.start()
    await source.reconcile()
  })
  const passes = []
  for (let round = 0; round < 5; round++) passes.push(await timed(() => source.reconcile()))
  const saves = []
  for (let round = 0; round < 5; round++) saves.push(await timed(() => saved(store, write, round)))
  console.log(
    `\n${table([
      [`${COUNT} schedules`, 'seconds'],
      ['in step from cold', (cold / 1_000).toFixed(1)],
      ['a pass without a change, p50', (median(passes) / 1_000).toFixed(2)],
      ['a save until the cluster has it, p50', (median(saves) / 1_000).toFixed(2)],
    ])}`,
  )
}

const timed = async (work) => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const saved = async (store, write, round) => {
  await write(7, 8 + round)
  for (;;) {
    const looked = await store.look('sop_schedule_scheduled-7_1')
    if (looked?.raw?.spec?.structuredCalendar?.[0]?.hour?.[0]?.start === 8 + round) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

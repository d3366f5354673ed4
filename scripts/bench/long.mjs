// long.mjs: what it costs a run to go over to its next execution: the longest pause between two rounds of a loop that is
// long enough for it, beside the usual one.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median, quantile, table } from './measure.mjs'
import { folder, openSide, say, sopDir, startServer, startWorker } from './rig.mjs'

/** Rounds after which a history is long, and some more. */
const ROUNDS = 750

const LOOP = `---
name: loop
execution_mode: auto
---

# Loop

## Step 1: Round [on_failure: goto:1]

\`\`\`bash
echo x >> "$SOP_RUN_DIR/n"; test "$(wc -l < "$SOP_RUN_DIR/n")" -ge ${ROUNDS}
\`\`\`
`

export async function long() {
  say(`${ROUNDS} rounds of a loop, with a hand-over on the way …`)
  await writeFile(join(sopDir, 'loop.md'), LOOP)
  process.env.SOP_MAX_STEP_VISITS = '10000'
  const address = await startServer('long', true)
  const options = { address, taskQueue: 'sop', dataDir: join(folder, 'long-data'), sopDir }
  await startWorker(options)
  const side = await openSide(address, options.dataDir, 'sop')
  const { runId } = await side.client.createRun('loop', { wait: false })
  const handle = side.temporal.workflow.getHandle(runId)
  const { runId: first } = await handle.describe()
  await handle.result()
  const { events } = await side.client.getAuditLog(runId)
  const begun = events
    .filter(({ eventType }) => eventType === 'step_started')
    .map(({ timestamp }) => Date.parse(timestamp))
  const gaps = begun.slice(1).map((at, index) => at - (begun[index] ?? at))
  const history = await side.temporal.workflow.getHandle(runId, first).fetchHistory()
  const closed = history.events?.at(-1)?.eventTime
  const closedMs = Number(closed?.seconds) * 1000 + Math.floor((closed?.nanos ?? 0) / 1e6)
  const at = begun.findIndex((began) => began > closedMs)
  console.log(
    `\n${table([
      ['a round of a loop', 'milliseconds'],
      ['p50', median(gaps).toFixed(0)],
      ['p95', quantile(gaps, 0.95).toFixed(0)],
      ['the one with the hand-over', at > 0 ? ((begun[at] ?? 0) - (begun[at - 1] ?? 0)).toFixed(0) : 'none'],
    ])}`,
  )
}

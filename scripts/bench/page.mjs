// page.mjs: the page as a person meets it: usable from cold, what it transfers, an event until it stands on the screen, and
// the list of 10,000 runs. In the system's Chromium, on an engine of its own.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openBrowser, startEngine } from './browser.mjs'
import { median, msOf, quantile, table } from './measure.mjs'
import { QUICK, say } from './rig.mjs'

const RUNS = 10_000
const COLD = QUICK ? 5 : 15
const EVENTS = QUICK ? 10 : 40
const ASKS = QUICK ? 50 : 300

const GATED = `---
name: gated
execution_mode: auto
params:
  version: { type: string, default: "2.0.1" }
---
# Gated

## Step 1: Deploy (requires approval)
\`\`\`bash
echo "$version"
\`\`\`
`

export async function page() {
  const browser = await openBrowser()
  if (browser === undefined) return
  const engine = await startEngine('page', { 'gated.md': GATED }, withRuns)
  say(`a list of ${RUNS} runs, ${ASKS} times …`)
  const lists = await askLists(engine)
  await engine.post('/api/v1/sops/gated/runs', {})
  say(`the first page, ${COLD} times from cold …`)
  const cold = await openCold(browser, engine)
  say(`${EVENTS} events …`)
  const events = await watchEvents(browser, engine)
  const ms = (value) => `${Math.round(value)} ms`
  const row = (name, values, goal) => [name, ms(median(values)), ms(quantile(values, 0.95)), goal]
  console.log(
    `\n${table([
      ['page', 'p50', 'p95', 'goal'],
      row('usable from cold, the link to the button "Approve"', cold.times, 'under 1 s'),
      ['first page, transferred', `${Math.round(cold.bytes / 1_000)} kB`, '', 'under 250 kB'],
      row('event of a run until the card stands there', events.begun, 'p95 under 300 ms'),
      row('answer to an approval until the card of another viewer is marked', events.ended, 'p95 under 300 ms'),
      row(`GET /api/v1/runs of ${RUNS}, any filter`, lists, 'p95 under 100 ms'),
    ])}`,
  )
}

/** Fills the data directory with the list of many runs before the engine begins. */
const withRuns = async (dataDir) => {
  await mkdir(join(dataDir, 'runs'), { recursive: true })
  await writeFile(join(dataDir, 'runs', 'index.jsonl'), rows())
}

const SOPS = ['deploy-production', 'db-backup', 'patch-fleet', 'incident-response']
const PRIORITIES = ['normal', 'high', 'low', 'critical']

const rows = () => {
  const endMs = Date.now() - 3_600_000
  return Array.from({ length: RUNS }, (_, index) => {
    const createdAt = new Date(endMs - (RUNS - index) * 600_000).toISOString()
    const status = index % 17 === 3 ? 'failed' : 'completed'
    return `${JSON.stringify({
      runId: `sop_run_${String(index).padStart(8, '0')}`,
      sopName: SOPS[(index * 5) % SOPS.length],
      version: '1.0.0',
      digest: '0'.repeat(64),
      status,
      priority: PRIORITIES[index % PRIORITIES.length],
      mode: 'supervised',
      currentStep: null,
      totalSteps: 6,
      createdAt,
      startedAt: createdAt,
      completedAt: createdAt,
      ...(status === 'failed' && { reason: `step 3 failed: disk of host-${index % 40} is full` }),
      startedBy: 'alice',
      trigger: 'cron',
      openGates: [],
      sequence: 12,
      active: [],
      unsettled: [],
      settledTo: 6,
      gateSteps: {},
      outcome: status,
    })}\n`
  }).join('')
}

const FILTERS = [
  '',
  'state=failed',
  'sop=db-backup',
  'priority=critical',
  'q=host-17',
  'state=running',
  'q=nothing-like-it',
]

async function askLists({ get }) {
  const times = []
  for (let index = 0; index < ASKS; index++) {
    times.push(await msOf(() => get(`/api/v1/runs?limit=50&${FILTERS[index % FILTERS.length]}`)))
  }
  return times
}

/** Each with an empty cache, by a link that signs in, until the first answer can be given. */
async function openCold(browser, { post }) {
  const times = []
  let bytes = 0
  for (let round = 0; round < COLD; round++) {
    const { url } = await post('/api/v1/session/links', {})
    const context = await browser.newContext()
    const tab = await context.newPage()
    const network = await context.newCDPSession(tab)
    await network.send('Network.enable')
    bytes = 0
    network.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength
    })
    times.push(
      await msOf(async () => {
        await tab.goto(url, { waitUntil: 'commit' })
        await tab.getByRole('button', { name: 'Approve' }).first().waitFor()
      }),
    )
    await context.close()
  }
  return { times, bytes }
}

/** Notes in the page itself when the card of a run is painted, and when it says how it ended. */
const WATCH = `(() => {
  window.seen = {}
  const note = (name) => requestAnimationFrame(() => { window.seen[name] ??= Date.now() })
  new MutationObserver(() => {
    for (const card of document.querySelectorAll('.wait-card')) {
      const run = card.dataset.key.split('/')[0]
      note('begun ' + run)
      if (card.querySelector('.gone')) note('ended ' + run)
    }
  }).observe(document.body, { childList: true, subtree: true })
})()`

async function watchEvents(browser, { get, post }) {
  const context = await browser.newContext()
  const tab = await context.newPage()
  await tab.goto((await post('/api/v1/session/links', {})).url)
  await tab.getByText('Live', { exact: true }).waitFor()
  await tab.evaluate(WATCH)
  const seen = async (name) => (await tab.waitForFunction((key) => window.seen[key], name)).jsonValue()
  const [begun, ended] = [[], []]
  for (let round = 0; round < EVENTS; round++) {
    const { runId } = await post('/api/v1/sops/gated/runs', {})
    const shownAt = await seen(`begun ${runId}`)
    const { events } = await get(`/api/v1/runs/${runId}/audit`)
    begun.push(shownAt - Date.parse(events.find(({ eventType }) => eventType === 'approval_requested').timestamp))
    await post(`/api/v1/runs/${runId}/approve`, {})
    const answeredAt = Date.now()
    ended.push((await seen(`ended ${runId}`)) - answeredAt)
    // Not in step with the pauses of the engine's own looks.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
  }
  await context.close()
  return { begun, ended }
}

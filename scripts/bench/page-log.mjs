// page-log.mjs: a log as a person watches it: a line that a command prints until it stands on the screen, and what a page holds
// that followed a million lines. In the system's Chromium, on an engine of its own.

import { openBrowser, startEngine } from './browser.mjs'
import { median, quantile, table } from './measure.mjs'
import { QUICK, say } from './rig.mjs'

const LINES = QUICK ? 50 : 200
const MANY = QUICK ? 100_000 : 1_000_000

const TICKS = `---
name: ticks
execution_mode: auto
---
## Step 1: Tick
\`\`\`bash
for i in $(seq ${LINES}); do date +%s%3N; sleep 0.0$((RANDOM % 9 + 1)); done
\`\`\`
`
const LONG = `---
name: million
execution_mode: auto
---
## Step 1: Begin (requires approval)
\`\`\`bash
echo ready
\`\`\`
## Step 2: Print
\`\`\`bash
seq -f 'line %.0f of a log that is very long' 1 ${MANY}
\`\`\`
`

export async function pageLog() {
  const browser = await openBrowser()
  if (browser === undefined) return
  const engine = await startEngine('page-log', { 'ticks.md': TICKS, 'million.md': LONG })
  say(`${LINES} lines, one after the other …`)
  const lines = await watchLines(browser, engine)
  say(`a log of ${MANY} lines …`)
  const memory = await followMany(browser, engine)
  const ms = (value) => `${Math.round(value)} ms`
  const mb = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`
  console.log(
    `\n${table([
      ['log on the page', 'p50', 'p95', 'goal'],
      ['line printed until it stands there', ms(median(lines)), ms(quantile(lines, 0.95)), 'p95 under 500 ms'],
      [`heap of a page before a log of ${MANY} lines`, mb(memory.before), '', ''],
      ['the same after it followed all of them', mb(memory.after), '', 'the same, but for a few MB'],
      ['rows that the page holds then', String(memory.held), '', 'under 7,000'],
    ])}`,
  )
}

const openRun = async (browser, { url, post }, sop) => {
  const tab = await (await browser.newContext()).newPage()
  await tab.goto((await post('/api/v1/session/links', {})).url)
  await tab.getByRole('heading', { level: 1 }).waitFor()
  const { runId } = await post(`/api/v1/sops/${sop}/runs`, { wait: false })
  await tab.goto(`${url}/runs/${runId}`)
  return { tab, runId }
}

/** Notes in the page itself when a line is painted that says when it was printed. */
const WATCH = `(() => {
  window.seen = new Map()
  new MutationObserver(() => {
    const now = [...document.querySelectorAll('.log-text')].map((each) => each.textContent)
    requestAnimationFrame(() => { for (const text of now) if (!window.seen.has(text)) window.seen.set(text, Date.now()) })
  }).observe(document.body, { childList: true, subtree: true, characterData: true })
})()`

async function watchLines(browser, engine) {
  const { tab } = await openRun(browser, engine, 'ticks')
  await tab.evaluate(WATCH)
  await tab.locator('.run-title').getByText('completed').waitFor({ timeout: 120_000 })
  const seen = await tab.evaluate(() => [...window.seen])
  await tab.context().close()
  // What stood there before anybody watched says nothing; neither does the line that is being written.
  const times = seen.filter(([text]) => /^\d{13}$/.test(text)).map(([text, at]) => at - Number(text))
  return times.slice(Math.ceil(times.length / 10))
}

const heapOf = async (tab) => {
  const tools = await tab.context().newCDPSession(tab)
  await tools.send('HeapProfiler.enable')
  await tools.send('HeapProfiler.collectGarbage')
  const { usedSize } = await tools.send('Runtime.getHeapUsage')
  return usedSize
}

async function followMany(browser, engine) {
  const { tab, runId } = await openRun(browser, engine, 'million')
  await tab.getByRole('button', { name: 'Approve' }).waitFor()
  await tab.getByRole('button', { name: /^Step 2/ }).click()
  const before = await heapOf(tab)
  await engine.post(`/api/v1/runs/${runId}/approve`, {})
  await tab.getByText(`${MANY.toLocaleString('en-US')} lines`).waitFor({ timeout: 120_000 })
  await tab.getByText(`line ${MANY} of`).waitFor()
  const after = await heapOf(tab)
  const held = await tab.locator('.log').getAttribute('data-held')
  await tab.context().close()
  return { before, after, held }
}

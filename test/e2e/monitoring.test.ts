import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MetricsReport } from '../../src/core/metrics/report.ts'
import { freePorts } from '../../scripts/free-port.mjs'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { type Family, parsePrometheus } from '../support/prometheus-text.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// What monitoring sees of a whole engine: Prometheus, a collector of traces and people, before and after it was killed.

const TOKEN = 'scrape-0123456789'
const SOP = `---
name: release
execution_mode: auto
---
# Release

## Step 1: Build
\`\`\`bash
echo built
\`\`\`

## Step 2: Ship (requires approval)
\`\`\`bash
echo shipped
\`\`\`
`

const { panels } = JSON.parse(readFileSync(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8')) as {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[]
}
/** Metrics of Temporal's SDK that the dashboard asks for. */
const temporalNames = panels
  .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  .flatMap((expr) => [...expr.matchAll(/\btemporal_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, '')))

let home: Home
let receiver: OtlpReceiver
let temporalMetrics: string

beforeEach(async () => {
  receiver = await startOtlpReceiver()
  const [port] = await freePorts(1)
  temporalMetrics = `http://127.0.0.1:${port}/metrics`
  home = await createHome({
    sops: { 'release.md': SOP },
    env: {
      SOP_METRICS_TOKEN: TOKEN,
      SOP_METRICS_TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    },
  })
})
afterEach(() => home.remove())

const scrape = async (url: string, token?: string): Promise<ReadonlyMap<string, Family>> => {
  const response = await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
  expect(response.status).toBe(200)
  return parsePrometheus(await response.text())
}
const valueOf = (families: ReadonlyMap<string, Family>, name: string, labels: Readonly<Record<string, string>> = {}) =>
  families
    .get(name)
    ?.samples.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value

const runsOf = async (engine: RunningEngine) => {
  const families = await scrape(`${engine.file.url}/metrics`, TOKEN)
  const of = { sop: 'release' }
  return {
    ended: valueOf(families, 'sop_runs_ended_total', { ...of, outcome: 'completed' }),
    approved: valueOf(families, 'sop_gates_closed_total', { ...of, how: 'approved' }),
    steps: valueOf(families, 'sop_step_executions_total', { ...of, result: 'completed' }),
    open: valueOf(families, 'sop_gates_open', of),
  }
}

const untilFigures = (engine: RunningEngine, wanted: Awaited<ReturnType<typeof runsOf>>) =>
  until(
    () => runsOf(engine),
    (found) => isDeepStrictEqual(found, wanted),
  )
const nothing = (found: readonly unknown[]): boolean => found.length === 0

test('figures and traces of a run are right before and after the engine was killed', async () => {
  let engine = await home.serve()
  expect((await fetch(`${engine.file.url}/metrics`)).status).toBe(401)
  const started = await home.cli('run', 'release', '--json')
  const { runId } = JSON.parse(started.out) as { readonly runId: string }
  await home.runUntil(runId, ({ status }) => status === 'awaiting_approval')
  expect(temporalNames.length).toBeGreaterThan(3)
  // Figures are the record's, which is a little behind the state of an open run.
  await untilFigures(engine, { ended: 0, approved: 0, steps: 1, open: 1 })
  // What the dashboard asks of Temporal's SDK is there by these names.
  await until(async () => {
    const told = new Set((await (await fetch(temporalMetrics)).text()).match(/(?<=^# TYPE )\S+/gm))
    return temporalNames.filter((name) => !told.has(name))
  }, nothing)
  await until(
    () => receiver.spans.map(({ name }) => name),
    (names) => names.includes('step Build'),
  )

  await engine.end('SIGKILL')
  engine = await home.serve()
  await untilFigures(engine, { ended: 0, approved: 0, steps: 1, open: 1 })
  expect((await home.cli('approve', runId, '--comment', 'go')).code).toBe(0)
  await home.runUntil(runId, ({ status }) => status === 'completed')
  await until(
    () => receiver.spans.map(({ name }) => name),
    (names) => names.includes('run release'),
  )
  await untilFigures(engine, { ended: 1, approved: 1, steps: 2, open: 0 })
  // One that was sent when the engine was killed may come again, as the same span.
  const spans = [...new Map(receiver.spans.map((span) => [span.spanId, span])).values()]
  expect(spans.map(({ name }) => name)).toEqual(['step Build', 'gate 2-ship', 'step Ship', 'run release'])
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  const root = spans.at(-1)?.spanId
  expect(spans.slice(0, 3).map(({ parentSpanId }) => parentSpanId)).toEqual([root, root, root])

  const { out } = await home.cli('metrics', 'release', '--json')
  const report = JSON.parse(out) as MetricsReport
  expect(report.total).toMatchObject({
    created: 1,
    completed: 1,
    approvals: { approved: 1 },
    people: { attended: 1, unplanned: 0 },
  })
  expect(report.steps.map(({ title, completed }) => [title, completed])).toEqual([
    ['Build', 1],
    ['Ship', 1],
  ])
  expect(report.total.working.totalMs).toBeLessThan(report.total.elapsed.totalMs)
  expect(await engine.end('SIGTERM')).toMatchObject({ code: 0 })
}, 240_000)

import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { createHome, type Home, type RunningEngine, type RunningProgram, until } from '../support/real-engine.ts'

// Worker and API as docker-compose.yml starts them: two processes, a Temporal server of somebody else, variables only. Here
// they share a data directory; cluster.test.ts has them share a database.

interface Compose {
  readonly 'x-engine-environment': Readonly<Record<string, string>>
  readonly services: Readonly<Record<'worker' | 'api', { readonly command: readonly string[] }>>
}
const compose = parse(await readFile(resolve(import.meta.dirname, '../../docker-compose.yml'), 'utf8'), {
  merge: true,
}) as Compose

let home: Home
let witness: string
let worker: RunningProgram
let api: RunningEngine

beforeEach(async () => {
  home = await createHome({ examples: ['welcome'] })
  witness = join(home.path, 'witness.txt')
  const defaults = Object.entries(compose['x-engine-environment']).map(([name, value]) => [
    name,
    value.replace(/\$\{\w+:-(.*?)\}/g, '$1'),
  ])
  const env = {
    ...(Object.fromEntries(defaults) as Record<string, string>),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    SOP_DATA_DIR: home.dataDir,
    SOP_DATABASE_URL: '',
    SOP_DATABASE_PASSWORD: '',
    SOP_INSTALLATION_KEY: '',
    SOP_DIR: home.sopDir,
    SOP_TASK_QUEUE: `e2e-${randomUUID()}`,
    TEMPORAL_CLI_PATH: '/nowhere/temporal',
    SOP_METRICS_WORKER_ADDRESS: '127.0.0.1:0',
  }
  startWorker = async () => {
    worker = home.start(compose.services.worker.command, env)
    await until(worker.said, (text) => text.includes('Ctrl-C stops it'), 90_000)
  }
  await startWorker()
  const [verb, ...args] = compose.services.api.command
  expect(verb).toBe('serve')
  api = await home.serve({ args, env })
}, 180_000)
afterEach(() => home.remove())

let startWorker: () => Promise<void>

const add = (name: string, steps: string): Promise<void> =>
  writeFile(
    join(home.sopDir, `${name}.md`),
    `---\nname: ${name}\nexecution_mode: auto\n---\n# ${name}\n\n${steps.replaceAll('$WITNESS', witness)}`,
  )
const start = async (name: string): Promise<string> => {
  const started = await api.api('POST', `/api/sop/${name}/trigger`, { body: {} })
  expect(started.status).toBe(202)
  return (started.json as { runId: string }).runId
}
const witnessed = (): Promise<readonly string[]> =>
  readFile(witness, 'utf8').then(
    (text) => text.trimEnd().split('\n'),
    () => [],
  )

test('a run goes through both, and its record and log are read by the API', { timeout: 180_000 }, async () => {
  await add(
    'both',
    '## Step 1: Say\n```bash\necho "from $SOP_RUN_ID"\n```\n\n## Step 2: Go (requires approval)\n```bash\ntrue\n```\n',
  )
  const runId = await start('both')
  await home.runUntil(runId, ({ status }) => status === 'awaiting_approval')
  expect((await home.cli('list')).out).toContain('welcome')
  expect((await home.cli('approve', runId)).code).toBe(0)
  const run = await home.runUntil(runId, ({ status }) => status === 'completed')
  expect(run.stepResults[0]?.output).toBe(`from ${runId}\n`)
  const record = await home.record(runId, 'run_completed')
  expect((await home.cli('audit', runId, '--long')).out).toContain('run_completed')
  expect((await home.cli('logs', runId)).out).toContain(`from ${runId}`)
  expect((await home.cli('runs')).out).toContain(runId)
  // It asks with little patience.
  await until(
    () => api.api('GET', '/ready'),
    ({ status }) => status === 200,
  )
  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  // What the worker alone knows it tells itself.
  const url = /metrics are served at (http:[^\s"]+)/.exec(worker.said())?.[1] ?? ''
  expect(await (await fetch(url)).text()).toMatch(/^sop_audit_lag_seconds_count [1-9]/m)
  expect(await api.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await worker.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await home.processes()).toEqual([])
})

test('a step whose worker and command are killed is unknown, its run asks a person, and its command is not run again', {
  timeout: 240_000,
}, async () => {
  await add(
    'transfer',
    '## Step 1: Move money\n```bash\necho $$ >> "$WITNESS"\nsleep 600\n```\n\n## Step 2: Tell\n```bash\necho told >> "$WITNESS"\n```\n',
  )
  const runId = await start('transfer')
  await until(witnessed, (lines) => lines.length === 1)
  expect(await worker.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  await home.fail(/keeper\.mjs|step-1-1|sleep 600/)
  await startWorker()
  const run = await home.runUntil(runId, ({ status }) => status === 'paused', 90_000)
  expect(run.stepResults.map(({ status }) => status)).toEqual(['unknown', 'pending'])
  expect(await witnessed()).toHaveLength(1)
  const record = await home.record(runId, 'run_paused')
  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  expect(record.filter(({ eventType }) => eventType === 'step_started')).toHaveLength(1)
  expect(record.map(({ eventType }) => eventType).slice(-2)).toEqual(['step_unknown', 'run_paused'])
  expect((await home.cli('audit', runId, '--long')).out).toMatch(/step_unknown +1/)
})

test('the API answers while no worker is there, and a decision that it took is carried out when one comes', {
  timeout: 180_000,
}, async () => {
  await add('parked', '## Step 1: Go (requires approval)\n```bash\necho gone >> "$WITNESS"\n```\n')
  const runId = await start('parked')
  await home.runUntil(runId, ({ status }) => status === 'awaiting_approval')
  // Without a worker the API has nothing but the record.
  await home.record(runId, 'approval_requested')
  await worker.end('SIGTERM')
  const shown = await api.api('GET', `/api/v1/runs/${runId}`)
  expect(shown).toMatchObject({ status: 200, json: { status: 'awaiting_approval', stale: true } })
  const stored = await api.api('POST', `/api/sop/run/${runId}/approve`, { body: { step: 1, approved: true } })
  expect(stored).toMatchObject({ status: 202, json: { accepted: true, stored: true } })
  await startWorker()
  await home.runUntil(runId, ({ status }) => status === 'completed')
  expect(await witnessed()).toEqual(['gone'])
})

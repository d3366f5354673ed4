import { generateKeyPairSync } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { Connection } from '@temporalio/client'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import type { RecordedEvent } from '../../src/core/run/event.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { SEARCH_ATTRIBUTES } from '../../src/engine/search-attributes.ts'
import { type Cluster, clusterPrograms, startCluster } from '../support/cluster.ts'
import { createDatabase, execute } from '../support/postgres.ts'
import { POSTGRES_PASSWORD } from '../support/postgres-server.ts'
import { createHome, type Home, type RunningEngine, type RunningProgram, until } from '../support/real-engine.ts'
import { GATE_SOPS, tellGateStories } from './stories/gates.ts'

// A team: Temporal on PostgreSQL, two APIs and three workers, each with a data directory of its own. They share the SOP
// directory, and otherwise environment variables alone.

const WORKERS = ['w1', 'w2', 'w3'] as const

let missing: string | undefined
let cluster: Cluster | undefined
let homes: readonly Home[] = []
let database: string
let env: Readonly<Record<string, string>> = {}
let [one, two]: RunningEngine[] = []
const workers = new Map<string, RunningProgram>()

const api = async (engine: RunningEngine | undefined, method: string, path: string, body?: unknown, token?: string) => {
  if (engine === undefined) throw new Error('no API')
  return engine.api(method, path, { ...(body !== undefined && { body }), ...(token !== undefined && { token }) })
}
const sop = (name: string, steps: string, front = ''): Record<string, string> => ({
  [`${name}.md`]: `---\nname: ${name}\nexecution_mode: auto\n${front}---\n# ${name}\n\n${steps}`,
})
const WHO = '```bash\necho "by $WORKER_NAME"\n```\n'
const SOPS = {
  ...sop(
    'story',
    `## Step 1: Look\n${WHO}\n## Step 2: Go (requires approval)\n${WHO}\n## Step 3: Tell\n\`\`\`bash\necho "pin has \${#pin}"\n\`\`\`\n`,
    'params:\n  pin: { type: string, secret: true, required: true }\n',
  ),
  ...sop('spread', [1, 2, 3].map((n) => `## Step ${n}: Part ${n}\n${WHO}`).join('\n')),
  ...sop(
    'long',
    `## Step 1: Wait for it [idempotent: true]\n\`\`\`bash\necho "$WORKER_NAME" >> "$WITNESS"\nuntil [ -e "$WITNESS.go" ]; do sleep 0.1; done\n\`\`\`\n\n## Step 2: Tell\n${WHO}`,
  ),
  ...sop('conflict', `## Step 1: Go (requires approval)\n${WHO}`),
}

beforeAll(async () => {
  const postgres = inject('postgres')
  const programs = 'missing' in postgres ? postgres : await clusterPrograms()
  if ('missing' in programs) {
    missing = programs.missing
    return
  }
  const [started, url] = await Promise.all([startCluster(programs.folder), createDatabase()])
  cluster = started
  database = url
  const { privateKey } = generateKeyPairSync('ed25519')
  const shared = new URL(url)
  shared.password = ''
  const first = await createHome({ sops: { ...SOPS, ...GATE_SOPS } })
  env = {
    TEMPORAL_ADDRESS: cluster.address,
    TEMPORAL_NAMESPACE: cluster.namespace,
    TEMPORAL_CLI_PATH: '/nowhere/temporal',
    SOP_DATABASE_URL: shared.href,
    SOP_DATABASE_PASSWORD: POSTGRES_PASSWORD,
    SOP_INSTALLATION_KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString().replaceAll('\n', '\\n'),
    SOP_DIR: first.sopDir,
    SOP_ENV_PASSTHROUGH: 'WORKER_NAME WITNESS',
    WITNESS: join(first.path, 'witness'),
  }
  homes = [first, ...(await Promise.all(Array.from({ length: 4 }, () => createHome())))]
  const apis = homes.slice(0, 2).map((home) => home.serve({ args: ['--no-worker'], env }))
  for (const [at, name] of WORKERS.entries()) {
    const home = homes[at + 2]
    if (home !== undefined) workers.set(name, home.start(['worker'], { ...env, WORKER_NAME: name }))
  }
  ;[one, two] = await Promise.all(apis)
  for (const worker of workers.values()) await until(worker.said, (text) => text.includes('Ctrl-C stops it'), 120_000)
}, 1_200_000)
afterAll(async () => {
  await Promise.all(homes.map((home) => home.remove()))
  await cluster?.stop()
}, 180_000)
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing)
})

const view = async (engine: RunningEngine | undefined, runId: string): Promise<RunView> =>
  (await api(engine, 'GET', `/api/v1/runs/${runId}`)).json as RunView
const runUntil = (engine: RunningEngine | undefined, runId: string, is: (run: RunView) => boolean): Promise<RunView> =>
  until(
    () => view(engine, runId),
    (run) => run.runId === runId && is(run),
    90_000,
  )
const start = async (engine: RunningEngine | undefined, name: string, params = {}): Promise<string> => {
  const answer = await api(engine, 'POST', `/api/v1/sops/${name}/runs`, { params })
  expect(answer, JSON.stringify(answer)).toMatchObject({ status: 201 })
  return (answer.json as RunView).runId
}
/** The state of a run may be a little ahead of its record: `last` waits for that event to be its end. */
const auditOf = (
  engine: RunningEngine | undefined,
  runId: string,
  last?: RecordedEvent['eventType'],
): Promise<readonly RecordedEvent[]> =>
  until(
    async () =>
      ((await api(engine, 'GET', `/api/v1/runs/${runId}/audit`)).json as { events?: readonly RecordedEvent[] })
        .events ?? [],
    (events) => events.length > 0 && (last === undefined || events.at(-1)?.eventType === last),
  )

test('five processes that start together register each search attribute once, and are up when the server knows it', async () => {
  const connection = await Connection.connect({ address: cluster?.address ?? '' })
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace: cluster?.namespace ?? '' })
    const names = Object.values(config?.customSearchAttributeAliases ?? {})
    expect(names.sort()).toEqual(Object.keys(SEARCH_ATTRIBUTES).sort())
  } finally {
    await connection.close()
  }
  for (const program of [one, two, ...workers.values()]) {
    expect(program?.said()).not.toMatch(/Cannot register search attributes|keeps closed runs for/)
  }
})

tellGateStories(() => {
  const [home] = homes
  if (home === undefined || one === undefined) throw new Error('no cluster')
  const engine = one
  return {
    engine,
    cli: home.cli,
    runUntil: (runId, is) => runUntil(engine, runId, is),
    record: (runId, last) => auditOf(engine, runId, last),
  }
})

test('a run is started at one API, decided at the other, and read at both', async () => {
  const runId = await start(one, 'story', { pin: 'hunter2' })
  await runUntil(two, runId, ({ status }) => status === 'awaiting_approval')
  const body = { step: 1 + 1, comment: 'go' }
  expect(await api(two, 'POST', `/api/v1/runs/${runId}/approve`, body)).toMatchObject({
    status: 200,
    json: { accepted: true },
  })
  const done = await runUntil(one, runId, ({ status }) => status === 'completed')
  expect(done.stepResults[2]?.output).toBe('pin has 7\n')
  const records = await Promise.all([one, two].map((each) => auditOf(each, runId, 'run_completed')))
  expect(records[0]).toEqual(records[1])
  expect(verifyChain(records[0] ?? [], sha256Hex, { runId })).toEqual([])
  expect(records[0]?.map(({ eventType }) => eventType)).toEqual(
    expect.arrayContaining(['run_created', 'approval_granted', 'run_completed']),
  )
  const logs = await Promise.all([one, two].map((each) => api(each, 'GET', `/api/v1/runs/${runId}/logs?step=1`)))
  expect(logs[0]).toMatchObject({ status: 200, json: { text: expect.stringMatching(/^by w[123]\n$/), complete: true } })
  expect(logs[0]?.json).toEqual(logs[1]?.json)
  // The value of the secret param is nowhere in the database, in no form that can be read.
  const tables = await execute<{ name: string }>(
    database,
    `SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'sop_%'`,
  )
  for (const { name } of tables) {
    const rows = await execute<{ text: string }>(database, `SELECT t::text AS text FROM ${name} t`)
    expect(
      rows.filter(({ text }) => text.includes('hunter2') || text.includes(Buffer.from('hunter2').toString('hex'))),
    ).toEqual([])
  }
})

test('steps go to every worker, and both APIs list the same runs', { timeout: 240_000 }, async () => {
  const seen = new Set<string>()
  const ids: string[] = []
  while (seen.size < WORKERS.length && ids.length < 40) {
    const batch = await Promise.all([one, two, one, two].map((engine) => start(engine, 'spread')))
    ids.push(...batch)
    for (const runId of batch) {
      const run = await runUntil(two, runId, ({ status }) => status === 'completed')
      for (const { output } of run.stepResults) seen.add((output ?? '').trim())
    }
  }
  expect([...seen].sort()).toEqual(WORKERS.map((name) => `by ${name}`))
  // Whole records, so that no list changes between one look and the other.
  for (const runId of ids)
    expect(verifyChain(await auditOf(one, runId, 'run_completed'), sha256Hex, { runId })).toEqual([])
  const lists = await Promise.all([one, two].map((each) => api(each, 'GET', '/api/v1/runs?limit=100')))
  expect(lists[0]?.status).toBe(200)
  expect(lists[0]?.json).toEqual(lists[1]?.json)
  for (const runId of ids) expect(JSON.stringify(lists[0]?.json)).toContain(runId)
})

test('of many conflicting decisions at both APIs one wins, and all others are told', async () => {
  const runId = await start(one, 'conflict')
  await runUntil(two, runId, ({ openGates }) => openGates.length === 1)
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, i) =>
      api(i % 2 === 0 ? one : two, 'POST', `/api/v1/runs/${runId}/${i % 3 === 0 ? 'reject' : 'approve'}`, { step: 1 }),
    ),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(23)
  const run = await runUntil(one, runId, ({ status }) =>
    ['completed', 'paused', 'cancelled', 'failed'].includes(status),
  )
  const isDecision = ({ eventType }: RecordedEvent): boolean => /^approval_(granted|rejected)$/.test(eventType)
  const record = await until(
    () => auditOf(two, runId),
    (events) => events.some(isDecision),
  )
  const decided = record.filter(isDecision)
  expect(decided).toHaveLength(1)
  expect(run.status === 'completed').toBe(decided[0]?.eventType === 'approval_granted')
})

test('a token of one API counts at the other, and is revoked at both', async () => {
  const made = await api(one, 'POST', '/api/v1/tokens', { name: 'bob', role: 'viewer' })
  const { token } = made.json as { token: string }
  expect((await api(two, 'GET', '/api/v1/runs', undefined, token)).status).toBe(200)
  expect((await api(two, 'POST', '/api/v1/sops/spread/runs', {}, token)).status).toBe(403)
  expect((await api(two, 'DELETE', '/api/v1/tokens/bob')).status).toBeLessThan(300)
  expect((await api(one, 'GET', '/api/v1/runs', undefined, token)).status).toBe(401)
})

test('the run of a worker that is killed in mid-step goes on with another, and its record is whole', {
  timeout: 240_000,
}, async () => {
  const runId = await start(two, 'long')
  const witness = join(homes[0]?.path ?? '', 'witness')
  const lines = (): Promise<readonly string[]> =>
    readFile(witness, 'utf8').then(
      (text) => text.trimEnd().split('\n'),
      () => [],
    )
  const [first = ''] = await until(lines, (found) => found.length > 0)
  expect(await workers.get(first)?.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
  const seen = await until(lines, (found) => found.length > 1, 90_000)
  expect(seen[1]).not.toBe(first)
  await writeFile(`${witness}.go`, '')
  const done = await runUntil(one, runId, ({ status }) => status === 'completed')
  expect(done.stepResults.map(({ status }) => status)).toEqual(['success', 'success'])
  const record = await auditOf(two, runId, 'run_completed')
  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  // The killed worker comes back, and clears away what it had of a run that others have ended.
  const home = homes[2 + WORKERS.findIndex((name) => name === first)]
  const folders = (): Promise<readonly string[]> => readdir(join(home?.dataDir ?? '', 'scratch'))
  expect(await folders()).toContain(runId)
  home?.start(['worker'], { ...env, WORKER_NAME: first })
  await until(folders, (found) => !found.includes(runId), 90_000)
})

test('a process with another key is refused', { timeout: 120_000 }, async () => {
  const home = await createHome()
  try {
    const other = {
      TEMPORAL_ADDRESS: cluster?.address ?? '',
      TEMPORAL_NAMESPACE: cluster?.namespace ?? '',
      SOP_DATABASE_URL: database,
    }
    const worker = home.start(['worker'], other)
    expect(await worker.ended).toMatchObject({ code: expect.any(Number) })
    expect(worker.said()).toMatch(/belongs to an installation with another key.*SOP_INSTALLATION_KEY/s)
    expect(worker.said()).not.toContain(encodeURIComponent(POSTGRES_PASSWORD))
  } finally {
    await home.remove()
  }
})

// main.mjs: `npm run chaos -- --seed 7 --kills 200 --seconds 1800`. Runs of every shape, kills at random instants, a person
// who answers, and at the end the question whether anything was lost, doubled or falsified.

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client, Connection } from '@temporalio/client'
import { verifyChain } from '../../dist/core/audit-chain.js'
import { createProgress } from '../../dist/engine/console.js'
import { resolveTemporal } from '../../dist/engine/resolve-temporal.js'
import { checkEvidence } from './check.mjs'
import { createCluster } from './cluster.mjs'
import { countEvents, gatherRuns, readLedger, slotsOf } from './gather.mjs'
import { createApi } from './http.mjs'
import { createMonkey } from './monkey.mjs'
import { createPerson } from './person.mjs'
import { kill, processesWith } from './processes.mjs'
import { createRandom } from './random.mjs'
import { reportOf } from './report.mjs'
import { shapesOf, writeShapes } from './shapes.mjs'

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    kills: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '900' },
    open: { type: 'string', default: '10' },
    runs: { type: 'string', default: '1000000' },
    shapes: { type: 'string' },
    without: { type: 'string', default: '' },
    plan: { type: 'string' },
    plant: { type: 'string' },
    keep: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const [wantedKills, wantedRuns, maxOpen] = [Number(options.kills), Number(options.runs), Number(options.open)]

/** Time that the runs which are under way at the end get to end, and that a planned kill gets to hit. Only a defect needs it. */
const SETTLE_MS = 300_000
const PLANNED_MS = 180_000
/** Events that have to come on record between two planned kills, so that each of them strikes an engine at work. */
const EVENTS_BETWEEN = 4
/** Runs that are started before each planned kill. */
const RUNS_PER_KILL = 3
const LOOK_MS = 250

const startedAt = Date.now()
const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(1)
const note = (text) => {
  if (options.verbose) process.stderr.write(`${seconds()} s: ${text}\n`)
}
const sha256Hex = (text) => createHash('sha256').update(text).digest('hex')

const home = await realpath(await mkdtemp(join(tmpdir(), 'sop-chaos-')))
const random = createRandom(options.seed)
const { path: binary } = await resolveTemporal({
  env: process.env,
  progress: createProgress(process.stderr),
  ...(process.env.TEMPORAL_CLI_PATH && { cliPath: process.env.TEMPORAL_CLI_PATH }),
})
const cluster = await createCluster({ home, binary, ...(options.plant && { plant: options.plant }) })
const { paths } = cluster
const allShapes = shapesOf(paths.ledger)
const shapes = options.shapes?.split(',') ?? Object.keys(allShapes)
await mkdir(paths.faults, { recursive: true })
await writeShapes(paths.sopDir, allShapes)
await writeFile(paths.ledger, '')

// Whoever ends this program leaves nothing behind either.
process.once('exit', () => Object.values(cluster.programs).forEach(({ pid }) => pid !== undefined && kill(pid)))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

const api = createApi({ url: cluster.url, dataDir: paths.dataDir })
const person = createPerson({ api, ledger: paths.ledger, seed: options.seed, note })
/** @type {Map<string, { key: string, sop: string, runIds: string[] }>} */
const starts = new Map()
let isStarting = true
/** How many runs may be started. With a plan some more for each kill, so that there is work while those that it hit are looked for. */
let budget = options.plan === undefined ? wantedRuns : RUNS_PER_KILL
let open = 0

/** Starts runs as long as fewer than wanted are open; one that got no answer is asked for again with its key. */
const keepStarting = async () => {
  while (isStarting) {
    const pending = [...starts.values()].find(({ runIds }) => runIds.length === 0)
    if (pending === undefined && (open >= maxOpen || starts.size >= budget)) {
      await sleep(LOOK_MS)
      continue
    }
    const start = pending ?? { key: `${options.seed}-${starts.size + 1}`, sop: random.pick(shapes), runIds: [] }
    starts.set(start.key, start)
    if (pending === undefined) open += 1
    await startOne(start)
    if (pending === undefined && random.chance(0.1)) await startOne(start)
  }
}

const startOne = async (start) => {
  const answer = await api.post(`/api/v1/sops/${start.sop}/runs`, { wait: false }, { 'Idempotency-Key': start.key })
  if (answer?.status === 201) {
    start.runIds.push(answer.json.runId)
  } else await sleep(LOOK_MS)
}

let isLooking = true
const keepLooking = async () => {
  while (isLooking) {
    const [before, listed] = [starts.size, await person.look()]
    if (listed !== undefined) open = listed + starts.size - before
    await sleep(LOOK_MS)
  }
}

const untilUp = async () => {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(200)) {
    const health = await api.get('/api/v1/health')
    if (health?.status === 200) return
  }
  throw new Error(`Cannot start the engine: see ${paths.home}`)
}

/** The worker of the pool has brought all its logs to the engine. */
const isDelivered = async () => (await readdir(join(paths.far, 'logs')).catch(() => [])).length === 0

/** Worker, API and server work again: what was killed is up, and the record grows. */
const untilAtWork = async () => {
  await untilUp()
  const before = await countEvents(paths.dataDir)
  for (const end = Date.now() + PLANNED_MS; Date.now() < end; await sleep(LOOK_MS)) {
    if ((await countEvents(paths.dataDir)) >= before + EVENTS_BETWEEN) return
  }
}

/** Each of these kills, one after the other, and work between them. @param {readonly string[]} kinds */
const follow = async (kinds) => {
  for (const kind of kinds) {
    await untilAtWork()
    await monkey.hit(kind, PLANNED_MS)
    budget += RUNS_PER_KILL
  }
}

const untilClosed = async () => {
  for (const end = Date.now() + SETTLE_MS; Date.now() < end; await sleep(LOOK_MS)) {
    const unanswered = [...starts.values()].filter(({ runIds }) => runIds.length === 0)
    for (const start of unanswered) await startOne(start)
    const listed = await api.get('/api/v1/runs?state=open&limit=1000')
    const closed = await api.get('/api/v1/runs?limit=1000')
    if (
      listed?.status === 200 &&
      listed.json.runs.length === 0 &&
      closed?.json?.runs?.length >= Math.min(1000, starts.size) &&
      (await isDelivered())
    )
      return
  }
  note('not every run ended')
}

cluster.start()
await untilUp()
if (shapes.includes('pooled')) await cluster.startPool()
const monkey = createMonkey({
  cluster,
  random: createRandom(`${options.seed}-kills`),
  note,
  without: options.without.split(','),
})
note(`up in ${home}, seed ${options.seed}`)
const working = [keepStarting(), keepLooking()]
const deadline = startedAt + Number(options.seconds) * 1000
if (options.plan !== undefined) await follow(options.plan.split(','))
else while (monkey.count() < wantedKills && Date.now() < deadline) await monkey.next()
if (wantedKills === 0) {
  while (starts.size < wantedRuns && Date.now() < deadline) await sleep(LOOK_MS)
  await untilClosed()
}
note('no more kills')
isStarting = false
person.finish()
await untilUp()
await untilClosed()
isLooking = false
await Promise.all(working)

note('every run has ended')
const connection = await Connection.connect({ address: cluster.address })
const temporal = new Client({ connection })
const [runs, slots] = [await gatherRuns({ temporal, paths }), await slotsOf(temporal)]
await connection.close()
note('evidence is gathered')
await cluster.stop()
note('everything is stopped')
const processes = await processesWith(home)
const evidence = {
  ledger: await readLedger(paths.ledger),
  starts: [...starts.values()],
  decisions: person.decisions(),
  runs,
  processes,
  failures: api.failures,
  slots,
}
const violations = checkEvidence(evidence, (record, runId) => verifyChain(record, sha256Hex, { runId }))
for (const line of processes) kill(Number.parseInt(line, 10))

const told = { seed: options.seed, seconds: seconds(), kills: monkey.table(), evidence, violations, home }
console.log(reportOf(told))
if (violations.length > 0 || options.keep) {
  await writeFile(join(home, 'evidence.json'), JSON.stringify({ ...evidence, violations }, null, 1))
} else await rm(home, { recursive: true, force: true })
process.exit(violations.length === 0 ? 0 : 1)

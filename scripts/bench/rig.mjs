// rig.mjs: what the sections of the bench share: a folder, servers, workers, clients.

import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { createPin } from '../../dist/client/pin.js'
import { createCatalog } from '../../dist/client/catalog.js'
import { openInstallationKey } from '../../dist/client/signing.js'
import { createTemporalClient } from '../../dist/client/temporal.js'
import { requireConfig } from '../../dist/config.js'
import { executablesOf } from '../../dist/core/executables.js'
import { createProgress } from '../../dist/engine/console.js'
import { startDevServer } from '../../dist/engine/dev-server.js'
import { resolveTemporal } from '../../dist/engine/resolve-temporal.js'
import { runPolicy } from '../../dist/engine/run-policy.js'
import { createLog } from '../../dist/log.js'
import { followStores } from '../../dist/worker/stores.js'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const QUICK = process.argv.includes('--quick')

const log = createLog({ level: 'error' })
const progress = createProgress(process.stderr)
export const say = (text) => process.stderr.write(`${text}\n`)
const closers = []
/** Ends everything that was started, the last first. */
export const closeAll = async () => {
  for (const close of closers) await Promise.resolve(close()).catch((error) => say(`while closing: ${error}`))
}
export const later = (close) => closers.unshift(close)

export const folder = await mkdtemp(join(tmpdir(), 'sop-bench-'))
later(() => rm(folder, { recursive: true, force: true }))

/** A server with a database file, as the engine has it: its address. */
export const startServer = async (name, tuned) => (tuned ? (await startServerProcess(name)).address : startPlain(name))

/** The same with its process. */
export async function startServerProcess(name) {
  const data = join(folder, name)
  await mkdir(data)
  const binary = await findBinary()
  const server = await startDevServer({
    binary,
    folder: data,
    env: process.env,
    namespace: 'default',
    port: 0,
    retentionDays: 30,
    log,
    progress,
  })
  later(() => server.stop())
  return { address: server.target.address, pid: () => server.pid() }
}

async function startPlain(name) {
  const data = join(folder, name)
  await mkdir(data)
  return startPlainServer((await findBinary()).path, data)
}

const findBinary = () =>
  resolveTemporal({
    env: process.env,
    progress,
    ...(process.env.TEMPORAL_CLI_PATH && { cliPath: process.env.TEMPORAL_CLI_PATH }),
  })

/** The dev server as a user would start it: a database file and nothing else. */
async function startPlainServer(path, data) {
  const port = await freePort()
  const child = spawn(
    path,
    [
      'server',
      'start-dev',
      '--headless',
      '--port',
      String(port),
      '--db-filename',
      join(data, 'temporal.db'),
      '--log-level',
      'never',
    ],
    { stdio: 'ignore' },
  )
  later(async () => {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  })
  const address = `127.0.0.1:${port}`
  for (let tries = 0; tries < 150; tries += 1) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 })
      await connection.workflowService.describeNamespace({ namespace: 'default' })
      await connection.close()
      return address
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  throw new Error(`Cannot reach the plain server at ${address}`)
}

async function freePort() {
  const { createServer } = await import('node:net')
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** A worker process; `rss()` asks it for its memory in bytes. */
export async function startWorker(options) {
  await mkdir(options.dataDir, { recursive: true })
  const child = spawn(
    process.execPath,
    [join(ROOT, 'scripts/bench/worker.mjs'), JSON.stringify({ namespace: 'default', ...options })],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.value !== 'ready') throw new Error('Cannot start a worker of the bench')
  const ended = new Promise((resolve) => child.once('exit', resolve))
  later(async () => {
    child.stdin.end()
    await ended
  })
  return {
    pid: child.pid,
    rss: async () => {
      child.stdin.write('rss\n')
      return Number((await lines.next()).value)
    },
    /** Ends it as a crash does. */
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

export const stepsSop = (name, count) =>
  `---\nname: ${name}\nexecution_mode: auto\n---\n\n# ${name}\n\n${Array.from({ length: count }, (_, index) => `## Step ${index + 1}: True ${index + 1}\n\n\`\`\`bash\ntrue\n\`\`\`\n`).join('\n')}`
export const GATE_SOP = `---\nname: gated\nexecution_mode: auto\n---\n\n# Gated\n\n## Step 1: Go (requires approval)\n\n\`\`\`bash\ndate +%s%3N\n\`\`\`\n`

export const sopDir = join(folder, 'sops')
await mkdir(sopDir)
await writeFile(join(sopDir, 'twenty.md'), stepsSop('twenty', 20))
await writeFile(join(sopDir, 'ten.md'), stepsSop('ten', 10))
await writeFile(join(sopDir, 'gated.md'), GATE_SOP)

/** Client and tasks of one server. */
export async function openSide(address, dataDir, taskQueue) {
  const connection = await Connection.connect({ address })
  later(() => connection.close())
  const temporal = new Client({ connection })
  const env = { ...process.env, SOP_DATA_DIR: dataDir, SOP_DIR: sopDir }
  const { config } = requireConfig({ env, cwd: folder })
  const stores = followStores(config, env, log)
  const key = await openInstallationKey(dataDir)
  const catalog = createCatalog({ sopDir, workdir: folder })
  const pin = createPin({ catalog, key, policy: runPolicy(config) })
  const client = createTemporalClient({
    temporal,
    taskQueue,
    catalog,
    pin,
    key,
    records: stores,
    sopDir,
    agentsMayCreate: false,
    version: 'bench',
    resolveFact: stores.resolveFact,
  }).as({ principal: { id: 'bench', kind: 'user', role: 'admin' }, via: 'js' })
  const tasksOf = async (name, runId) => {
    const { definition, digest, warrants } = await pin.pin(name)
    const executables = executablesOf(definition)
    return definition.steps.map((step) => ({
      runId,
      sop: name,
      digest,
      executableId: `step:${step.number}`,
      executable: executables[`step:${step.number}`],
      warrant: warrants[`step:${step.number}`],
      stepNumber: step.number,
      attempt: 1,
      title: step.title,
      params: {},
      outputs: {},
      trigger: { type: 'manual' },
      timeoutMs: 3_600_000,
      events: [],
    }))
  }
  return { temporal, client, tasksOf, taskQueue }
}

/** The bare workflows, bundled as ours are. */
export async function bareBundle() {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'scripts/bench/bare-workflows.mjs'),
    logger: new DefaultLogger('ERROR'),
    webpackConfigHook: (config) => ({ ...config, mode: 'production' }),
  })
  const path = join(folder, 'bare-bundle.js')
  await writeFile(path, code)
  return path
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

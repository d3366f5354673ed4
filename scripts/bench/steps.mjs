// steps.mjs: the engine beside a bare Temporal workflow of the same activities, on the same server and in one run.
// Figures of one machine mean little by themselves; the ratios are what counts, so the two take turns.

import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { median, msOf, quantile, table } from './measure.mjs'
import {
  bareBundle,
  folder,
  later,
  openSide,
  pause,
  QUICK,
  ROOT,
  say,
  sopDir,
  startServer,
  startWorker,
  stepsSop,
} from './rig.mjs'

const ROUNDS = QUICK ? 2 : 5
const GATES = QUICK ? 10 : 40
const WIDE = QUICK ? 20 : 100

let count = 0
const bareRun = async (side, name) => {
  count += 1
  const workflowId = `bare-${process.pid}-${count}`
  const handle = await side.temporal.workflow.start('bareSteps', {
    workflowId,
    taskQueue: side.taskQueue,
    args: [await side.tasksOf(name, workflowId)],
  })
  return handle.result()
}
const ourRun = async (side, name) => {
  const { runId } = await side.client.createRun(name, { wait: false })
  return side.temporal.workflow.getHandle(runId).result()
}

const bareGate = async (side) => {
  count += 1
  const workflowId = `bare-gate-${process.pid}-${count}`
  const [task] = await side.tasksOf('gated', workflowId)
  const handle = await side.temporal.workflow.start('bareGate', { workflowId, taskQueue: side.taskQueue, args: [task] })
  await pause(150)
  const start = Date.now()
  await handle.signal('approve')
  return Number((await handle.result()).output.trim()) - start
}
const ourGate = async (side) => {
  const { runId } = await side.client.createRun('gated')
  await pause(150)
  const start = Date.now()
  await side.client.approveStep(runId, 1)
  await side.temporal.workflow.getHandle(runId).result()
  const { stepResults } = await side.client.getRunStatus(runId)
  return Number(stepResults[0].output.trim()) - start
}

/** Both in turn, the first round unmeasured. */
async function inTurn(rounds, first, second) {
  const results = [[], []]
  for (let round = 0; round <= rounds; round += 1) {
    const pair = [await first(), await second()]
    if (round === 0) continue
    results[0].push(pair[0])
    results[1].push(pair[1])
  }
  return results
}

export async function steps() {
  say('Starting two servers: one as the engine starts it, one as it comes …')
  const bundlePath = await bareBundle()
  const tuned = await startServer('tuned', true)
  const plain = await startServer('plain', false)
  const ours = { address: tuned, taskQueue: 'sop', dataDir: join(folder, 'ours'), sopDir }
  const bare = { address: tuned, taskQueue: 'bare', dataDir: join(folder, 'bare'), sopDir, bundlePath }
  const untuned = { address: plain, taskQueue: 'bare', dataDir: join(folder, 'untuned'), sopDir, bundlePath }
  const ourWorker = await startWorker(ours)
  const bareWorker = await startWorker(bare)
  await startWorker(untuned)
  const a = await openSide(tuned, bare.dataDir, 'bare')
  const b = await openSide(tuned, ours.dataDir, 'sop')
  const c = await openSide(plain, untuned.dataDir, 'bare')

  say(`20 steps in a row, ${ROUNDS} runs each …`)
  const [bareStep, ourStep] = await inTurn(
    ROUNDS,
    async () => (await msOf(() => bareRun(a, 'twenty'))) / 20,
    async () => (await msOf(() => ourRun(b, 'twenty'))) / 20,
  )
  const untunedStep = [(await msOf(() => bareRun(c, 'twenty'))) / 20, (await msOf(() => bareRun(c, 'twenty'))) / 20]

  say(`${WIDE} runs of 10 steps at once, ${QUICK ? 1 : 3} times each …`)
  const wide = (side, one) => async () =>
    (WIDE * 10_000) / (await msOf(() => Promise.all(Array.from({ length: WIDE }, () => one(side, 'ten')))))
  const [bareWide, ourWide] = await inTurn(QUICK ? 1 : 3, wide(a, bareRun), wide(b, ourRun))
  const untunedWide = [await wide(c, bareRun)()]

  say(`${GATES} gates each …`)
  const [bareGates, ourGates] = await inTurn(
    GATES,
    () => bareGate(a),
    () => ourGate(b),
  )
  const untunedGates = []
  for (let each = 0; each < Math.min(GATES, 10); each += 1) untunedGates.push(await bareGate(c))
  const rss = [await bareWorker.rss(), await ourWorker.rss()]

  const ms = (value) => `${value.toFixed(1)} ms`
  const row = (what, show, [x, y, z], worse) => [
    what,
    show(x),
    show(y),
    `${(worse === 'more' ? y / x : y / x).toFixed(2)}`,
    z === undefined ? '' : show(z),
  ]
  console.log(
    `\nNode ${process.version}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; medians of ${ROUNDS} runs, audit on\n`,
  )
  console.log(
    table([
      ['what', 'bare workflow', 'SOP Engine', 'ratio', 'bare, server as it comes'],
      row('ms per step (20 in a row)', ms, [median(bareStep), median(ourStep), median(untunedStep)]),
      row(`steps/s (${WIDE} runs of 10 at once)`, (value) => value.toFixed(0), [
        median(bareWide),
        median(ourWide),
        median(untunedWide),
      ]),
      row('gate answer to next command, p50', ms, [median(bareGates), median(ourGates), median(untunedGates)]),
      row('gate answer to next command, p95', ms, [
        quantile(bareGates, 0.95),
        quantile(ourGates, 0.95),
        quantile(untunedGates, 0.95),
      ]),
      row('worker memory afterwards', (value) => `${(value / 2 ** 20).toFixed(0)} MiB`, [rss[0], rss[1]]),
    ]),
  )
}

/** Wall times of the CLI against an engine of its own, and the catalog from cold. */
export async function cli() {
  say('\nAn engine for the CLI …')
  const dataDir = join(folder, 'cli')
  const env = {
    ...process.env,
    SOP_DATA_DIR: dataDir,
    SOP_DIR: sopDir,
    SOP_API_PORT: '0',
    SOP_TEMPORAL_PORT: '0',
    SOP_TEMPORAL_UI_PORT: '0',
  }
  const main = join(ROOT, 'dist/cli/main.js')
  const engine = spawn(process.execPath, [main, 'serve'], { env, cwd: folder, stdio: 'ignore' })
  later(async () => {
    engine.kill('SIGTERM')
    await new Promise((resolve) => engine.once('exit', resolve))
  })
  const cli = (...args) =>
    new Promise((resolve) =>
      spawn(process.execPath, [main, ...args], { env, cwd: folder, stdio: 'ignore' }).once('exit', resolve),
    )
  for (let tries = 0; (await cli('list')) !== 0; tries += 1) {
    if (tries > 100) throw new Error('Cannot reach the engine of the bench')
    await pause(300)
  }
  await cli('run', 'gated')
  const wall = async (...args) => {
    const times = []
    for (let each = 0; each < (QUICK ? 3 : 10); each += 1) times.push(await msOf(() => cli(...args)))
    return median(times)
  }
  const list = await wall('list')
  const status = await wall('status', 'gated')
  const many = join(folder, 'many')
  await mkdir(many)
  for (let each = 0; each < 1000; each += 1) await writeFile(join(many, `sop-${each}.md`), stepsSop(`sop-${each}`, 5))
  const load = `import { createCatalog } from ${JSON.stringify(join(ROOT, 'dist/client/catalog.js'))}
const start = performance.now()
const found = await createCatalog({ sopDir: ${JSON.stringify(many)}, workdir: ${JSON.stringify(folder)} }).list()
process.stdout.write(JSON.stringify([performance.now() - start, found.length]))`
  const loads = []
  for (let each = 0; each < 3; each += 1) {
    const out = await new Promise((resolve) => {
      let text = ''
      const child = spawn(process.execPath, ['--input-type=module', '-e', load], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      child.stdout.on('data', (chunk) => {
        text += chunk
      })
      child.once('exit', () => resolve(text))
    })
    loads.push(JSON.parse(out)[0])
  }
  console.log(
    `\n${table([
      ['what', 'median'],
      ['sop list, wall time', `${list.toFixed(0)} ms`],
      ['sop status, wall time', `${status.toFixed(0)} ms`],
      ['catalog of 1,000 SOPs from cold', `${median(loads).toFixed(0)} ms`],
    ])}`,
  )
}

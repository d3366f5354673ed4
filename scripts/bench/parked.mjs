// parked.mjs: ten thousand runs that stand at gates. Targets: the worker stays below 500 MB and does not grow with their
// number, and one of them is approved at most 25 ms slower than a fresh one.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, msOf, table } from './measure.mjs'
import { folder, openSide, pause, QUICK, say, sopDir, startServer, startWorker } from './rig.mjs'

const RUNS = QUICK ? 500 : 10_000
/** Pairs of approvals, of a parked and of a fresh run: what else the machine does meets both alike. */
const PAIRS = QUICK ? 20 : 100
/** Starts at the same time. */
const ABREAST = 24
const IDLE_MS = 10_000
const CLOCK_TICKS = 100

export async function parked() {
  say(`${RUNS} runs parked at a gate …`)
  const address = await startServer('parked', true)
  const options = { address, taskQueue: 'sop', dataDir: join(folder, 'parked-data'), sopDir }
  const worker = await startWorker(options)
  const side = await openSide(address, options.dataDir, 'sop')
  const first = await start(side, Math.floor(RUNS / 10))
  const fewRss = await worker.rss()
  const seconds = (await msOf(async () => first.push(...(await start(side, RUNS - first.length))))) / 1000
  await settled(side, worker, RUNS)
  const rss = await worker.rss()
  const idle = await cpuShare(worker.pid)
  const pairs = await inTurn(sample(first, PAIRS), async (runId) => ({
    parked: await approve(side, runId),
    fresh: await approve(side, (await side.client.createRun('gated')).runId),
  }))
  const oldMs = median(pairs.map((pair) => pair.parked))
  const freshMs = median(pairs.map((pair) => pair.fresh))

  await worker.kill()
  const restart = performance.now()
  const next = await startWorker(options)
  const readyMs = performance.now() - restart
  await approve(side, sample(first.slice(1), 1)[0])
  const answeredMs = performance.now() - restart

  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
  console.log(
    `\n${table([
      [`${RUNS} runs parked at a gate`, 'measured', 'target'],
      ['worker memory with a tenth of them', mib(fewRss), ''],
      ['worker memory with all', mib(rss), 'below 500 MB'],
      ['worker memory after a restart', mib(await next.rss()), ''],
      ['worker idle, share of one core', `${(idle * 100).toFixed(1)} %`, ''],
      ['starts per second', ((RUNS * 0.9) / seconds).toFixed(0), ''],
      ['a parked run approved, p50', `${oldMs.toFixed(0)} ms`, `${(freshMs + 25).toFixed(0)} ms`],
      ['a fresh run approved, p50', `${freshMs.toFixed(0)} ms`, ''],
      ['the first parked run approved', `${pairs[0].parked.toFixed(0)} ms`, ''],
      ['restart to a polling worker', `${readyMs.toFixed(0)} ms`, ''],
      ['restart to the first answered approval', `${answeredMs.toFixed(0)} ms`, ''],
    ])}`,
  )
}

async function start({ client }, count) {
  const ids = []
  let left = count
  const work = async () => {
    while (left > 0) {
      left -= 1
      ids.push((await client.createRun('gated', { wait: false })).runId)
    }
  }
  await Promise.all(Array.from({ length: ABREAST }, work))
  return ids
}

/** Milliseconds until an approval is answered. */
const approve = ({ client }, runId) => msOf(() => client.approveStep(runId, 1))

const sample = (items, count) =>
  Array.from({ length: count }, (_, index) => items[Math.floor(((index + 0.5) * items.length) / count)])

async function inTurn(items, one) {
  const measured = []
  for (const item of items) measured.push(await one(item))
  return measured
}

/** Waits until every run stands at its gate and the worker has nothing more to do. */
async function settled({ temporal }, { pid }, runs) {
  for (let tries = 0; tries < 600; tries += 1) {
    const { count } = await temporal.workflow.count("SopState = 'awaiting_approval'")
    if (count >= runs) break
    await pause(1000)
  }
  for (let tries = 0; tries < 60; tries += 1) if ((await cpuShare(pid, 1000)) < 0.05) return
}

/** Share of one core that a process used, over a time. */
async function cpuShare(pid, overMs = IDLE_MS) {
  const before = ticksOf(pid)
  await pause(overMs)
  return (ticksOf(pid) - before) / CLOCK_TICKS / (overMs / 1000)
}

/** Clock ticks of user and system time; none where the system does not tell. */
function ticksOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return Number.NaN
  }
}

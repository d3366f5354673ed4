// triggers.mjs: webhooks that are accepted, that is durable, beside bare `workflow.start`s of the same input. No worker is
// there, so that nothing but the start is measured; the two take turns on one server.

import { spawn } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { median, msOf, quantile, table } from './measure.mjs'
import { folder, later, openSide, QUICK, ROOT, say, sopDir, startServer } from './rig.mjs'

const STARTS = QUICK ? 200 : 1_000
const ROUNDS = QUICK ? 1 : 3
const AT_ONCE = 16
const SECRET = 'a secret of the bench'

const HOOKED = `---
name: hooked
execution_mode: auto
triggers:
  - type: webhook
    path: /hooks/bench
    secret: BENCH_SECRET
    params: { host: "$.alerts[0].labels.instance" }
---
# Hooked

${Array.from({ length: 10 }, (_, index) => `## Step ${index + 1}: True ${index + 1}\n\n\`\`\`bash\ntrue\n\`\`\`\n`).join('\n')}`

/** Starts/s and the p95 of one start, in milliseconds. */
const flood = async (one) => {
  const each = []
  let left = STARTS
  const take = async () => {
    while (left-- > 0) each.push(await msOf(one))
  }
  const ms = await msOf(() => Promise.all(Array.from({ length: AT_ONCE }, take)))
  return { rate: (STARTS * 1_000) / ms, p95: quantile(each, 0.95) }
}

async function startApiProcess(options) {
  await mkdir(options.dataDir, { recursive: true })
  const child = spawn(process.execPath, [join(ROOT, 'scripts/bench/api.mjs'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_SECRET: SECRET },
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  later(async () => {
    child.stdin.end()
    await ended
  })
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  return String(value)
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

/** One delivery of its own; the answer names its run. */
const deliver = (url, text) => {
  const body = text.replace('FINGERPRINT', randomUUID())
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'X-GitHub-Delivery': randomUUID(),
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/hooks/bench`, { method: 'POST', agent, headers }, (incoming) => {
      let answer = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (piece) => {
        answer += piece
      })
      incoming.on('end', () => {
        if (incoming.statusCode === 202) resolve(JSON.parse(answer).runId)
        else reject(new Error(`A webhook was answered ${incoming.statusCode}: ${answer}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export async function triggers() {
  say('Starting a server and an API, without a worker …')
  await writeFile(join(sopDir, 'hooked.md'), HOOKED)
  const address = await startServer('triggers', true)
  const dataDir = join(folder, 'triggers-api')
  const url = await startApiProcess({ address, taskQueue: 'hooks', dataDir, sopDir })
  later(() => agent.destroy())
  const { temporal } = await openSide(address, dataDir, 'bare-hooks')
  const text = await readFile(join(ROOT, 'test/fixtures/webhook/alertmanager.json'), 'utf8')
  const payload = text.replace('d51a2f4b5b9ea7a9', 'FINGERPRINT')

  // The same input as a run of ours has, taken from one.
  const { executionInput, bytes } = await inputOf(temporal, await deliver(url, payload))
  const bare = () =>
    temporal.workflow.start('bare', {
      workflowId: `bare-${randomUUID()}`,
      taskQueue: 'bare-hooks',
      args: [executionInput],
    })
  const ours = () => deliver(url, payload)

  say(`${STARTS} of each, ${AT_ONCE} at once, ${ROUNDS} rounds after one unmeasured …`)
  const results = { bare: [], ours: [] }
  for (let round = 0; round <= ROUNDS; round += 1) {
    const pair = [await flood(bare), await flood(ours)]
    if (round === 0) continue
    results.bare.push(pair[0])
    results.ours.push(pair[1])
  }
  const of = (side, what) => median(results[side].map((each) => each[what]))
  console.log(
    `\n${STARTS} starts, ${AT_ONCE} at once, input ${(bytes / 1024).toFixed(1)} KiB, medians of ${ROUNDS} rounds\n`,
  )
  console.log(
    table([
      ['what', 'bare workflow.start', 'webhook', 'ratio'],
      [
        'accepted per second',
        of('bare', 'rate').toFixed(0),
        of('ours', 'rate').toFixed(0),
        (of('ours', 'rate') / of('bare', 'rate')).toFixed(2),
      ],
      [
        'p95 to durable',
        `${of('bare', 'p95').toFixed(0)} ms`,
        `${of('ours', 'p95').toFixed(0)} ms`,
        (of('ours', 'p95') / of('bare', 'p95')).toFixed(2),
      ],
    ]),
  )
}

async function inputOf(temporal, runId) {
  const { events } = await temporal.workflow.getHandle(runId).fetchHistory()
  const { data } = events[0].workflowExecutionStartedEventAttributes.input.payloads[0]
  return { executionInput: JSON.parse(Buffer.from(data).toString('utf8')), bytes: data.length }
}

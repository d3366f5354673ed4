import { createHash } from 'node:crypto'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer, connect as dial, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { randomUUID } from 'node:crypto'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { createHome, type Home, type RunningEngine, type RunningProgram, until } from '../support/real-engine.ts'

// Workers of a pool as they run on other hosts: a folder of their own, no variable that leads to the data directory, the API
// behind a line that can be cut.

/** A line between the worker and the API, as a network is: it can be cut, and lead to another engine afterwards. */
interface Line {
  readonly url: string
  leadTo(url: string | undefined): void
  close(): Promise<void>
}

const openLine = async (): Promise<Line> => {
  let target: URL | undefined
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  }
  const server = createServer((from) => {
    keep(from)
    if (target === undefined) return void from.destroy()
    const to = dial(Number(target.port), target.hostname)
    keep(to)
    from.pipe(to).pipe(from)
    from.on('close', () => to.destroy())
    to.on('close', () => from.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (url) => {
      target = url === undefined ? undefined : new URL(url)
      for (const socket of sockets) socket.destroy()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

let home: Home
let far: Home
let line: Line
let engine: RunningEngine
let token: string
const env = (): Readonly<Record<string, string>> => ({
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  SOP_TASK_QUEUE: queue,
  SOP_POOL_NOTICE: '300ms',
})
let queue: string

beforeEach(async () => {
  queue = `e2e-${randomUUID()}`
  home = await createHome()
  far = await createHome()
  line = await openLine()
  engine = await home.serve({ env: env() })
  line.leadTo(engine.file.url)
  token = (await home.cli('token', 'create', 'host-1', '--role', 'worker', '--group', 'dba')).out.trim()
}, 120_000)
afterEach(async () => {
  await far.remove()
  await home.remove()
  await line.close()
})

/** On another host: nothing of the engine is in its environment but what a worker is given. */
const startWorker = async (...args: readonly string[]): Promise<RunningProgram> => {
  const worker = far.start(['worker', '--pool', 'dba', '--url', line.url, ...args], {
    SOP_TOKEN: token,
    SOP_DATA_DIR: '',
    SOP_DIR: '',
    DB_PASSWORD: 'swordfish-of-the-far-host',
  })
  await until(worker.said, (text) => text.includes('Ctrl-C stops it'), 90_000)
  return worker
}

const add = (name: string, text: string): Promise<void> =>
  writeFile(join(home.sopDir, `${name}.md`), `---\nname: ${name}\nexecution_mode: auto\n${text}`)
const start = async (name: string, ...args: readonly string[]): Promise<string> => {
  const said = await home.cli('run', name, '--json', ...args)
  expect(said).toMatchObject({ code: 0 })
  return (JSON.parse(said.out) as { runId: string }).runId
}
const spool = (): Promise<readonly string[]> => readdir(join(far.path, '.sop-worker/logs')).catch(() => [])
const logOf = async (runId: string, step: number): Promise<Buffer> => {
  const folder = join(home.dataDir, 'logs', runId)
  return readFile(join(folder, `step.${step}-1.log`))
}

test('a step runs on another host with secrets of its own, and everything of it reaches the engine', {
  timeout: 240_000,
}, async () => {
  await add(
    'dump',
    `params:
  password: { type: string, secret: true }
---
## Step 1: Here
\`\`\`bash
echo "from=$PWD" >> "$SOP_OUTPUT"
\`\`\`
## Step 2: There [runs_on: dba[eu], secrets: DB_PASSWORD]
\`\`\`bash
echo "$PWD after $from"
echo "$DB_PASSWORD and $password"
echo "there=$PWD" >> "$SOP_OUTPUT"
head -c 3000000 /dev/urandom
\`\`\`
\`\`\`bash verify
echo "checked in $PWD"
\`\`\`
## Step 3: Ask [runs_on: dba, http: GET ${engine.file.url}/health]
## Step 4: Back
\`\`\`bash
echo "back in $PWD"
\`\`\`
`,
  )
  const worker = await startWorker('--label', 'eu', '--label', 'ssd')
  const runId = await start('dump', '--param', 'password=pa55word-of-the-run')
  const run = await home.runUntil(runId, ({ status }) => status === 'completed' || status === 'failed', 90_000)
  expect(run.status).toBe('completed')
  expect(run.outputs).toMatchObject({ from: home.path, there: far.path })
  // Nothing waits on the far host: the end of a step waits some seconds for its log to be brought, and no longer.
  expect(await until(spool, (left) => left.length === 0)).toEqual([])
  const log = await logOf(runId, 2)
  expect(log.subarray(0, 200).toString('latin1')).toContain(`${far.path} after ${home.path}\n*** and ***\n`)
  expect(log.length).toBeGreaterThan(2_900_000)
  expect((await home.cli('logs', runId, '--step', '2', '--source', 'verify')).out).toContain(`checked in ${far.path}`)
  expect((await home.cli('logs', runId, '--step', '3')).out).toContain('HTTP 200')
  // The record says by length and sum what the log is.
  const record = await home.record(runId, 'run_completed')
  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  const checked = record.find((event) => event.eventType === 'verification_started' && event.stepNumber === 2)
  expect(checked?.details).toMatchObject({
    log: { bytes: log.length, sha256: createHash('sha256').update(log).digest('hex') },
  })
  expect((await stat(join(home.dataDir, 'logs', runId, 'step.2-1.log'))).mode & 0o200).toBe(0)
  expect(await worker.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await far.processes()).toEqual([])
})

test('a run whose pool has no worker says so, and goes on when one comes', { timeout: 180_000 }, async () => {
  await add('wait', '---\n## Step 1: There [runs_on: dba]\n```bash\necho "ran in $PWD"\n```\n')
  const runId = await start('wait')
  await home.runUntil(runId, ({ poolWaits }) => poolWaits !== undefined)
  const shown = await until(
    () => home.cli('status', runId),
    ({ out }) => out.includes('Waiting for a worker of pool dba: step 1, There'),
  )
  expect(shown.out).toContain('Start one: sop worker --pool dba')
  // Lists are the record's, which is a little behind.
  await until(
    () => home.cli('status'),
    ({ out }) => out.includes('pool dba'),
  )
  await startWorker()
  await home.runUntil(runId, ({ status }) => status === 'completed')
  await home.record(runId, 'run_completed')
  expect((await home.cli('audit', runId, '--long')).out).toMatch(/step_waiting +1[^]*pool: dba[^]*step_completed +1/)
})

test('a step goes on while the API and the whole engine are away, and nothing of its log is lost', {
  timeout: 300_000,
}, async () => {
  const go = join(far.path, 'go')
  await add(
    'long',
    `---
## Step 1: There [runs_on: dba]
\`\`\`bash
for n in $(seq 1 2000); do echo "before $n"; done
until [ -e "${go}" ]; do echo tick; sleep 0.05; done
for n in $(seq 1 2000); do echo "after $n"; done
\`\`\`
`,
  )
  await startWorker()
  const runId = await start('long')
  // Live: the log is read while the step runs.
  await until(
    async () => (await home.cli('logs', runId, '--step', '1')).out,
    (text) => text.includes('before 2000\ntick'),
    60_000,
  )
  const sizeAway = (await logOf(runId, 1)).length
  line.leadTo(undefined)
  expect(await engine.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  // It writes on without anybody to bring it to.
  await until(
    async () => {
      const name = (await spool()).find((each) => each.endsWith('.log'))
      return name === undefined ? 0 : (await stat(join(far.path, '.sop-worker/logs', name))).size
    },
    (size) => size > sizeAway + 50,
  )
  engine = await home.serve({ env: env() })
  await writeFile(go, '')
  const run = await home.runUntil(runId, ({ status }) => status !== 'running', 90_000)
  expect(run.status).toBe('completed')
  expect(run.stepResults[0]).toMatchObject({ status: 'success', attempt: 1 })
  line.leadTo(engine.file.url)
  expect(await until(spool, (left) => left.length === 0, 60_000)).toEqual([])
  const text = (await logOf(runId, 1)).toString()
  const lines = text.split('\n').filter((each) => each !== 'tick' && each !== '')
  const expected = ['before', 'after'].flatMap((word) => Array.from({ length: 2000 }, (_, at) => `${word} ${at + 1}`))
  expect(lines).toEqual(expected)
  const record = await home.record(runId, 'run_completed')
  expect(record.filter(({ eventType }) => eventType === 'step_started')).toHaveLength(1)
  expect(record.at(-2)?.details).toMatchObject({ log: { bytes: Buffer.byteLength(text) } })
})

test('two workers of one folder, a foreign key and a token of no worker are refused with a sentence', {
  timeout: 240_000,
}, async () => {
  await startWorker()
  const again = far.start(['worker', '--pool', 'web', '--url', line.url], { SOP_TOKEN: token })
  expect((await again.ended).code).not.toBe(0)
  expect(again.said()).toMatch(/Cannot use worker folder ".*": a worker with pid \d+ uses it\. .*SOP_WORKER_DIR/)

  const viewer = (await home.cli('token', 'create', 'vera')).out.trim()
  const refused = far.start(['worker', '--pool', 'dba', '--url', line.url], {
    SOP_TOKEN: viewer,
    SOP_WORKER_DIR: 'other',
  })
  expect((await refused.ended).code).not.toBe(0)
  expect(refused.said()).toContain('Cannot carry out steps of a pool as "vera"')

  const pinned = join(far.path, 'third')
  const third = { SOP_TOKEN: token, SOP_WORKER_DIR: pinned }
  const first = far.start(['worker', '--pool', 'dba', '--url', line.url], third)
  await until(first.said, (text) => text.includes('Ctrl-C stops it'), 90_000)
  await first.end('SIGTERM')
  const known = JSON.parse(await readFile(join(pinned, 'installation.json'), 'utf8')) as { authority: string }
  expect(known.authority).toHaveLength(44)
  const other = Buffer.from(known.authority, 'base64')
  other[0] = (other[0] ?? 0) ^ 1
  await writeFile(join(pinned, 'installation.json'), JSON.stringify({ ...known, authority: other.toString('base64') }))
  const foreign = far.start(['worker', '--pool', 'dba', '--url', line.url], third)
  expect((await foreign.ended).code).not.toBe(0)
  expect(foreign.said()).toContain('its installation has another key')

  const second = home.start(['worker'], env())
  expect((await second.ended).code).not.toBe(0)
  expect(second.said()).toMatch(
    /Cannot use data directory .* the engine with pid \d+ uses it .* sop worker --pool NAME/,
  )

  const taken = far.start(['worker', '--pool', 'dba', '--url', line.url], {
    SOP_TOKEN: token,
    SOP_WORKER_DIR: home.dataDir,
  })
  expect((await taken.ended).code).not.toBe(0)
  expect(taken.said()).toContain('it is the data directory of an engine')
})

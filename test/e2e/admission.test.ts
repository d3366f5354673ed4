import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Queue } from '../../src/client/queue-client.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// What is left of a queue, and of a lock, when the engine is killed.

let home: Home
let witness: string
beforeEach(async () => {
  home = await createHome({ env: { SOP_LOG_LEVEL: 'warn' } })
  witness = join(home.path, 'witness.txt')
  await appendFile(witness, '')
})
afterEach(() => home.remove())

const add = (name: string, settings: string, steps: string): Promise<void> =>
  writeFile(
    join(home.sopDir, `${name}.md`),
    `---\nname: ${name}\nexecution_mode: auto\n${settings}\n---\n# ${name}\n\n${steps}`,
  )

const begin = async (engine: RunningEngine, sop: string): Promise<string> => {
  const { status, json } = await engine.api('POST', `/api/v1/sops/${sop}/runs`, { body: { wait: false } })
  expect(status).toBeLessThan(300)
  return (json as { runId: string }).runId
}

const queueOf = async (engine: RunningEngine): Promise<Queue> => {
  const { status, json } = await engine.api('GET', '/api/v1/queue')
  return status === 200 ? (json as Queue) : { waiting: [], holders: [] }
}
const names = ({ waiting }: Queue): readonly string[] => waiting.map(({ runId }) => runId)

const kill = async (engine: RunningEngine): Promise<void> => {
  process.kill(await engine.serverPid(), 'SIGKILL')
  await engine.end('SIGKILL')
  await until(home.processes, (left) => left.length === 0)
}

/** How many wait when the engine is killed; `SOP_QUEUED=500` takes a minute more. */
const QUEUED = Number(process.env['SOP_QUEUED'] ?? 60)
const AT_ONCE = 20

test('queued runs stand in the same order after a kill, the same priorities by their arrival', async () => {
  const gate = '## Step 1: Wait\n- requires_approval: true\n\n```bash\ntrue\n```\n'
  for (const priority of ['low', 'normal', 'critical'])
    await add(priority, `priority: ${priority}\nmax_concurrent: 1`, gate)
  const first = await home.serve()
  const sops = ['low', 'normal', 'critical']
  // One of each holds its slot, the others wait.
  for (const sop of sops) await begin(first, sop)
  await until(
    () => queueOf(first),
    ({ holders }) => holders.length === 3,
  )
  for (let batch = 0; batch < QUEUED / AT_ONCE; batch++) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => begin(first, sops[index % 3] ?? 'low')))
  }
  const before = await until(
    () => queueOf(first),
    ({ waiting }) => waiting.length === QUEUED,
    60_000 + QUEUED * 500,
  )
  const priorities = before.waiting.map(({ priority }) => priority)
  expect(priorities).toEqual([...priorities].sort((a, b) => a - b))
  await kill(first)

  const second = await home.serve()
  const after = await until(
    () => queueOf(second),
    ({ waiting }) => waiting.length > 0,
    60_000,
  )
  expect(names(after)).toEqual(names(before))
  expect(after.holders).toEqual(before.holders)
  const [next] = before.waiting
  await second.api('POST', `/api/v1/runs/${before.holders.find(({ sop }) => sop === next?.sop)?.runId}/cancel`, {
    body: {},
  })
  const moved = await until(
    () => queueOf(second),
    ({ waiting }) => waiting.length === QUEUED - 1,
    60_000,
  )
  expect(names(moved)).toEqual(names(before).slice(1))
  await second.end('SIGKILL')
}, 480_000)

test('two SOPs with one lock never overlap, over kills of engine and server', async () => {
  // Each says when it has the lock and when it gives it up; a step that was killed is run again.
  const work = `## Step 1: Work\n- idempotent: true\n- retries: 5\n\n\`\`\`bash\necho "in $SOP_RUN_ID" >> ${witness}\nsleep 0.2\necho "out $SOP_RUN_ID" >> ${witness}\n\`\`\`\n`
  for (const sop of ['deploy', 'patch']) await add(sop, 'lock: [cluster-x]', work)
  let engine = await home.serve()
  const runs: string[] = []
  for (let round = 0; round < 3; round++) {
    const started = await Promise.all(
      Array.from({ length: 8 }, (_, index) => begin(engine, index % 2 === 0 ? 'deploy' : 'patch')),
    )
    runs.push(...started)
    const enough = runs.length - 6
    await until(
      async () => (await readFile(witness, 'utf8')).match(/^out/gm)?.length ?? 0,
      (count) => count >= enough,
      120_000,
    )
    if (round === 2) break
    await kill(engine)
    engine = await home.serve()
  }
  for (const runId of runs) await home.runUntil(runId, (run) => run.completedAt !== undefined, 120_000)
  let inside: string | undefined
  const done = new Set<string>()
  for (const line of (await readFile(witness, 'utf8')).trimEnd().split('\n')) {
    const [what = '', runId = ''] = line.split(' ')
    // The one that was killed inside may come in again; nobody else may.
    if (what === 'in') expect(inside ?? runId).toBe(runId)
    inside = what === 'in' ? runId : undefined
    if (what === 'out') done.add(runId)
  }
  expect([...done].sort()).toEqual([...runs].sort())
  await engine.end('SIGKILL')
}, 600_000)

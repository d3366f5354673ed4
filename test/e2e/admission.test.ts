import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// What a lock is worth when the engine and its server are killed.

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

const kill = async (engine: RunningEngine): Promise<void> => {
  process.kill(await engine.serverPid(), 'SIGKILL')
  await engine.end('SIGKILL')
  await until(home.processes, (left) => left.length === 0)
}

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
    )
    if (round === 2) break
    await kill(engine)
    engine = await home.serve()
  }
  for (const runId of runs) await home.runUntil(runId, (run) => run.completedAt !== undefined, 60_000)
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
}, 180_000)

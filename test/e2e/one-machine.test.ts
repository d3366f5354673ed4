import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// Engines beside each other, and what a step's processes come to when its run or its engine ends.

const STUBBORN = `---
name: stubborn
execution_mode: auto
---
# Stubborn

## Step 1: Wait
\`\`\`bash
# A child, a grandchild, and one that has left the group.
trap 'echo asked >> "$WITNESS"' TERM
bash -c 'sleep 600 & sleep 600'  &
setsid sleep 600 &
echo $$ >> "$WITNESS"
while true; do wait || true; done
\`\`\`

## Step 2: Never
\`\`\`bash
echo never >> "$WITNESS"
\`\`\`
`

/** Long enough for a shell to hear that it shall end, also where the machine stands still for a moment. */
const GRACE = '6s'

const homes: Home[] = []
const newHome = async (): Promise<Home> => {
  const home = await createHome({ env: { SOP_KILL_GRACE: GRACE, SOP_SHUTDOWN_GRACE: '1s' } })
  homes.push(home)
  await writeFile(join(home.sopDir, 'stubborn.md'), STUBBORN.replaceAll('$WITNESS', witnessOf(home)))
  return home
}
const witnessOf = (home: Home): string => join(home.path, 'witness.txt')
const lines = (home: Home): Promise<readonly string[]> =>
  readFile(witnessOf(home), 'utf8').then(
    (text) => text.trimEnd().split('\n'),
    () => [],
  )

let home: Home
let engine: RunningEngine
beforeEach(async () => {
  home = await newHome()
  engine = await home.serve()
})
afterEach(async () => {
  for (const each of homes.splice(0)) await each.remove()
})

/** Starts the run and waits until its command is under way; its run id and the processes of the step. */
const startStubborn = async (): Promise<string> => {
  const { runId } = JSON.parse((await home.cli('run', 'stubborn', '--json')).out) as { runId: string }
  await until(stepProcesses, (found) => found.filter((line) => /^\d+ sleep 600$/.test(line)).length === 3)
  await until(
    () => lines(home),
    (found) => found.length === 1,
  )
  return runId
}
const stepProcesses = async (): Promise<readonly string[]> =>
  (await home.processes()).filter((line) => /sleep 600|step-1/.test(line))

test('a run is cancelled only when every process of its step is gone', { timeout: 180_000 }, async () => {
  const runId = await startStubborn()
  const cancelling = home.cli('cancel', runId, '--comment', 'enough')
  await until(
    async () => {
      const { json } = await engine.api('GET', `/api/v1/runs/${runId}`)
      // Looked at after the state was told: whatever is there now was there when it said "cancelled".
      return { state: (json as { status: string }).status, left: await stepProcesses() }
    },
    ({ state, left }) => {
      if (state === 'cancelled') expect(left).toEqual([])
      return state === 'cancelled'
    },
    60_000,
  )
  expect((await cancelling).code).toBe(0)
  expect(await stepProcesses()).toEqual([])
  // Asked once: to many programs a second signal means not to clean up.
  expect(await lines(home)).toEqual([expect.stringMatching(/^\d+$/), 'asked'])
  const record = await home.record(runId, 'run_cancelled')
  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  expect((await home.cli('approve', runId)).code).toBe(7)
})

test('Ctrl-C ends a step that is under way and leaves no process; the run says so after the next start', {
  timeout: 180_000,
}, async () => {
  const runId = await startStubborn()
  // As a terminal does it: to the whole group.
  process.kill(-engine.pid, 'SIGINT')
  expect(await engine.ended).toEqual({ code: 0, signal: null })
  expect(await home.processes()).toEqual([])
  await home.serve()
  const run = await home.runUntil(runId, ({ status }) => status === 'paused')
  expect(run.stepResults.map(({ status }) => status)).toEqual(['unknown', 'pending'])
  expect(run.stepResults[0]?.error).toMatch(/shut ?down|interrupted/)
  expect(await lines(home)).toEqual([expect.stringMatching(/^\d+$/), 'asked'])
})

test('a second engine has data of its own; one on the same data is refused and harms nothing', {
  timeout: 180_000,
}, async () => {
  const other = await newHome()
  const second = await other.serve()
  expect(second.file.url).not.toBe(engine.file.url)
  expect(second.file.temporal.address).not.toBe(engine.file.temporal.address)
  const { runId } = JSON.parse((await other.cli('run', 'stubborn', '--json')).out) as { runId: string }
  expect((await home.cli('status', runId)).code).toBe(6)
  expect((await engine.api('GET', '/api/v1/runs', { token: second.token })).status).toBe(401)

  const third = home.start(['serve'])
  expect((await third.ended).code).toBe(7)
  expect(third.said()).toContain(
    `Cannot use data directory "${home.dataDir}": the engine with pid ${engine.pid} uses it and answers at ${engine.file.url}. Stop that engine first.`,
  )
  expect(third.said()).not.toMatch(/\n\s+at /)
  const worker = home.start(['worker'])
  expect((await worker.ended).code).toBe(7)
  expect((await engine.api('GET', '/ready')).status).toBe(200)
  expect((await home.cli('runs')).code).toBe(0)

  await Promise.all([engine.end('SIGINT'), second.end('SIGTERM')])
  expect([...(await home.processes()), ...(await other.processes())]).toEqual([])
})

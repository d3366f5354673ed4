import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { createHome, type Home, type RunningEngine, type RunningProgram, until } from '../support/real-engine.ts'

// What becomes of commands of a pool whose worker is killed: two hosts with a folder each, and the engine apart from both.

let home: Home
let near: Home
let far: Home
let engine: RunningEngine
let token: string
let env: Readonly<Record<string, string>>
beforeEach(async () => {
  env = { TEMPORAL_ADDRESS: inject('temporalAddress'), SOP_TASK_QUEUE: `e2e-${randomUUID()}` }
  home = await createHome()
  near = await createHome()
  far = await createHome()
  engine = await home.serve({ env })
  token = (await home.cli('token', 'create', 'host-1', '--role', 'worker', '--group', 'dba')).out.trim()
}, 120_000)
afterEach(async () => {
  await near.remove()
  await far.remove()
  await home.remove()
})

const startWorker = async (host: Home): Promise<RunningProgram> => {
  const worker = host.start(['worker', '--pool', 'dba', '--url', engine.file.url], {
    SOP_TOKEN: token,
    SOP_DATA_DIR: '',
    SOP_DIR: '',
  })
  await until(worker.said, (text) => text.includes('Ctrl-C stops it'), 90_000)
  return worker
}

const at = (name: string): string => join(home.path, name)
const touch = (name: string): Promise<void> => writeFile(at(name), '')
/** Where the step of an SOP was begun, each time that it was. */
const begun = (name: string): Promise<readonly string[]> =>
  readFile(at(name), 'utf8').then(
    (text) => text.trimEnd().split('\n'),
    () => [],
  )

/** Its first step says where it was begun, and goes on until it is told to end. */
const start = async (name: string, settings = ''): Promise<string> => {
  const script = `echo "$PWD" >> '${at(name)}'\necho "begun"\nuntil [ -e '${at(name)}.go' ]; do sleep 0.05; done`
  const first = `## Step 1: There\n\n- runs_on: dba\n${settings}\n\n\`\`\`bash\n${script}\necho "done"\necho x=1 >> "$SOP_OUTPUT"\n\`\`\``
  const second = '## Step 2: Here\n\n```bash\necho "told $x"\n```'
  await writeFile(
    join(home.sopDir, `${name}.md`),
    `---\nname: ${name}\nexecution_mode: auto\n---\n# ${name}\n\n${first}\n\n${second}\n`,
  )
  const said = await home.cli('run', name, '--json')
  expect(said).toMatchObject({ code: 0 })
  await until(
    () => begun(name),
    (places) => places.length === 1,
    60_000,
  )
  return (JSON.parse(said.out) as { runId: string }).runId
}

const eventsOf = async (runId: string, last: 'run_paused' | 'run_completed') => {
  const record = await home.record(runId, last)
  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  return record
}

test('a pool worker that is killed in mid-step: its host takes the step over, another host repeats what may be repeated, and the rest is unknown', {
  timeout: 480_000,
}, async () => {
  const worker = await startWorker(near)
  const adopted = await start('adopted')
  expect(await worker.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
  await touch('adopted.go')
  const again = await startWorker(near)
  const run = await home.runUntil(adopted, ({ status }) => status === 'completed', 90_000)
  expect(run.stepResults[0]).toMatchObject({ status: 'success', attempt: 1, output: 'begun\ndone\n' })
  expect(run.stepResults[1]).toMatchObject({ output: 'told 1\n' })
  expect(await begun('adopted')).toEqual([near.path])
  const completed = (await eventsOf(adopted, 'run_completed')).find(({ eventType }) => eventType === 'step_completed')
  expect(completed?.details).toMatchObject({ attempt: 1, adopted: expect.any(String) })
  // The end of a step waits some seconds for its log to be brought, and no longer.
  await until(
    () => home.cli('logs', adopted, '--step', '1'),
    ({ out }) => out.includes('begun\ndone\n'),
  )

  const transfer = await start('transfer')
  const copy = await start('copy', '- idempotent: true')
  await startWorker(far)
  await again.end('SIGKILL')
  // The host is gone with all that ran there.
  await near.fail(/./)
  await until(
    () => begun('copy'),
    (places) => places.length === 2,
    120_000,
  )
  expect(await begun('copy')).toEqual([near.path, far.path])
  // It comes back, and says that what it had is lost.
  await startWorker(near)
  const paused = await home.runUntil(transfer, ({ status }) => status === 'paused', 120_000)
  expect(paused.stepResults[0]).toMatchObject({ status: 'unknown', attempt: 1 })
  expect(await begun('transfer')).toEqual([near.path])
  const unknown = (await eventsOf(transfer, 'run_paused')).find(({ eventType }) => eventType === 'step_unknown')
  expect(unknown?.details).toMatchObject({ error: expect.stringContaining('its worker died') })

  await touch('copy.go')
  await touch('transfer.go')
  expect((await home.cli('resolve', transfer, '--did-not-run')).code).toBe(0)
  for (const runId of [copy, transfer]) {
    const ended = await home.runUntil(runId, ({ status }) => status === 'completed', 90_000)
    expect(ended.stepResults[0]).toMatchObject({ status: 'success', attempt: 2, output: 'begun\ndone\n' })
    const types = (await eventsOf(runId, 'run_completed')).map(({ eventType }) => eventType)
    expect(types.filter((type) => type === 'step_started')).toHaveLength(3)
  }
})

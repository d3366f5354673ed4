import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { createHome, type Home, type RunningEngine, type RunningProgram, until } from '../support/real-engine.ts'

// What becomes of commands whose worker is killed, or cut off from its server, while they run.

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(() => home.remove())

/** The processes of commands, and those that watch over them. */
const COMMANDS = /keeper\.mjs|step-1-1/
const at = (name: string): string => join(home.path, name)
const touch = (name: string): Promise<void> => writeFile(at(name), '')
const linesOf = (name: string): Promise<readonly string[]> =>
  readFile(at(name), 'utf8').then(
    (text) => text.trimEnd().split('\n'),
    () => [],
  )

/** An SOP of one step that says in a file of its name that it was begun, and goes on until there is one that says go. */
const add = (name: string, then: string, settings = ''): Promise<void> =>
  writeFile(
    join(home.sopDir, `${name}.md`),
    `---
name: ${name}
execution_mode: auto
---
# ${name}

## Step 1: Work
${settings}
\`\`\`bash
echo $$ >> '${at(name)}'
echo "begun"
until [ -e '${at(name)}.go' ]; do sleep 0.05; done
${then}
\`\`\`

## Step 2: Tell
\`\`\`bash
echo "told $x"
\`\`\`
`,
  )

interface Machine {
  readonly api: RunningEngine
  readonly worker: () => RunningProgram
  startWorker(): Promise<void>
}

const startMachine = async (): Promise<Machine> => {
  const env = {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    SOP_DATA_DIR: home.dataDir,
    SOP_DIR: home.sopDir,
    SOP_TASK_QUEUE: `e2e-${randomUUID()}`,
  }
  let worker: RunningProgram
  const startWorker = async (): Promise<void> => {
    worker = home.start(['worker'], env)
    await until(worker.said, (text) => text.includes('Ctrl-C stops it'), 90_000)
  }
  await startWorker()
  const api = await home.serve({ args: ['--no-worker'], env })
  return { api, worker: () => worker, startWorker }
}

const begin = async (name: string): Promise<string> => {
  const said = await home.cli('run', name, '--json')
  expect(said).toMatchObject({ code: 0 })
  await until(
    () => linesOf(name),
    (lines) => lines.length === 1,
  )
  return (JSON.parse(said.out) as { runId: string }).runId
}
const eventsOf = async (runId: string, last: 'run_paused' | 'run_completed') => {
  const record = await home.record(runId, last)
  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  return record
}

test('a command goes on without its worker, and the next one takes it over: running, ended, failed, or to be cancelled', {
  timeout: 300_000,
}, async () => {
  const machine = await startMachine()
  await add('running', 'echo "done"; echo x=1 >> $SOP_OUTPUT')
  await add('ended', 'echo "done"; echo x=2 >> $SOP_OUTPUT')
  await add('failed', 'echo "oh"; exit 3')
  await add('cancelled', 'true')
  const running = await begin('running')
  const ended = await begin('ended')
  const failed = await begin('failed')
  const cancelled = await begin('cancelled')
  expect(await machine.worker().end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
  await touch('ended.go')
  await touch('failed.go')
  await machine.startWorker()
  expect((await home.cli('cancel', cancelled)).code).toBe(0)

  const afterEnd = await home.runUntil(ended, ({ status }) => status === 'completed', 90_000)
  expect(afterEnd.stepResults.map(({ output }) => output)).toEqual(['begun\ndone\n', 'told 2\n'])
  const afterFailure = await home.runUntil(failed, ({ status }) => status === 'failed', 90_000)
  expect(afterFailure.stepResults[0]).toMatchObject({ status: 'failed', exitCode: 3, output: 'begun\noh\n' })
  const afterCancel = await home.runUntil(cancelled, ({ status }) => status === 'cancelled', 90_000)
  expect(afterCancel.status).toBe('cancelled')
  const [pid] = await linesOf('cancelled')
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')

  expect((await home.run(running)).stepResults[0]).toMatchObject({ status: 'running', attempt: 1 })
  await touch('running.go')
  const afterAll = await home.runUntil(running, ({ status }) => status === 'completed')
  expect(afterAll.stepResults.map(({ output }) => output)).toEqual(['begun\ndone\n', 'told 1\n'])
  expect((await home.cli('logs', running)).out).toMatch(/<==\nbegun\ndone\n\n==> .*<==\ntold 1\n$/)
  for (const name of ['running', 'ended', 'failed', 'cancelled']) expect(await linesOf(name)).toHaveLength(1)
  const record = await eventsOf(running, 'run_completed')
  const completed = record.find(({ eventType }) => eventType === 'step_completed')
  expect(completed).toMatchObject({ stepNumber: 1, details: { attempt: 1, adopted: expect.any(String) } })
  expect(record.filter(({ eventType }) => eventType === 'step_started')).toHaveLength(2)
  expect(await machine.worker().end('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('a command that died with its worker is unknown; one that may be repeated is begun again', {
  timeout: 300_000,
}, async () => {
  const machine = await startMachine()
  await add('transfer', 'true')
  await add('copy', 'true', '- idempotent: true')
  const transfer = await begin('transfer')
  const copy = await begin('copy')
  const worker = machine.worker()
  const others = (await home.processes()).filter((line) => COMMANDS.test(line))
  expect(others.length).toBeGreaterThanOrEqual(3)
  await worker.end('SIGKILL')
  await home.fail(COMMANDS)
  const killedAt = Date.now()
  await machine.startWorker()
  const startMs = Date.now() - killedAt
  await until(
    () => linesOf('copy'),
    (lines) => lines.length === 2,
    90_000,
  )
  // Besides what the worker took to come up.
  expect(Date.now() - killedAt - startMs).toBeLessThan(20_000)
  const run = await home.runUntil(transfer, ({ status }) => status === 'paused', 90_000)
  expect(run.stepResults[0]).toMatchObject({ status: 'unknown', attempt: 1 })
  expect(await linesOf('transfer')).toHaveLength(1)
  const unknown = (await eventsOf(transfer, 'run_paused')).find(({ eventType }) => eventType === 'step_unknown')
  expect(unknown?.details).toMatchObject({ error: expect.stringContaining('its worker died') })
  await touch('copy.go')
  const again = await home.runUntil(copy, ({ status }) => status === 'completed')
  expect(again.stepResults[0]).toMatchObject({ status: 'success', attempt: 2 })
})

test('a server that is away for longer than a heartbeat may take makes no step unknown', {
  timeout: 300_000,
}, async () => {
  await add('steady', 'echo "done"')
  await add('short', 'echo "done"')
  const engine = await home.serve()
  const steady = await begin('steady')
  const short = await begin('short')
  const server = await engine.serverPid()
  const connection = await Connection.connect({ address: engine.file.temporal.address })
  onTestFinished(() => connection.close())
  const temporal = new Client({ connection })
  for (const runId of [steady, short]) {
    await until(
      () => temporal.workflow.getHandle(runId).describe(),
      // The worker has said that it has the command.
      ({ raw }) => raw.pendingActivities?.some(({ heartbeatDetails }) => heartbeatDetails != null) === true,
    )
  }
  process.kill(server, 'SIGSTOP')
  await touch('short.go')
  await sleep(15_000)
  process.kill(server, 'SIGCONT')
  const ended = await home.runUntil(short, ({ status }) => status === 'completed', 90_000)
  expect(ended.stepResults[0]).toMatchObject({ status: 'success', output: 'begun\ndone\n' })
  await sleep(3_000)
  expect((await home.run(steady)).stepResults[0]).toMatchObject({ status: 'running', attempt: 1 })
  await touch('steady.go')
  const run = await home.runUntil(steady, ({ status }) => status === 'completed', 90_000)
  expect(run.stepResults[0]).toMatchObject({ status: 'success', output: 'begun\ndone\n' })
  for (const name of ['steady', 'short']) expect(await linesOf(name)).toHaveLength(1)
  for (const runId of [steady, short]) {
    expect((await eventsOf(runId, 'run_completed')).map(({ eventType }) => eventType)).not.toContain('step_unknown')
  }
  expect(await engine.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await home.processes()).toEqual([])
})

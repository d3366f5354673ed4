import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import type { RecordedEvent } from '../../src/core/run/event.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// What a whole engine does when it is killed, and what it leaves behind.

const sop = (name: string, gate: string): string => `---
name: ${name}
execution_mode: auto
---
# Release

## Step 1: Build
\`\`\`bash
echo built >> "$WITNESS"
\`\`\`

## Step 2: Deploy
${gate}
\`\`\`bash
echo deployed >> "$WITNESS"
\`\`\`
`

let home: Home
let witness: string
beforeEach(async () => {
  home = await createHome()
  witness = join(home.path, 'witness.txt')
})
afterEach(() => home.remove())

const add = (name: string, gate: string): Promise<void> =>
  writeFile(join(home.sopDir, `${name}.md`), sop(name, gate).replaceAll('$WITNESS', witness))

const start = async (name: string): Promise<string> => {
  const said = await home.cli('run', name, '--json')
  expect(said).toMatchObject({ code: 0 })
  return (JSON.parse(said.out) as { runId: string }).runId
}

/** Kills the engine with SIGKILL, its server as well if asked, and waits until nothing of it is left. */
const killAll = async (engine: RunningEngine, what: 'engine' | 'engine and server'): Promise<void> => {
  const server = await engine.serverPid()
  if (what === 'engine and server') process.kill(server, 'SIGKILL')
  expect(await engine.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  await until(home.processes, (left) => left.length === 0)
}

/** As its worker tells it: of one that is slow to answer the record tells, marked as stale. */
const isAtGate = (run: RunView): boolean => run.status === 'awaiting_approval' && run.stale === undefined

const linesOf = async (file: string): Promise<readonly string[]> => (await readFile(file, 'utf8')).trimEnd().split('\n')
const types = (record: readonly RecordedEvent[]): readonly string[] => record.map(({ eventType }) => eventType)

test.each(['engine', 'engine and server'] as const)(
  'a run that stands at a gate while the %s is killed goes on after the next start',
  { timeout: 180_000 },
  async (what) => {
    await add('release', '- requires_approval: true')
    const first = await home.serve()
    const runId = await start('release')
    const before = await home.runUntil(runId, isAtGate)
    const recorded = await home.record(runId, 'approval_requested')
    await killAll(first, what)
    expect(await home.cli('approve', runId)).toMatchObject({ code: 8, err: expect.stringContaining('sop serve') })

    const second = await home.serve()
    expect(await home.runUntil(runId, isAtGate)).toEqual(before)
    expect(await home.cli('approve', runId)).toMatchObject({ code: 0 })
    await home.runUntil(runId, (run) => run.status === 'completed')
    expect(await linesOf(witness)).toEqual(['built', 'deployed'])
    const record = await home.record(runId, 'run_completed')
    expect(record.slice(0, recorded.length)).toEqual(recorded)
    expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
    expect(types(record).filter((type) => type === 'approval_requested')).toHaveLength(1)
    expect(await second.end('SIGINT')).toEqual({ code: 0, signal: null })
    expect(await home.processes()).toEqual([])
  },
)

test('a gate whose time ran out while the engine was killed fires at once after the next start', {
  timeout: 240_000,
}, async () => {
  // Long enough to be killed in.
  await add('hurry', '- requires_approval: true\n- approval_timeout: 15s')
  await add('refuse', '- requires_approval: true\n- approval_timeout: 15s\n- on_timeout: fail')
  const first = await home.serve()
  const runIds = await Promise.all(
    ['hurry', 'refuse'].map(async (name) => {
      const { json } = await first.api('POST', `/api/v1/sops/${name}/runs`, { body: {} })
      return (json as { runId: string }).runId
    }),
  )
  const [hurry = '', refuse = ''] = runIds
  const waiting = await Promise.all(runIds.map((runId) => home.runUntil(runId, isAtGate)))
  const deadline = Math.max(...waiting.map(({ openGates }) => Date.parse(openGates[0]?.deadlineAt ?? '')))
  await killAll(first, 'engine')
  await sleep(Math.max(0, deadline + 2_000 - Date.now()))
  expect(await linesOf(witness)).toEqual(['built', 'built'])

  const second = await home.serve()
  const upAt = Date.now()
  expect((await home.runUntil(hurry, ({ status }) => status === 'completed')).status).toBe('completed')
  expect((await home.runUntil(refuse, ({ status }) => status === 'failed')).status).toBe('failed')
  expect(Date.now() - upAt).toBeLessThan(20_000)
  expect(await linesOf(witness)).toEqual(['built', 'built', 'deployed'])
  for (const [runId, action, last] of [
    [hurry, 'approve', 'run_completed'],
    [refuse, 'fail', 'run_failed'],
  ] as const) {
    const record = await home.record(runId, last)
    expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
    const fired = record.filter(({ eventType }) => eventType === 'approval_timeout')
    expect(fired).toMatchObject([{ principal: { kind: 'timer' }, details: { action } }])
    // It is on record when it happened, not when it was due.
    expect(Date.parse(fired[0]?.timestamp ?? '')).toBeGreaterThan(deadline)
    expect(types(record)).not.toContain('approval_granted')
  }
  expect((await home.cli('approve', hurry)).code).toBe(7)
  expect(await second.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await home.processes()).toEqual([])
})

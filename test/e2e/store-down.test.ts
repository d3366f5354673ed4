import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import type { Health } from '../../src/client/client.ts'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import type { RecordedEvent } from '../../src/core/run/event.ts'
import { createDatabase, needsPostgres } from '../support/postgres.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// The database of the records goes away in mid-run: an engine of its own Temporal, and a PostgreSQL of its own.

let home: Home
let postgres: PostgresServer
let engine: RunningEngine

beforeEach(async (context) => {
  needsPostgres(context)
  const shared = inject('postgres')
  if (!('folder' in shared)) return
  postgres = await startPostgres(shared.folder)
  home = await createHome({
    sops: {
      'parked.md': `---
name: parked
execution_mode: auto
---
# Parked

## Step 1: Go (requires approval)
\`\`\`bash
echo gone >> "$WITNESS"
\`\`\`
`,
      'steady.md': `---
name: steady
execution_mode: auto
---
# Steady

## Step 1: Begin
\`\`\`bash
echo before
echo one >> "$WITNESS"
until [ -e "$WITNESS.go" ]; do sleep 0.05; done
echo while it was down
\`\`\`

## Step 2: End
\`\`\`bash
echo two | tee -a "$WITNESS"
\`\`\`
`,
    },
  })
  const env = {
    SOP_DATABASE_URL: await createDatabase(postgres.url),
    SOP_ENV_PASSTHROUGH: 'WITNESS',
    SOP_STORE_DOWN_EVENTS: '5',
    WITNESS: join(home.path, 'witness'),
  }
  engine = await home.serve({ env })
}, 180_000)
afterEach(async () => {
  await home?.remove()
  await postgres?.remove()
})

/** The whole record of a run that has come to its end, which may be known a little earlier. */
const eventsOf = (runId: string): Promise<readonly RecordedEvent[]> =>
  until(
    async () =>
      ((await engine.api('GET', `/api/v1/runs/${runId}/audit`)).json as { events?: readonly RecordedEvent[] }).events ??
      [],
    (events) => events.at(-1)?.eventType === 'run_completed',
  )
const witnessed = (): Promise<string> => readFile(join(home.path, 'witness'), 'utf8').catch(() => '')

test('a run that has too much that is not on record waits, everybody sees it, and it goes on by itself', async () => {
  const sop = `---
name: chain
execution_mode: auto
---
# Chain

${[1, 2, 3, 4, 5, 6]
  .map(
    (step) => `## Step ${step}: Number ${step}
\`\`\`bash
echo ${step} >> "$WITNESS"
${step === 1 ? 'until [ -e "$WITNESS.go" ]; do sleep 0.05; done' : ''}
\`\`\`
`,
  )
  .join('\n')}`
  await writeFile(join(home.path, 'sops', 'chain.md'), sop)
  await until(
    () => engine.api('GET', '/api/v1/sops/chain'),
    ({ status }) => status === 200,
  )
  const started = await engine.api('POST', '/api/v1/sops/chain/runs', { body: {} })
  const { runId } = started.json as { runId: string }
  await until(witnessed, (text) => text === '1\n')
  await postgres.stop()
  await writeFile(join(home.path, 'witness.go'), '')
  // Five events are the limit. What was begun when it was reached comes to its end.
  const held = await home.runUntil(runId, (view) => view.held !== undefined, 120_000)
  expect(held).toMatchObject({ status: 'running', reason: expect.stringContaining('store_down_events: 5') })
  // Only its worker can tell, which may be slow to answer.
  await until(
    () => home.cli('status', runId),
    ({ out }) => /Held: +since .* not on record; it goes on by itself/.test(out),
  )
  await until(
    async () => (await engine.api('GET', '/api/v1/health')).json as Health,
    ({ checks: { records } }) => records?.ok === false && /\d+ events wait/.test(records.detail ?? ''),
  )
  const before = await witnessed()
  expect(before.trimEnd().split('\n').length).toBeLessThan(6)
  await postgres.start()

  await home.runUntil(runId, ({ status }) => status === 'completed', 120_000)
  expect(await witnessed()).toBe('1\n2\n3\n4\n5\n6\n')
  const events = await eventsOf(runId)
  expect(verifyChain(events, sha256Hex, { runId })).toEqual([])
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1))
  const types = events.map(({ eventType }) => eventType)
  expect(types.indexOf('run_released')).toBeGreaterThan(types.indexOf('run_held'))
  expect(types.slice(types.indexOf('run_held'), types.indexOf('run_released'))).not.toContain('step_started')
  await until(
    async () => (await engine.api('GET', '/api/v1/health')).json as Health,
    ({ checks: { records } }) => records?.ok === true,
  )
}, 360_000)

test('a run goes on and waits for the record, nothing is lost, and nothing runs twice', {
  timeout: 360_000,
}, async () => {
  const start = async (name: string): Promise<string> =>
    ((await engine.api('POST', `/api/v1/sops/${name}/runs`, { body: {} })).json as { runId: string }).runId
  const parked = await start('parked')
  await home.runUntil(parked, ({ status }) => status === 'awaiting_approval')
  const runId = await start('steady')
  await until(witnessed, (text) => text === 'one\n')
  await postgres.stop()
  await writeFile(join(home.path, 'witness.go'), '')
  const refused = await engine.api('GET', `/api/v1/runs/${runId}/audit`)
  expect(refused).toMatchObject({ status: 503, json: { code: 'unavailable' } })
  expect((await engine.api('GET', '/api/v1/runs')).status).toBe(503)
  // An answer about the health counts for half a second.
  await until(
    async () => (await engine.api('GET', '/api/v1/health')).json as Health,
    ({ status, checks: { records } }) => status === 'degraded' && records?.ok === false,
  )
  // A decision reaches its run all the same, which cannot write it down yet: the engine says so.
  const temporal = await Connection.connect({ address: engine.file.temporal.address })
  onTestFinished(() => temporal.close())
  await new Client({ connection: temporal }).workflow.getHandle(parked).signal('approve', {})
  await until(engine.said, (text) => text.includes('the record cannot be written'))
  await postgres.start()

  await home.runUntil(runId, ({ status }) => status === 'completed', 120_000)
  await home.runUntil(parked, ({ status }) => status === 'completed', 120_000)
  expect((await witnessed()).trimEnd().split('\n').sort()).toEqual(['gone', 'one', 'two'])
  const typesOf = async (id: string): Promise<readonly string[]> => {
    const events = await eventsOf(id)
    expect(verifyChain(events, sha256Hex, { runId: id })).toEqual([])
    return events.map(({ eventType }) => eventType)
  }
  const types = await typesOf(runId)
  expect(types.filter((type) => type === 'step_started')).toHaveLength(2)
  expect(types.at(-1)).toBe('run_completed')
  const decided = await typesOf(parked)
  expect(decided.filter((type) => type === 'approval_granted')).toHaveLength(1)
  expect(decided.at(-1)).toBe('run_completed')
  // What was kept beside the store is brought to it in the background.
  for (const [step, whole] of [
    [1, 'before\nwhile it was down\n'],
    [2, 'two\n'],
  ] as const) {
    await until(
      async () => (await engine.api('GET', `/api/v1/runs/${runId}/logs?step=${step}`)).json as { text?: string },
      ({ text }) => text === whole,
    )
  }
})

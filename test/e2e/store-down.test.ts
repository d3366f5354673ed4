import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
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
    WITNESS: join(home.path, 'witness'),
  }
  engine = await home.serve({ env })
})
afterEach(async () => {
  await home?.remove()
  await postgres?.remove()
})

const witnessed = (): Promise<string> => readFile(join(home.path, 'witness'), 'utf8').catch(() => '')

test('a run goes on and waits for the record, nothing is lost, and nothing runs twice', async () => {
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
  expect((await engine.api('GET', '/api/v1/health')).json).toMatchObject({
    status: 'degraded',
    checks: { records: { ok: false } },
  })
  // A decision reaches its run all the same, which cannot write it down yet: the engine says so.
  const temporal = await Connection.connect({ address: engine.file.temporal.address })
  onTestFinished(() => temporal.close())
  await new Client({ connection: temporal }).workflow.getHandle(parked).signal('approve', {})
  await until(engine.said, (text) => text.includes('the record cannot be written'))
  await postgres.start()

  await home.runUntil(runId, ({ status }) => status === 'completed', 50_000)
  await home.runUntil(parked, ({ status }) => status === 'completed', 50_000)
  expect((await witnessed()).trimEnd().split('\n').sort()).toEqual(['gone', 'one', 'two'])
  const typesOf = async (id: string): Promise<readonly string[]> => {
    const { json } = await engine.api('GET', `/api/v1/runs/${id}/audit`)
    const { events } = json as { events: readonly RecordedEvent[] }
    expect(verifyChain(events, sha256Hex, { runId: id })).toEqual([])
    return events.map(({ eventType }) => eventType)
  }
  const types = await typesOf(runId)
  expect(types.filter((type) => type === 'step_started')).toHaveLength(2)
  expect(types.at(-1)).toBe('run_completed')
  const decided = await typesOf(parked)
  expect(decided.filter((type) => type === 'approval_granted')).toHaveLength(1)
  expect(decided.at(-1)).toBe('run_completed')
  const logs = await Promise.all([1, 2].map((step) => engine.api('GET', `/api/v1/runs/${runId}/logs?step=${step}`)))
  expect(logs.map(({ json: log }) => (log as { text: string }).text)).toEqual(['before\nwhile it was down\n', 'two\n'])
})

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/file-audit.ts'
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
  const started = await engine.api('POST', '/api/v1/sops/steady/runs', { body: {} })
  const { runId } = started.json as { runId: string }
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
  // The engine has tried to write, and says so.
  await until(engine.said, (text) => text.includes('the record cannot be written'))
  await postgres.start()

  await home.runUntil(runId, ({ status }) => status === 'completed', 50_000)
  expect(await witnessed()).toBe('one\ntwo\n')
  const { json } = await engine.api('GET', `/api/v1/runs/${runId}/audit`)
  const { events } = json as { events: readonly RecordedEvent[] }
  expect(verifyChain(events, sha256Hex, { runId })).toEqual([])
  const types = events.map(({ eventType }) => eventType)
  expect(types.filter((type) => type === 'step_started')).toHaveLength(2)
  expect(types.at(-1)).toBe('run_completed')
  const logs = await Promise.all([1, 2].map((step) => engine.api('GET', `/api/v1/runs/${runId}/logs?step=${step}`)))
  expect(logs.map(({ json: log }) => (log as { text: string }).text)).toEqual(['before\nwhile it was down\n', 'two\n'])
})

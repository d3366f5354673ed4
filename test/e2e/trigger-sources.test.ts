import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Health } from '../../src/client/client.ts'
import type { RunSummary } from '../../src/core/run/view.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// Sources of triggers in the whole engine, as a person starts it.

let home: Home | undefined
afterEach(() => home?.remove())

const waits = `---
name: waits
execution_mode: auto
triggers:
  - type: mqtt
    topic: ci/+/done
---

# Waits

## Step 1: Look

\`\`\`bash
true
\`\`\`
`

test('files and ends of runs begin runs, also those that came while the engine was killed, and the health says what cannot', {
  timeout: 300_000,
}, async () => {
  home = await createHome({
    examples: ['import-orders', 'daily-backup', 'backup-report.md'],
    sops: { 'waits.md': waits },
  })
  const inbox = join(home.path, 'inbox/orders')
  let engine = await home.serve()
  const of = async (running: RunningEngine, sop: string): Promise<readonly RunSummary[]> => {
    const { json } = await running.api('GET', `/api/v1/runs?sop=${sop}`)
    return (json as { readonly runs: readonly RunSummary[] }).runs
  }
  // The folder is not there before its first file.
  await mkdir(inbox, { recursive: true })
  await writeFile(join(inbox, 'a.csv'), '1,2,3\n4,5,6\n')
  await until(
    () => of(engine, 'import-orders'),
    ([run]) => run?.status === 'completed',
    60_000,
  )
  // Its questions have little patience.
  const health = await until(
    async () => (await engine.api('GET', '/api/v1/health')).json as Health,
    ({ status }) => status === 'degraded',
  )
  expect(health).toMatchObject({
    status: 'degraded',
    checks: {
      file_watch: { ok: true },
      sop: { ok: true },
      mqtt: { ok: false, detail: expect.stringMatching(/triggers of "waits" begin nothing: set SOP_MQTT_URL/) },
    },
  })
  await engine.end('SIGKILL')
  await writeFile(join(inbox, 'b.csv'), '7,8,9\n')
  engine = await home.serve()
  expect(await home.cli('run', 'daily-backup')).toMatchObject({ code: 0 })
  const imports = await until(
    () => of(engine, 'import-orders'),
    (runs) => runs.filter(({ status }) => status === 'completed').length > 1,
    60_000,
  )
  expect(imports.map(({ trigger }) => trigger)).toEqual(['file_watch', 'file_watch'])
  const reports = await until(
    () => of(engine, 'backup-report'),
    ([run]) => run?.status === 'completed',
    60_000,
  )
  expect(reports.map(({ trigger }) => trigger)).toEqual(['sop'])
  await engine.end('SIGTERM')
})

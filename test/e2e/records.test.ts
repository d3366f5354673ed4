import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHome, type Home, type RunningEngine } from '../support/real-engine.ts'

// Records as their owner checks them: by the command, after a crash, after somebody was at them, and from a file alone.

const SECRET = 'hunter2-and-a-half'
let home: Home
let engine: RunningEngine

beforeAll(async () => {
  home = await createHome({
    sops: {
      'deploy.md': `---
name: deploy
execution_mode: auto
params:
  password: { secret: true, required: true }
---
# Deploy

## Step 1: Build
\`\`\`bash
seq 1 20000
echo "with $password"
\`\`\`

## Step 2: Go (requires approval)
\`\`\`bash
echo gone
\`\`\`
`,
    },
  })
  engine = await home.serve()
})
afterAll(() => home?.remove())

const start = async (): Promise<string> => {
  const { json } = await engine.api('POST', '/api/v1/sops/deploy/runs', { body: { params: { password: SECRET } } })
  const { runId } = json as { runId: string }
  await home.runUntil(runId, ({ status }) => status === 'awaiting_approval')
  return runId
}

test('a crash is no tampering, an edit is, and an exported run is checked without an engine', {
  timeout: 240_000,
}, async () => {
  const [parked, done] = [await start(), await start()]
  await home.cli('approve', done)
  await home.runUntil(done, ({ status }) => status === 'completed')
  await home.record(parked, 'approval_requested')
  await home.record(done, 'run_completed')
  await engine.end('SIGKILL')
  engine = await home.serve()
  const fine = await home.cli('verify-audit')
  expect(fine.out).toContain('Checked 2 records')
  expect(fine.out).toContain('Nothing is wrong.')
  expect(fine.code).toBe(0)
  const one = JSON.parse((await home.cli('verify-audit', done, '--json')).out) as {
    runs: readonly { history: string; findings: readonly { kind: string }[] }[]
  }
  expect(one).toMatchObject({ ok: true, runs: [{ runId: done, history: 'compared' }] })
  // The engine may have died before it wrote the last head: then the next one did, and says so.
  expect(one.runs.flatMap(({ findings }) => findings).filter(({ kind }) => kind !== 'late_head')).toEqual([])

  const out = join(home.path, 'run.jsonl')
  expect(await home.cli('export', done, '--out', out)).toMatchObject({ code: 0 })
  const text = await readFile(out, 'utf8')
  expect(text).not.toContain(SECRET)
  const bytes = text
    .split('\n')
    .flatMap((line) => (line.includes('"type":"bytes"') ? [(JSON.parse(line) as { bytes: string }).bytes] : []))
  const log = Buffer.concat(bytes.map((piece) => Buffer.from(piece, 'base64'))).toString()
  expect(log).toContain('\n19999\n20000\n')
  expect(log).not.toContain(SECRET)
  expect(await home.cli('export', done, '--out', out)).toMatchObject({ code: 7 })

  const logPath = join(home.dataDir, 'logs', done, 'step.1-1.log')
  const printed = await readFile(logPath)
  await chmod(logPath, 0o600)
  await writeFile(logPath, printed.toString().replace('\n777\n', '\n778\n'))
  const logEdited = await home.cli('verify-audit', done)
  expect(logEdited).toMatchObject({ code: 1, out: expect.stringContaining('log_edited') })
  await rm(logPath)
  expect(await home.cli('verify-audit', done)).toMatchObject({ code: 1, out: expect.stringContaining('log_missing') })
  await writeFile(logPath, printed, { mode: 0o400 })

  const path = join(home.dataDir, 'audit', 'deploy', `${done}.jsonl`)
  const record = await readFile(path, 'utf8')
  const line = record.split('\n').findIndex((each) => each.includes('approval_granted')) + 1
  await writeFile(path, record.replace(/("approval_granted".*?"id":")[^"]*/, '$1mallory'))
  const edited = await home.cli('verify-audit')
  expect(edited.code).toBe(1)
  expect(edited.out).toContain(
    `edited: audit/deploy/${done}.jsonl:${line}: event ${line} (approval_granted) was changed`,
  )
  expect(edited.out).toMatch(/history_differs: .*mallory/)
  expect(edited.out).not.toContain(parked)
  await engine.end()

  const key = (JSON.parse(text.split('\n')[0] ?? '') as { key: string }).key
  const offline = await home.cli('verify-audit', out, '--key', key)
  expect([offline.code, offline.out]).toEqual([0, expect.stringContaining('the record is whole')])
  await writeFile(out, text.replace('"type":"bytes","bytes":"', '"type":"bytes","bytes":"AAAA'))
  const changed = await home.cli('verify-audit', out)
  expect([changed.code, changed.out]).toEqual([1, expect.stringContaining('export_edited')])
  await writeFile(out, text.slice(0, text.length / 2))
  expect(await home.cli('verify-audit', out)).toMatchObject({ code: 1, out: expect.stringContaining('export_cut_off') })
})

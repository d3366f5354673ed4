import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// A script against the commands and files of the system before this one, run against a whole engine.

const FRONTEND = `---
name: deploy-frontend
description: Deploy frontend to staging
version: "1.0.0"
priority: high
execution_mode: supervised
triggers:
  - type: manual
---
# Deploy Frontend to Staging

## Step 1: Build the Project
\`\`\`bash
echo "built $key"
\`\`\`

## Step 2: Deploy (requires approval)
\`\`\`bash
echo "Deploying to staging..."
\`\`\`

## Step 3: Verify
\`\`\`bash
echo healthy
\`\`\`
`

/** Waits until the state file says so, as a script of those days did. */
const PRELUDE = `
  set -euo pipefail
  state() { node -p "JSON.parse(require('fs').readFileSync('$STATE_DIR/$1.json')).$2" 2>/dev/null || true; }
  wait_for() { for _ in $(seq 400); do [ "$(state "$1" "$2")" = "$3" ] && return; sleep 0.1; done; echo "no $3: $(cat "$STATE_DIR/$1.json")" >&2; exit 1; }
  run_id_of() { grep -o 'sop_run_[0-9A-Za-z]*' | head -1; }
`

let home: Home
let engine: RunningEngine
let [stateDir, auditDir] = ['', '']
beforeAll(async () => {
  home = await createHome({ sops: { 'deploy-frontend.md': FRONTEND } })
  stateDir = join(home.path, 'state files')
  auditDir = join(home.path, 'popebot', 'sop-audit')
  engine = await home.serve({ env: { STATE_DIR: stateDir, DATA_DIR: join(home.path, 'popebot') } })
})
afterAll(() => home?.remove())

const script = (text: string) => home.shell(`STATE_DIR='${stateDir}'\n${PRELUDE}${text}`)
const json = async (folder: string, name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(folder, name), 'utf8')) as Record<string, unknown>

/** The document of a closed run is the last file that is written of it, a moment after its state. */
const untilTold = (runId: string) =>
  until(
    () => readdir(auditDir),
    (names) => names.includes(`${runId}.json`),
  )

test('a script lists, starts, approves and checks a run, and finds its state and audit files', {
  timeout: 240_000,
}, async () => {
  const said = await script(`
    sop-list | grep -q 'deploy-frontend'
    run_id=$(sop-execute deploy-frontend --payload '{"key": "value"}' | run_id_of)
    echo "$run_id"
    wait_for "$run_id" status waiting_approval
    cp "$STATE_DIR/$run_id.json" at-start.json
    sop-approve "$run_id" > /dev/null
    wait_for "$run_id" status awaiting_approval
    cp "$STATE_DIR/$run_id.json" at-gate.json
    sop-status "$run_id" > status.txt
    sop-approve "$run_id" > /dev/null
    wait_for "$run_id" status completed
    sop-runs --sop deploy-frontend | grep "$run_id"
  `)
  expect({ code: said.code, err: said.err }).toMatchObject({ code: 0 })
  const [runId = '', listed = ''] = said.out.trim().split('\n')
  expect(listed).toContain('completed')
  const started = { run_id: runId, sop_name: 'deploy-frontend', payload: { key: 'value' } }
  const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string
  const built = { step: 1, status: 'completed', output: 'built value\n', timestamp }

  expect(await json(home.path, 'at-start.json')).toEqual({
    ...started,
    status: 'waiting_approval',
    current_step: 0,
    started_at: timestamp,
    history: [{ step: 0, status: 'pending_approval', output: expect.any(String) as string, timestamp }],
  })
  expect(await json(home.path, 'at-gate.json')).toEqual({
    ...started,
    status: 'awaiting_approval',
    current_step: 2,
    started_at: timestamp,
    history: [built, { step: 2, status: 'pending_approval', output: 'Deploy', timestamp }],
  })
  expect(await readFile(join(home.path, 'status.txt'), 'utf8')).toMatch(/^Status: awaiting_approval$/m)
  expect(await json(stateDir, `${runId}.json`)).toEqual({
    ...started,
    status: 'completed',
    current_step: 3,
    started_at: timestamp,
    history: [
      built,
      { step: 2, status: 'completed', output: 'Deploying to staging...\n', timestamp },
      { step: 3, status: 'completed', output: 'healthy\n', timestamp },
    ],
  })

  await untilTold(runId)
  const log = await readFile(join(auditDir, `${runId}.log`), 'utf8')
  expect(log).toContain('    built value\n')
  expect(log.trimEnd().split('\n').at(-1)).toContain('run_completed')
  expect(await json(auditDir, `${runId}.json`)).toMatchObject({
    sop: 'deploy-frontend',
    status: 'success',
    steps: [
      { number: 1, title: 'Build the Project', status: 'success', output: 'built value\n' },
      { number: 2, title: 'Deploy', status: 'success' },
      { number: 3, title: 'Verify', status: 'success' },
    ],
    metrics: { steps_completed: 3, steps_skipped: 0, approval_waits: 2 },
  })
  expect((await readdir(stateDir)).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

test('a rejection with its reason cancels, at the start and at a later gate', { timeout: 240_000 }, async () => {
  const said = await script(`
    first=$(sop-execute deploy-frontend | run_id_of)
    second=$(sop-execute deploy-frontend | run_id_of)
    sop-reject "$first" --reason 'Not ready for deployment' > /dev/null
    sop-approve "$second" > /dev/null
    wait_for "$second" status awaiting_approval
    sop-reject "$second" --reason 'Wrong build' > /dev/null
    wait_for "$first" status cancelled
    wait_for "$second" status cancelled
    echo "$first $second"
    sop-approve "$second" > /dev/null 2> late.txt || echo "late: $?"
  `)
  expect(said).toMatchObject({ code: 0 })
  const [ids = '', late] = said.out.trim().split('\n')
  expect(late).toBe('late: 7')
  expect(await readFile(join(home.path, 'late.txt'), 'utf8')).toMatch(/cancelled|closed/)
  const [first = '', second = ''] = ids.split(' ')
  expect(JSON.stringify((await home.record(first)).slice(-2))).toContain('Not ready for deployment')
  expect(JSON.stringify((await home.record(second)).slice(-2))).toContain('Wrong build')
  for (const runId of [first, second]) await untilTold(runId)
  expect(await json(auditDir, `${second}.json`)).toMatchObject({ status: 'cancelled' })
  expect((await readFile(join(auditDir, `${first}.log`), 'utf8')).trimEnd()).toMatch(/run_cancelled.*$/)
})

test('an SOP that sop-create has made is listed, runs as it is, and is refused a second time', {
  timeout: 240_000,
}, async () => {
  const said = await script(`
    sop-create hello-world --description 'Says hello' --mode auto --priority low > /dev/null
    sop-list | grep -q 'hello-world .*LOW (auto)'
    sop-create hello-world > /dev/null 2>&1 || echo "again: $?"
    run_id=$(sop-execute hello-world | run_id_of)
    echo "$run_id"
    sop-execute no-such-sop > /dev/null 2>&1 || echo "unknown: $?"
    sop-execute hello-world --payload '{nonsense' > /dev/null 2>&1 || echo "unreadable: $?"
  `)
  expect(said).toMatchObject({ code: 0 })
  const [again, runId = '', ...rest] = said.out.trim().split('\n')
  expect([again, ...rest]).toEqual(['again: 7', 'unknown: 6', 'unreadable: 2'])
  const run = await home.runUntil(runId, ({ status }) => /^(completed|failed|awaiting_approval|running)$/.test(status))
  expect(run.sopName).toBe('hello-world')
  expect(engine.said()).not.toContain('"level":"error"')
})

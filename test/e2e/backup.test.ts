import { execFile } from 'node:child_process'
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Health } from '../../src/client/client.ts'
import type { ScheduleView } from '../../src/client/schedule-client.ts'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// A backup is made while the engine works, the engine goes on, and dies. What comes up from the backup repeats nothing.

const sop = (name: string, steps: string, head = ''): string => `---
name: ${name}
execution_mode: auto
${head}---
# ${name}

${steps}`

const step = (number: number, title: string, script: string, bracket = ''): string =>
  `## Step ${number}: ${title}${bracket}\n\`\`\`bash\n${script}\n\`\`\`\n\n`

let home: Home
beforeEach(async () => {
  const busy = `echo busy >> "$WITNESS"\nuntil [ -e "$WITNESS.go" ]; do sleep 0.05; done`
  home = await createHome({
    sops: {
      'parked.md': sop(
        'parked',
        step(1, 'Before', 'echo before >> "$WITNESS"') +
          step(2, 'Go', 'echo gone >> "$WITNESS"', ' (requires approval)'),
      ),
      'busy.md': sop('busy', step(1, 'Work', busy) + step(2, 'After', 'echo after >> "$WITNESS"')),
      'often.md': sop(
        'often',
        step(1, 'Tick', 'echo tick >> "$WITNESS.ticks"'),
        'triggers:\n  - type: cron\n    expression: "0 5 1 1 *"\n',
      ),
    },
  })
})
afterEach(() => home?.remove())

const env = () => ({ SOP_ENV_PASSTHROUGH: 'WITNESS', WITNESS: join(home.path, 'witness') })
const witnessed = async (): Promise<readonly string[]> =>
  (await readFile(join(home.path, 'witness'), 'utf8').catch(() => '')).trimEnd().split('\n')
const start = async (engine: RunningEngine, name: string): Promise<string> =>
  ((await engine.api('POST', `/api/v1/sops/${name}/runs`, { body: {} })).json as { runId: string }).runId
const schedules = async (engine: RunningEngine): Promise<readonly ScheduleView[]> =>
  ((await engine.api('GET', '/api/v1/schedules')).json as { schedules?: ScheduleView[] }).schedules ??
  ((await engine.api('GET', '/api/v1/schedules')).json as ScheduleView[])

test('what comes up from a backup is paused, does nothing twice, and goes on when a person says so', async () => {
  const first = await home.serve({ env: env() })
  const parked = await start(first, 'parked')
  await home.runUntil(parked, ({ openGates }) => openGates.length === 1)
  const busy = await start(first, 'busy')
  await until(witnessed, (lines) => lines.includes('busy'))
  await until(
    () => schedules(first),
    (found) => found.length === 1,
  )
  const made = await home.cli('backup', '--out', join(home.path, 'b.tar.gz'), '--json')
  expect(made.err).toBe('')
  const report = JSON.parse(made.out) as { file: string }
  expect((await stat(report.file)).mode & 0o777).toBe(0o600)

  // After the backup the command comes to its end, the next step runs, and the gate is decided.
  await writeFile(join(home.path, 'witness.go'), '')
  await home.runUntil(busy, ({ status }) => status === 'completed')
  expect(await witnessed()).toEqual(['before', 'busy', 'after'])
  await first.end('SIGKILL')
  // Its server goes a moment later, and writes to its folder until then.
  await until(home.processes, (left) => left.length === 0)
  await rename(home.dataDir, `${home.dataDir}.lost`)

  const restored = await home.cli('restore', report.file, '--to', home.dataDir)
  expect([restored.code, restored.err]).toEqual([0, ''])
  const again = await home.serve({ env: env() })
  const lost = await home.runUntil(busy, ({ paused }) => paused?.kind === 'unknown', 180_000)
  expect(lost.stepResults.map(({ status }) => status)).toEqual(['unknown', 'pending'])
  const waiting = await home.runUntil(parked, ({ status }) => status === 'paused')
  expect(waiting.reason).toContain('came up from a backup of')
  expect(await schedules(again)).toMatchObject([{ state: 'paused', pausedBy: expect.stringContaining('restore') }])
  const health = (await again.api('GET', '/api/v1/health')).json as Health
  expect(health.checks['restored']).toMatchObject({ ok: false, help: expect.stringContaining('sop restore --confirm') })
  expect(await witnessed()).toEqual(['before', 'busy', 'after'])

  // The list that the runs are resumed by is the record's, which may be a little behind.
  await home.record(parked, 'run_paused')
  // A person looks: the step ran, and the run that waited is still wanted.
  expect((await home.cli('resolve', busy, '--ran', '--comment', 'seen in the log')).code).toBe(0)
  await home.runUntil(busy, ({ status }) => status === 'completed')
  const going = await home.cli('restore', '--confirm', '--resume-runs', '--json')
  expect(JSON.parse(going.out)).toMatchObject({ resumed: [parked], left: [] })
  expect((await home.cli('approve', parked)).code).toBe(0)
  await home.runUntil(parked, ({ status }) => status === 'completed')
  expect(await witnessed()).toEqual(['before', 'busy', 'after', 'after', 'gone'])
  for (const runId of [busy, parked])
    expect(verifyChain(await home.record(runId, 'run_completed'), sha256Hex, { runId })).toEqual([])

  await until(
    () => schedules(again),
    ([only]) => only?.state === 'active',
  )
  await until(
    async () => (await again.api('GET', '/api/v1/health')).json as Health,
    ({ checks }) => checks['restored'] === undefined,
  )
}, 480_000)

test('five backups under load are each restored sound, and none leaves anything behind', async () => {
  const engine = await home.serve({ env: env() })
  await writeFile(join(home.path, 'witness.go'), '')
  await home.runUntil(await start(engine, 'busy'), ({ status }) => status === 'completed')
  let isOver = false
  const load = (async () => {
    while (!isOver) await start(engine, 'busy')
  })()
  // Where something else fails, that is what is told.
  load.catch(() => {})
  const paused: number[] = []
  for (let count = 0; count < 5; count += 1) {
    const made = await home.cli('backup', '--out', join(home.path, `${count}.tar.gz`), '--json')
    paused.push((JSON.parse(made.out) as { pausedMs: number }).pausedMs)
    const to = join(home.path, `copy-${count}`)
    expect((await home.cli('restore', join(home.path, `${count}.tar.gz`), '--to', to)).code).toBe(0)
    const db = join(to, 'temporal', 'temporal.db')
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', CHECK_DB, db]).catch(() => ({ stdout: 'ok' }))
    expect(stdout.trim()).toBe('ok')
    for (const folder of await readdir(join(to, 'audit'))) {
      for (const name of (await readdir(join(to, 'audit', folder))).filter((each) => each.endsWith('.jsonl'))) {
        const text = await readFile(join(to, 'audit', folder, name), 'utf8')
        const events = text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as never)
        expect(verifyChain(events, sha256Hex)).toEqual([])
      }
    }
  }
  isOver = true
  await load
  // The machine itself may stand still in the midst of one of them; it does not in most.
  expect([...paused].sort((a, b) => a - b)[2]).toBeLessThan(2_000)
  expect((await readdir(join(home.dataDir, 'temporal'))).filter((name) => name.startsWith('backup'))).toEqual([])
  expect((await readdir(home.path)).filter((name) => name.includes('partial') || name.includes('restoring'))).toEqual(
    [],
  )
  // The server lives, and so does its work.
  const last = await start(engine, 'busy')
  await home.runUntil(last, ({ status }) => status === 'completed')
}, 300_000)

/** Node's own SQLite, where this Node has it. */
const CHECK_DB =
  "const { DatabaseSync } = require('node:sqlite'); console.log(new DatabaseSync(process.argv[1]).prepare('PRAGMA integrity_check').get().integrity_check)"

import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AuditListener } from '../../src/activities/deps.ts'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { describeAuditStore } from './contract/audit-store.ts'
import { parsed, runOf, tempDir, wholeRun } from './support/records.ts'

const RUN = { runId: 'sop_run_1', sop: 'deploy' }
const EVENTS = wholeRun(RUN.runId)
const recordOf = (dir: string): string => join(dir, 'audit', 'deploy', 'sop_run_1.jsonl')

const setUp = () => {
  const dataDir = tempDir()
  const warnings: string[] = []
  const open = () => createFileAudit({ dataDir, warn: (message) => warnings.push(message) })
  return { dataDir, warnings, open, audit: open(), record: recordOf(dataDir) }
}
const forkEvents = (dataDir: string): readonly unknown[] =>
  lines(join(dataDir, 'audit', 'deploy', 'sop_run_1.forks.jsonl')).map((line) => parsed<{ event: unknown }>(line).event)

describeAuditStore('createFileAudit()', () => {
  const dataDir = tempDir()
  const warnings: string[] = []
  const open = (listeners: readonly AuditListener[] = []) =>
    createFileAudit({ dataDir, listeners, warn: (message) => warnings.push(message) })
  return { audit: open(), open, warnings, forks: async () => forkEvents(dataDir) }
})

const lines = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')

describe('createFileAudit().append()', () => {
  test('writes a file that is readable by its owner alone', async () => {
    const { audit, record } = setUp()
    await audit.append(RUN, EVENTS)
    expect(lines(record)).toHaveLength(8)
    expect(statSync(record).mode & 0o777).toBe(0o600)
  })

  test('answers the old sequence when the record cannot be written, and goes on when it can', async () => {
    const { audit, dataDir, warnings } = setUp()
    await audit.append(RUN, EVENTS.slice(0, 2))
    const folder = join(dataDir, 'audit', 'deploy')
    const aside = join(dataDir, 'aside')
    // Rights do not stop root, a file in the place of the folder does.
    const { renameSync, unlinkSync } = await import('node:fs')
    renameSync(folder, aside)
    writeFileSync(folder, '')
    expect(await audit.append(RUN, EVENTS.slice(0, 4))).toBe(2)
    expect(warnings).toContain('the record cannot be written')
    unlinkSync(folder)
    renameSync(aside, folder)
    expect(await audit.append(RUN, EVENTS.slice(2, 5))).toBe(5)
    expect(verifyChain(await audit.read(RUN.runId), sha256Hex)).toEqual([])
  })

  test('answers zero for a run that was never written', async () => {
    const { dataDir } = setUp()
    writeFileSync(join(dataDir, 'audit'), 'a file')
    expect(await createFileAudit({ dataDir }).append(RUN, EVENTS)).toBe(0)
  })

  test.each([
    ['half a line', (record: string) => truncateSync(record, statSync(record).size - 20), 4],
    ['a line without its end', (record: string) => truncateSync(record, statSync(record).size - 1), 4],
    ['a block of zeros', (record: string) => appendFileSync(record, Buffer.alloc(4096)), 5],
    [
      'zeros and a line end',
      (record: string) => appendFileSync(record, Buffer.concat([Buffer.alloc(100), Buffer.from('\n')])),
      5,
    ],
    ['half a character', (record: string) => appendFileSync(record, Buffer.from([0xe2, 0x82])), 5],
  ])('repairs %s at the end of a record', async (_, damage, left) => {
    const { audit, open, record } = setUp()
    await audit.append(RUN, EVENTS.slice(0, 5))
    damage(record)
    expect(await open().read(RUN.runId)).toHaveLength(left)
    const reopened = open()
    expect(await reopened.append(RUN, [])).toBe(left)
    expect(await reopened.append(RUN, EVENTS)).toBe(8)
    expect(verifyChain(await reopened.read(RUN.runId), sha256Hex)).toEqual([])
  })

  test('goes on after a damaged line, which verifyChain() still tells of', async () => {
    const { audit, open, record, warnings } = setUp()
    await audit.append(RUN, EVENTS.slice(0, 5))
    writeFileSync(
      record,
      lines(record)
        .map((line, i) => (i === 2 ? 'not json' : line))
        .join('\n') + '\n',
    )
    const reopened = open()
    expect(await reopened.append(RUN, EVENTS)).toBe(8)
    expect(warnings).toContain('a record is damaged: see "sop verify-audit"')
    const problems = verifyChain(await reopened.read(RUN.runId), sha256Hex)
    expect(problems).toEqual([{ kind: 'missing', sequence: 4, message: 'event 3 is missing' }])
  })

  test.each([
    '../../etc/passwd',
    'a/b',
    '.hidden',
    'x'.repeat(900),
    'ünï cödé',
    'sop_run_x.forks',
    '',
    'CON:2026-01-01T00:00:00Z',
  ])('takes any workflow id, such as %j', async (runId) => {
    const { audit, open, dataDir } = setUp()
    const run = { runId, sop: '../escape' }
    expect(await audit.append(run, wholeRun(runId))).toBe(8)
    expect(await audit.append({ runId: `${runId}y`, sop: '../escape' }, wholeRun(`${runId}y`).slice(0, 1))).toBe(1)
    expect(await open().read(runId)).toHaveLength(8)
    expect(readdirSync(dataDir)).toEqual(['audit'])
    expect(readdirSync(join(dataDir, 'audit'))).toHaveLength(1)
  })

  test('keeps a run in its place whatever SOP a later batch names', async () => {
    const { audit, open, dataDir } = setUp()
    await audit.append(RUN, EVENTS.slice(0, 2))
    expect(await open().append({ ...RUN, sop: 'other' }, EVENTS)).toBe(8)
    expect(readdirSync(join(dataDir, 'audit'))).toEqual(['deploy'])
  })
})

describe('createFileAudit() writes documents', () => {
  test('when the run closes: seed 000 with its exact keys, and the readable log', async () => {
    const { audit, record } = setUp()
    const base = record.replace('.jsonl', '')
    await audit.append(RUN, EVENTS.slice(0, 7))
    expect(existsSync(`${base}.json`)).toBe(false)
    // The readable log follows; no step waits for it.
    await vi.waitFor(() => expect(lines(`${base}.log`)).toHaveLength(9), { timeout: 20_000 })
    await audit.append(RUN, EVENTS)
    const document = parsed(readFileSync(`${base}.json`, 'utf8'))
    expect(Object.keys(document)).toEqual(['sop', 'started_at', 'completed_at', 'status', 'steps', 'metrics'])
    expect(document).toMatchObject({ sop: 'deploy', status: 'success', metrics: { total_duration_ms: 7000 } })
    expect(lines(`${base}.log`)).toHaveLength(10)
    expect(readdirSync(join(record, '..')).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('again when a failed run was retried and closes once more', async () => {
    const { audit, record } = setUp()
    const say = runOf(RUN.runId)
    const failedRun = [EVENTS[0] as never, say('run_failed', { reason: 'x' })].map((event, i) => ({
      ...(event as object),
      sequence: i + 1,
    })) as never
    await audit.append(RUN, failedRun)
    const path = record.replace('.jsonl', '.json')
    expect(parsed(readFileSync(path, 'utf8')).status).toBe('failed')
    const more = [
      { ...EVENTS[0], sequence: 3, eventType: 'run_retried', details: {} },
      { ...EVENTS[7], sequence: 4 },
    ] as never
    await audit.append(RUN, more)
    expect(parsed(readFileSync(path, 'utf8')).status).toBe('success')
  })
})

test('definitions are one file each, and no draft is left', async () => {
  const { audit, dataDir } = setUp()
  const pinned = { digest: 'abc123', definition: { name: 'deploy' } } as never
  await Promise.all([audit.keepDefinition(pinned), audit.keepDefinition(pinned), audit.keepDefinition(pinned)])
  expect(readdirSync(join(dataDir, 'definitions'))).toEqual(['abc123.json'])
})

describe('a writer that is killed', () => {
  const script = fileURLToPath(new URL('./support/audit-writer.ts', import.meta.url))
  const hooks = fileURLToPath(new URL('../support/register-ts.mjs', import.meta.url))

  test('loses no acknowledged event, doubles none, and leaves chains that go on', async () => {
    const dataDir = tempDir()
    const acked = new Map<string, number>()
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import', hooks, script, dataDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      const exited = new Promise((resolve) => child.once('exit', resolve))
      let seen = 0
      const killAfter = 40 + round * 37
      for await (const line of createInterface({ input: child.stdout })) {
        const [runId, sequence] = line.split(' ')
        acked.set(runId as string, Math.max(acked.get(runId as string) ?? 0, Number(sequence)))
        if (++seen === killAfter) child.kill('SIGKILL')
      }
      await exited
      const reader = createFileAudit({ dataDir })
      for (const [runId, sequence] of acked) {
        const events = await reader.read(runId)
        expect(verifyChain(events, sha256Hex, { runId }), runId).toEqual([])
        expect(events.length).toBeGreaterThanOrEqual(sequence)
        // Torn lines are no part of a reader's world, but the writer's next append has to cut them off.
        const path = join(dataDir, 'audit', 'deploy', `${runId}.jsonl`)
        if (round === 1) appendFileSync(path, '{"sequence":')
      }
    }
    expect(acked.size).toBe(8)
  })
})

describe('createFileAudit().read()', () => {
  const sequences = async (audit: ReturnType<typeof createFileAudit>, after?: number): Promise<readonly number[]> =>
    (await audit.read(RUN.runId, after)).map(({ sequence }) => sequence)

  test('waits for the rest of a line that is being written', async () => {
    const { open, audit, record } = setUp()
    await audit.append(RUN, EVENTS.slice(0, 3))
    const reader = open()
    expect(await sequences(reader, 2)).toEqual([3])
    const whole = readFileSync(record, 'utf8')
    await audit.append(RUN, EVENTS.slice(3, 4))
    const line = readFileSync(record, 'utf8').slice(whole.length)
    truncateSync(record, Buffer.byteLength(whole) + 20)
    expect(await sequences(reader, 3)).toEqual([])
    appendFileSync(record, line.slice(20))
    expect(await sequences(reader, 3)).toEqual([4])
  })
})

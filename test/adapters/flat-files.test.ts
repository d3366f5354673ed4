import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { createFlatFiles } from '../../src/adapters/flat-files.ts'
import { parsed, tempDir, wholeRun } from './support/records.ts'

const RUN = { runId: 'sop_run_1', sop: 'deploy' }
const EVENTS = wholeRun(RUN.runId)

const setUp = (dir = tempDir()) => {
  const [stateDir, auditDir] = [join(dir, 'sop-state'), join(dir, 'sop-audit')]
  const audit = createFileAudit({ dataDir: dir, listeners: [createFlatFiles({ stateDir, auditDir })] })
  const json = (folder: string) => parsed(readFileSync(join(folder, 'sop_run_1.json'), 'utf8'))
  return { dir, stateDir, auditDir, audit, json }
}

test('STATE_DIR is current after every append', async () => {
  const { audit, stateDir, json } = setUp()
  await audit.append(RUN, EVENTS.slice(0, 3))
  expect(json(stateDir)).toMatchObject({
    run_id: 'sop_run_1',
    status: 'awaiting_approval',
    history: [{ step: 1, status: 'pending_approval' }],
  })
  await audit.append(RUN, EVENTS.slice(3, 5))
  expect(json(stateDir)).toMatchObject({ status: 'running', history: [] })
  await audit.append(RUN, EVENTS)
  expect(json(stateDir)).toMatchObject({
    status: 'completed',
    history: [{ status: 'completed' }, { status: 'skipped' }],
  })
})

test('AUDIT_DIR has the log from the start and the full record at the end', async () => {
  const { audit, auditDir, json } = setUp()
  const log = join(auditDir, 'sop_run_1.log')
  await audit.append(RUN, EVENTS.slice(0, 6))
  expect(readFileSync(log, 'utf8')).toMatch(/run_created[^]*step_completed step 1[^]*\n {4}built\n {4}all\n$/)
  expect(existsSync(join(auditDir, 'sop_run_1.json'))).toBe(false)
  await audit.append(RUN, EVENTS)
  expect(json(auditDir)).toMatchObject({ sop: 'deploy', status: 'success', metrics: { steps_completed: 1 } })
  expect(readFileSync(log, 'utf8').match(/run_created/g)).toHaveLength(1)
})

test('both go on after a restart', async () => {
  const { dir, audit } = setUp()
  await audit.append(RUN, EVENTS.slice(0, 6))
  const again = setUp(dir)
  await again.audit.append(RUN, EVENTS)
  expect(again.json(again.stateDir)).toMatchObject({ history: { length: 2 } })
  expect(again.json(again.auditDir)).toMatchObject({ steps: { length: 2 } })
})

test('only what is set is written', async () => {
  const dir = tempDir()
  await createFileAudit({ dataDir: dir, listeners: [createFlatFiles({})] }).append(RUN, EVENTS)
  const stateDir = join(dir, 's')
  await createFileAudit({ dataDir: join(dir, 'b'), listeners: [createFlatFiles({ stateDir })] }).append(RUN, EVENTS)
  expect(existsSync(join(stateDir, 'sop_run_1.json'))).toBe(true)
  expect(existsSync(join(stateDir, 'sop_run_1.log'))).toBe(false)
})

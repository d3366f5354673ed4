import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCatalog } from '../../src/client/catalog.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import type { RecordedEvent } from '../../src/core/run/event.ts'
import { isClosed } from '../../src/core/run/state.ts'
import type { GateView, InputView, RunView } from '../../src/core/run/view.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

const entries = await createCatalog({ sopDir: fileURLToPath(new URL('../../sops', import.meta.url)) }).list()
const definitions = entries.flatMap(({ compiled }) => (compiled.definition === undefined ? [] : [compiled.definition]))
const definitionOf = (name: string): SopDefinition => {
  const found = definitions.find((definition) => definition.name === name)
  if (found === undefined) throw new Error(`Cannot run example "${name}": it does not compile`)
  return found
}

/** What a person types where an example asks: params at its start, values in its forms. */
const PARAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'certificate-rotation': { passphrase: 'correct horse' },
  // No host that the tests run on is too full for it.
  'health-check': { disk_limit: '101' },
  'disk-incident': { disk_limit: '101' },
  'deploy-prod': { tests_passed: 'true', staging_verified: 'true' },
  'employee-onboarding': { employee: 'ada.lovelace', first_password: 'swordfish-1' },
}
const FORMS: Readonly<Record<string, string | number>> = {
  affected: 'checkout',
  laptop: 'LT-2041',
  root_cause: 'a full disk',
  severity: 'high',
  verdict: 'usable',
}

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ sops: definitions.map(withoutPatience) })
})
afterAll(() => engine.stop())

/** Times of waiting are cut short; what is waited for stays. */
const withoutPatience = (definition: SopDefinition): SopDefinition => ({
  ...definition,
  cooldownMs: 0,
  steps: definition.steps.map((step) =>
    step.action.kind === 'wait' ? { ...step, action: { kind: 'wait', durationMs: 50 } } : step,
  ),
})

const approve = async (runId: string, { gate, attempt, approvers = [] }: GateView): Promise<void> => {
  const groups = approvers.filter((name) => name.startsWith('group:')).map((name) => name.slice('group:'.length))
  const id = approvers.find((name) => !name.startsWith('group:')) ?? 'bob'
  await engine.as({ id, role: 'approver', groups }).approveStep(runId, undefined, { gate, attempt })
}

const complete = async (runId: string, { stepNumber, checklist = [], form = [] }: InputView, answers: typeof FORMS) => {
  for (const { item, ticked } of checklist)
    if (!ticked) await engine.client.completeStep(runId, stepNumber, { item, ticked: true })
  const fields = form.filter(({ name }) => answers[name] !== undefined)
  const values = Object.fromEntries(fields.map(({ name }) => [name, answers[name] as string | number]))
  await engine.client.completeStep(runId, stepNumber, { values })
}

/** As its worker tells it, which may be slow to answer: what the record tells then may be answered already. */
const look = (runId: string): Promise<RunView> =>
  until(
    () => engine.client.getRunStatus(runId),
    ({ stale }) => stale === undefined,
  )

/** The whole record of a run that is over, which may be known a little earlier. */
const eventsOf = async (runId: string, last: RecordedEvent['eventType']): Promise<readonly RecordedEvent[]> =>
  (
    await until(
      () => engine.client.getAuditLog(runId),
      ({ events }) => events.at(-1)?.eventType === last,
    )
  ).events

/** Answers everything that the run asks until it is closed or paused. */
const carryThrough = async (runId: string, answers: typeof FORMS = FORMS): Promise<RunView> => {
  const end = Date.now() + 120_000
  for (;;) {
    const run = await look(runId)
    if (isClosed(run.status) || run.status === 'paused') return run
    if (Date.now() > end) throw new Error(`Run of "${run.sopName}" does not end: ${JSON.stringify(run)}`)
    for (const gate of run.openGates) await approve(runId, gate)
    for (const input of run.openInputs) await complete(runId, input, answers)
    if (run.openGates.length + run.openInputs.length === 0) await new Promise((resolve) => setTimeout(resolve, 40))
  }
}

const start = async (name: string, params: Readonly<Record<string, string>> = PARAMS[name] ?? {}): Promise<string> =>
  (await engine.client.createRun(name, { params })).runId

const states = (run: RunView): readonly string[] => run.stepResults.map(({ status }) => status)

describe.concurrent('every example runs to its end', { timeout: 180_000 }, () => {
  test.each(entries.map(({ name }) => name))('%s', async (name) => {
    definitionOf(name)
    const run = await carryThrough(await start(name))
    expect(run).toMatchObject({ sopName: name, status: 'completed' })
    const events = await eventsOf(run.runId, 'run_completed')
    expect(events.filter(({ eventType }) => eventType === 'decision_refused')).toEqual([])
  })
})

test('welcome: the timer opens the gate when nobody does', async () => {
  const welcome = definitionOf('welcome')
  expect(welcome.steps.map((step) => step.approvalTimeoutMs)).toContain(30_000)
  const steps = welcome.steps.map((step) =>
    step.approvalTimeoutMs === 30_000 ? { ...step, approvalTimeoutMs: 300 } : step,
  )
  engine.add({ ...welcome, name: 'welcome-in-a-hurry', steps })
  const runId = await start('welcome-in-a-hurry', { name: 'Ada', farewell: 'false' })
  const run = await until(
    () => engine.client.getRunStatus(runId),
    ({ status }) => isClosed(status),
    60_000,
  )
  expect(states(run)).toEqual(['success', 'success', 'success', 'skipped'])
  expect(run.stepResults[2]?.output).toContain('Hello Ada, this is ')
  const events = await eventsOf(runId, 'run_completed')
  expect(events.find(({ eventType }) => eventType === 'approval_timeout')).toMatchObject({
    principal: { id: 'timer', kind: 'timer' },
    details: { action: 'approve' },
  })
})

test('patching: a failed patch goes the way back and serves again', async () => {
  const run = await carryThrough(await start('patching', { break_it: 'true' }))
  expect(run.status).toBe('completed')
  expect(states(run)).toEqual(['success', 'failed', 'skipped', 'skipped', 'success', 'success'])
})

test('move-database: a copy that fails its check is undone with all before it, and a retry does it again', async () => {
  const run = await carryThrough(await start('move-database', { break_it: 'true' }))
  expect(run.status).toBe('failed')
  expect(states(run)).toEqual(['rolled_back', 'rolled_back', 'pending', 'pending', 'pending'])
  const events = await eventsOf(run.runId, 'run_failed')
  const undone = events.flatMap((event) => (event.eventType === 'step_rolled_back' ? [event.details.output] : []))
  expect(undone).toEqual(['copy of 42 rows removed from db-2\n', 'writers started again on the old host\n'])
  await engine.client.retryRun(run.runId, { params: { break_it: false } })
  const again = await carryThrough(run.runId)
  expect(states(again)).toEqual(['success', 'success', 'success', 'success', 'success'])
})

test('move-database: a rejection walks back, and past the drop only a person goes', async () => {
  const runId = await start('move-database')
  await until(
    () => engine.client.getRunStatus(runId),
    ({ openGates }) => openGates.length > 0,
  )
  await engine.client.rejectStep(runId, 4, { reason: 'errors in the application' })
  const run = await carryThrough(runId)
  expect(run).toMatchObject({ status: 'failed', reason: 'gate "4-drop_the_old_database" was rejected by alice' })
  expect(states(run)).toEqual(['rolled_back', 'rolled_back', 'rolled_back', 'pending', 'pending'])
})

test('patch-fleet: every host is patched and checked by itself', async () => {
  const run = await carryThrough(await start('patch-fleet', { hosts: 'web-1, web-2,web-3' }))
  expect(run).toMatchObject({
    status: 'completed',
    outputs: { kernel: ['6.12', '6.12', '6.12'] },
    stepResults: [{}, { items: { total: 3, success: 3 } }, {}],
  })
})

test('patch-fleet: one host that answers no more takes all patched ones the way back', async () => {
  const run = await carryThrough(await start('patch-fleet', { break_it: 'web-3' }))
  expect(run.status).toBe('failed')
  expect(states(run)).toEqual(['success', 'rolled_back', 'pending'])
  const events = await eventsOf(run.runId, 'run_failed')
  const undone = events.flatMap((event) =>
    event.eventType === 'step_rolled_back' && event.details.item !== undefined ? [event.details.item] : [],
  )
  // The fourth was begun beside the third, or not any more.
  expect(undone.filter((item) => item < 4)).toEqual([3, 2, 1])
})

test('regional-rollout: two regions go on while the third waits for its approval', async () => {
  const runId = await start('regional-rollout')
  const waiting = await until(
    () => engine.client.getRunStatus(runId),
    ({ stepResults }) => stepResults[5]?.status === 'success',
  )
  expect(waiting.openGates).toMatchObject([{ stepNumber: 5 }])
  expect(states(waiting)).toEqual([...Array<string>(4).fill('success'), 'awaiting_approval', 'success', 'pending'])
  const run = await carryThrough(runId)
  expect(run.stepResults[6]?.output).toBe('2.4.0 is in 4 regions\n')
})

test('disk-incident: the health check is a run of its own, and its failure is the step that fails', async () => {
  const good = await carryThrough(await start('disk-incident'))
  const child = await look(good.stepResults[2]?.child ?? '')
  expect(child).toMatchObject({ sopName: 'health-check', status: 'completed', params: { disk_limit: 101 } })
  expect(good.outputs['disk_used']).toBe(child.outputs['disk_used'])
  const bad = await carryThrough(await start('disk-incident', { disk_limit: '0' }))
  expect(bad).toMatchObject({ status: 'paused', stepResults: [{}, {}, { status: 'failed', attempt: 2 }, {}] })
  expect(bad.reason).toContain('SOP "health-check" failed: step 4 "Warn" failed')
})

test('security-patch: what was brought back does not pass the verification', async () => {
  const definition = definitionOf('security-patch')
  const steps = definition.steps.map((step) =>
    step.number === 3
      ? { ...step, action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'exit 1' }] } as const }
      : step,
  )
  engine.add({ ...definition, name: 'security-patch-that-fails', steps })
  const run = await carryThrough(await start('security-patch-that-fails'))
  expect(run.status).toBe('paused')
  expect(states(run)).toEqual(['success', 'success', 'failed', 'skipped', 'success'])
})

test('deploy-prod: nothing starts before tests and staging are confirmed', async () => {
  const refused = engine.client.createRun('deploy-prod', { params: { tests_passed: 'true' } })
  await expect(refused).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('staging_verified'),
  })
})

test('incident: a low severity starts nothing', async () => {
  const refused = engine.client.createRun('incident', { params: { severity: 'low' } })
  await expect(refused).rejects.toMatchObject({ code: 'conflict' })
})

test('restore-test: a damaged backup raises an alarm', async () => {
  const run = await carryThrough(await start('restore-test'), {
    ...FORMS,
    verdict: 'damaged',
    remarks: 'rows are missing',
  })
  expect(run.status).toBe('failed')
  expect(run.stepResults[4]?.output).toContain('orders.csv.gz is damaged: rows are missing')
})

test('certificate-rotation: only the security group installs a certificate, and its passphrase is nowhere', async () => {
  const runId = await start('certificate-rotation')
  await until(
    () => engine.client.getRunStatus(runId),
    ({ openGates }) => openGates.length > 0,
  )
  const refused = await engine.as({ id: 'mallory', role: 'admin' }).approveStep(runId)
  expect(refused).toMatchObject({ accepted: false, code: 'forbidden' })
  const run = await carryThrough(runId)
  expect(run.status).toBe('completed')
  const events = await eventsOf(runId, 'run_completed')
  expect(JSON.stringify([run, events])).not.toContain('correct horse')
  expect(run.stepResults[1]?.output).toContain('protected by a passphrase')
})

test('health-check: a page that answers is asked, and one that does not is a failure', async () => {
  let status = 200
  const server = createServer((_, response) => response.writeHead(status).end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`
  try {
    const good = await carryThrough(await start('health-check', { url, disk_limit: '101' }))
    expect(states(good)).toEqual(['success', 'success', 'success', 'skipped', 'success'])
    status = 503
    const bad = await carryThrough(await start('health-check', { url, disk_limit: '101' }))
    expect(bad.status).toBe('failed')
    expect(bad.stepResults[2]).toMatchObject({ status: 'failed', attempt: 3 })
  } finally {
    server.close()
  }
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { bash, command, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { wholeRecord } from '../support/whole-record.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine()
})
afterAll(() => engine.stop())

const closed = (ref: string) =>
  until(
    () => engine.client.getRunStatus(ref),
    (run) => ['completed', 'failed', 'cancelled'].includes(run.status),
  )

test('runSop() carries out the steps of an auto SOP in order and hands outputs on', async () => {
  engine.add(
    sopOf({
      name: 'outputs',
      steps: [
        { title: 'Build', action: bash('echo "artifact=app-$version.tgz" >> "$SOP_OUTPUT"'), outputs: ['artifact'] },
        { title: 'Ship', action: bash('echo "shipping $artifact"') },
      ],
    }),
  )
  const { runId } = await engine.client.createRun('outputs', { params: { version: '1.2.3' } })
  const run = await closed(runId)
  expect(run).toMatchObject({ status: 'completed', outputs: { artifact: 'app-1.2.3.tgz' } })
  expect(run.stepResults[1]).toMatchObject({ status: 'success', exitCode: 0, output: 'shipping app-1.2.3.tgz\n' })
  const events = await wholeRecord(engine, runId)
  expect(events.map((event) => event.eventType)).toEqual([
    'run_created',
    'run_started',
    'step_started',
    'step_completed',
    'step_started',
    'step_completed',
    'run_completed',
  ])
})

test('runSop() waits at the start gate of a supervised SOP and goes on when it is approved', async () => {
  engine.add(sopOf({ name: 'supervised', mode: 'supervised', steps: [{}] }))
  const started = await engine.client.createRun('supervised')
  expect(started).toMatchObject({ status: 'waiting_approval', openGates: [{ gate: 'start', attempt: 1 }] })
  const reply = await engine.client.approveStep(started.runId, undefined, { comment: 'go' })
  expect(reply).toMatchObject({ accepted: true, gate: 'start' })
  expect(await closed(started.runId)).toMatchObject({ status: 'completed' })
  const events = await wholeRecord(engine, started.runId)
  expect(events.find((event) => event.eventType === 'approval_granted')).toMatchObject({
    principal: { id: 'alice', kind: 'user' },
    via: 'http',
    details: { comment: 'go' },
  })
})

test('runSop() checks what a person completed, asks again where the check fails, and checks after a wait', async () => {
  engine.add(
    sopOf({
      name: 'checked',
      mode: 'auto',
      steps: [
        {
          title: 'Swap the disk',
          action: { kind: 'manual', form: [{ name: 'disk', type: 'string' }] },
          verify: [command('echo "looking at $disk"; test "$disk" = sdb')],
          retries: 1,
        },
        { title: 'Settle', action: { kind: 'wait', durationMs: 50 }, verify: [command('test "$disk" = sdb')] },
      ],
    }),
  )
  const asks = (attempt: number) =>
    until(
      () => engine.client.getRunStatus(runId),
      (run) => run.openInputs.length > 0 && run.stepResults[0]?.attempt === attempt,
    )
  const { runId } = await engine.client.createRun('checked')
  await asks(1)
  const first = await engine.client.completeStep(runId, 1, { values: { disk: 'sda' } })
  expect(first).toMatchObject({ accepted: true, action: 'checking', status: 'running' })
  await asks(2)
  await engine.client.completeStep(runId, 1, { values: { disk: 'sdb' } })
  expect(await closed(runId)).toMatchObject({ status: 'completed', outputs: { disk: 'sdb' } })
  const events = await wholeRecord(engine, runId)
  expect(events.filter(({ stepNumber }) => stepNumber !== undefined).map((event) => event.eventType)).toEqual([
    'step_started',
    'input_requested',
    'verification_started',
    'verification_failed',
    'step_failed',
    'step_started',
    'input_requested',
    'verification_started',
    'verification_passed',
    'step_completed',
    'step_started',
    'verification_started',
    'verification_passed',
    'step_completed',
  ])
  expect(events.find(({ eventType }) => eventType === 'verification_failed')).toMatchObject({
    details: { output: 'looking at sda\n' },
  })
})

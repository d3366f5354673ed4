import { afterAll, beforeAll, expect, test } from 'vitest'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

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
  const { events } = await engine.client.getAuditLog(runId)
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
  const { events } = await engine.client.getAuditLog(started.runId)
  expect(events.find((event) => event.eventType === 'approval_granted')).toMatchObject({
    principal: { id: 'alice', kind: 'user' },
    via: 'http',
    details: { comment: 'go' },
  })
})

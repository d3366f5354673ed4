import { userInfo } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { createHome, type Home, type RunningEngine } from '../support/real-engine.ts'
import { GATE_SOPS, signal, tellGateStories } from './stories/gates.ts'

// The first example of the procedures before this engine, by processes: `sop serve`, `sop …`, HTTP and Temporal's own CLI.

let home: Home
let engine: RunningEngine

beforeAll(async () => {
  home = await createHome({
    examples: ['deploy-production'],
    sops: GATE_SOPS,
  })
  engine = await home.serve()
})
afterAll(() => home?.remove())

test('deploy-production: the start and one gate by the command line, the last by the Temporal CLI', {
  timeout: 180_000,
}, async () => {
  const started = await home.cli('run', 'deploy-production', '--param', 'version=2.0.1', '--json')
  expect(started).toMatchObject({ code: 0 })
  const { runId } = JSON.parse(started.out) as { runId: string }
  // Usually it is what the start answers; that waits five seconds for a worker to look at the run.
  await home.runUntil(runId, ({ status }) => status === 'waiting_approval')
  expect(await home.cli('approve', runId)).toMatchObject({ code: 0 })

  const atStaging = await home.runUntil(runId, (run) => run.status === 'awaiting_approval')
  expect(atStaging.openGates).toMatchObject([{ gate: '3-deploy_to_staging', stepNumber: 3, attempt: 1 }])
  expect(atStaging.stepResults.map((step) => step.status).slice(0, 4)).toEqual([
    'success',
    'success',
    'awaiting_approval',
    'pending',
  ])
  expect(await home.cli('approve', runId, '--comment', 'tests are green')).toMatchObject({ code: 0 })

  const atProduction = await home.runUntil(runId, (run) => run.openGates[0]?.stepNumber === 5)
  expect(atProduction.stepResults[3]).toMatchObject({ status: 'success', output: 'release 2.0.1\n' })
  await signal({ engine }, runId, 'approve', '{}')
  const done = await home.runUntil(runId, (run) => run.status === 'completed')
  expect(done.stepResults.map((step) => step.status)).toEqual(Array.from({ length: 5 }, () => 'success'))

  const record = await home.record(runId, 'run_completed')
  const { out } = await home.cli('audit', runId)
  const { username } = userInfo()
  const granted = out.split('\n').filter((line) => line.includes(' approved gate '))
  expect(granted).toHaveLength(3)
  expect(granted[0]).toContain(`${username} from the command line approved gate "start"`)
  expect(granted[1]).toContain(
    `${username} from the command line approved gate "3-deploy_to_staging": "tests are green"`,
  )
  expect(granted[2]).toContain(
    `temporal by a signal, which proves nobody's identity, approved gate "5-deploy_to_production"`,
  )

  expect(verifyChain(record, sha256Hex, { runId })).toEqual([])
  expect(record.filter(({ eventType }) => eventType === 'approval_granted').map(({ via }) => via)).toEqual([
    'cli',
    'cli',
    'signal',
  ])
  // No step is on record before the decision that it waited for.
  const order = record.map(({ eventType, stepNumber }) => `${eventType} ${stepNumber ?? ''}`)
  for (const step of [3, 5]) {
    expect(order.indexOf(`approval_granted ${step}`)).toBeGreaterThan(order.indexOf(`approval_requested ${step}`))
    expect(order.indexOf(`step_started ${step}`)).toBeGreaterThan(order.indexOf(`approval_granted ${step}`))
  }
})

tellGateStories(() => ({ engine, cli: home.cli, runUntil: home.runUntil, record: home.record }))

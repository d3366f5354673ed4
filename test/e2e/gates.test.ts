import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { testBinary } from '../support/temporal-server.ts'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// The first example of the procedures before this engine, by processes: `sop serve`, `sop …`, HTTP and Temporal's own CLI.

const incident = (name: string): string => `---
name: ${name}
description: What to do when a service is down
execution_mode: auto
---
# Incident response

## Step 1: Assess
\`\`\`bash
echo "assess $service: $severity"
\`\`\`

## Step 2: Fail over (requires approval)
\`\`\`bash
echo "fail over $service"
\`\`\`

## Step 3: Close (requires approval)
\`\`\`bash
echo closed
\`\`\`
`

let home: Home
let engine: RunningEngine

beforeAll(async () => {
  home = await createHome({
    examples: ['deploy-production'],
    sops: Object.fromEntries(['incident-response', 'early', 'contested'].map((name) => [`${name}.md`, incident(name)])),
  })
  engine = await home.serve()
})
afterAll(() => home?.remove())

const signal = async (runId: string, name: string, input: string): Promise<void> => {
  const { path } = await testBinary()
  const { address } = engine.file.temporal
  const args = ['workflow', 'signal', '--address', address, '--workflow-id', runId, '--name', name, '--input', input]
  await promisify(execFile)(path, args)
}

test('deploy-production: the start and one gate by the command line, the last by the Temporal CLI', async () => {
  const started = await home.cli('run', 'deploy-production', '--param', 'version=2.0.1', '--json')
  expect(started).toMatchObject({ code: 0 })
  const { runId, status } = JSON.parse(started.out) as { runId: string; status: string }
  expect(status).toBe('waiting_approval')
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
  await signal(runId, 'approve', '{}')
  const done = await home.runUntil(runId, (run) => run.status === 'completed')
  expect(done.stepResults.map((step) => step.status)).toEqual(Array.from({ length: 5 }, () => 'success'))

  const { out } = await home.cli('audit', runId)
  const { username } = userInfo()
  const granted = out.split('\n').filter((line) => line.includes('approval_granted'))
  expect(granted).toHaveLength(3)
  expect(granted[0]).toMatch(new RegExp(`${username} +cli +start`))
  expect(granted[1]).toMatch(new RegExp(`3 +${username} +cli +3-deploy_to_staging, comment: tests are green`))
  expect(granted[2]).toMatch(/5 +temporal \(unverified\) +signal +5-deploy_to_production/)

  const record = await home.record(runId)
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

test('a signal that comes before its gate is open is refused, on record, and approves nothing later', async () => {
  const started = await home.cli('run', 'early', '--vars', '{"service":"api"}', '--json')
  const { runId } = JSON.parse(started.out) as { runId: string }
  await home.runUntil(runId, (run) => run.openGates[0]?.stepNumber === 2)
  await signal(runId, 'approve', '{"step":3}')
  await signal(runId, 'approve', '"nonsense"')
  await signal(runId, 'no_such_signal', '{}')
  const refused = await until(
    async () => (await home.record(runId)).filter(({ eventType }) => eventType === 'decision_refused'),
    (events) => events.length >= 3,
  )
  expect(refused.map(({ via }) => via)).toEqual(['signal', 'signal', 'signal'])
  await home.cli('approve', runId, '--step', '2')
  const run = await home.runUntil(runId, ({ openGates }) => openGates[0]?.stepNumber === 3)
  expect(run.status).toBe('awaiting_approval')
  expect(await home.cli('cancel', runId)).toMatchObject({ code: 0 })
})

describe('over HTTP', () => {
  const allPaths = [
    ['POST', '/api/sop/incident-response/trigger', { variables: { severity: 'high', service: 'api' } }],
    ['GET', '/api/sop/incident-response/status', undefined],
    ['POST', '/api/sop/approve', { sop: 'incident-response', approved: true }],
    ['POST', '/api/sop/run/sop_run_1/approve', { step: 2, approved: true }],
    ['GET', '/api/v1/sops', undefined],
    ['GET', '/api/v1/runs', undefined],
    ['POST', '/api/v1/sops/incident-response/runs', {}],
    ['GET', '/nothing/here', undefined],
  ] as const

  test('nothing is read or changed without a credential, or with a wrong one', async () => {
    const before = await home.cli('runs', '--json')
    for (const [method, path, body] of allPaths) {
      for (const token of [null, 'sop_wrong', `${engine.token}x`]) {
        const answer = await engine.api(method, path, { token, ...(body === undefined ? {} : { body }) })
        expect([method, path, token, answer.status]).toEqual([method, path, token, 401])
        expect(JSON.stringify(answer.json)).not.toContain('Incident')
      }
    }
    expect((await home.cli('runs', '--json')).out).toBe(before.out)
  })

  test('the calls of the systems before it start a run, tell its state and decide its gates', async () => {
    const started = await engine.api('POST', '/api/sop/incident-response/trigger', {
      body: { variables: { severity: 'high', service: 'api' } },
    })
    const { runId } = started.json as { runId: string }
    expect(started).toEqual({
      status: 202,
      json: {
        runId: expect.stringMatching(/^sop_run_[0-9a-z]{26}$/),
        status: expect.stringMatching(/^(running|awaiting_approval)$/),
        url: `${engine.file.url}/api/v1/runs/${runId}`,
      },
    })
    await home.runUntil(runId, (run) => run.openGates.length === 1)

    const status = await engine.api('GET', '/api/sop/incident-response/status')
    expect(status).toMatchObject({
      status: 200,
      json: {
        sop: 'incident-response',
        runId,
        status: 'awaiting_approval',
        currentStep: 2,
        totalSteps: 3,
        run: { params: { severity: 'high', service: 'api' } },
        openRuns: [{ runId }],
      },
    })
    expect(status).toHaveProperty('json.run.stepResults.0.output', 'assess api: high\n')

    const early = await engine.api('POST', `/api/sop/run/${runId}/approve`, { body: { step: 3, approved: true } })
    expect(early.status).toBe(409)
    const approved = await engine.api('POST', `/api/sop/run/${runId}/approve`, {
      body: { step: 2, approved: true, comment: 'Looks good' },
    })
    expect(approved).toMatchObject({ status: 200, json: { accepted: true, runId, stepNumber: 2 } })
    const again = await engine.api('POST', `/api/sop/run/${runId}/approve`, { body: { step: 2, approved: true } })
    expect(again.status).toBe(409)

    await home.runUntil(runId, (run) => run.openGates[0]?.stepNumber === 3)
    const byName = await engine.api('POST', '/api/sop/approve', { body: { sop: 'incident-response', approved: true } })
    expect(byName).toMatchObject({ status: 200, json: { accepted: true, runId } })
    await home.runUntil(runId, (run) => run.status === 'completed')
    const granted = (await home.record(runId)).filter(({ eventType }) => eventType === 'approval_granted')
    expect(granted.map(({ via, details }) => [via, (details as { comment?: string }).comment])).toEqual([
      ['http', 'Looks good'],
      ['http', undefined],
    ])
    expect(await engine.api('GET', '/api/sop/incident-response/status')).toHaveProperty('json.openRuns', [])
    expect((await engine.api('POST', '/api/sop/no-such-sop/trigger', { body: {} })).status).toBe(404)
  })

  test('two decisions at one instant have one winner, and the loser is told', async () => {
    const started = await engine.api('POST', '/api/sop/contested/trigger', { body: {} })
    const { runId } = started.json as { runId: string }
    await home.runUntil(runId, (run) => run.openGates.length === 1)
    const answers = await Promise.all(
      [true, false, true, false].map((approved) =>
        engine.api('POST', `/api/sop/run/${runId}/approve`, { body: { step: 2, approved } }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
    const decided = (await home.record(runId)).filter(({ eventType }) =>
      /^approval_(granted|rejected)$/.test(eventType),
    )
    expect(decided).toHaveLength(1)
    await home.cli('cancel', runId)
  })
})

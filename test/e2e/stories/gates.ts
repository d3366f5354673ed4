import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { isClosed } from '../../../src/core/run/state.ts'
import type { RecordedEvent } from '../../../src/core/run/event.ts'
import type { RunSummary, RunView } from '../../../src/core/run/view.ts'
import { testBinary } from '../../support/temporal-server.ts'
import { type RunningEngine, type Said, until } from '../../support/real-engine.ts'

// gates.ts: what people see of gates, wherever the engine runs: on one machine, or as a team on a cluster.

/** An engine, and how one looks into it. */
export interface Place {
  readonly engine: RunningEngine
  cli(...args: readonly string[]): Promise<Said>
  runUntil(runId: string, is: (run: RunView) => boolean): Promise<RunView>
  /** Of an open run it may be a little behind its state: `last` waits for that event to be its end. */
  record(runId: string, last?: RecordedEvent['eventType']): Promise<readonly RecordedEvent[]>
}

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

/** The SOPs that the stories need. */
export const GATE_SOPS = Object.fromEntries(
  ['incident-response', 'early', 'contested'].map((name) => [`${name}.md`, incident(name)]),
)

/** Sends a signal as an operator of the cluster would, with Temporal's own command line. */
export const signal = async (
  { engine }: Pick<Place, 'engine'>,
  runId: string,
  name: string,
  input: string,
): Promise<void> => {
  const { path } = await testBinary()
  const { address, namespace } = engine.file.temporal
  const at = ['--address', address, '--namespace', namespace]
  await promisify(execFile)(path, [
    'workflow',
    'signal',
    ...at,
    '--workflow-id',
    runId,
    '--name',
    name,
    '--input',
    input,
  ])
}

/** The same tests for every place. */
export const tellGateStories = (at: () => Place): void => {
  test('a signal that comes before its gate is open is refused, on record, and approves nothing later', async () => {
    const started = await at().cli('run', 'early', '--vars', '{"service":"api"}', '--json')
    const { runId } = JSON.parse(started.out) as { runId: string }
    await at().runUntil(runId, (run) => run.openGates[0]?.stepNumber === 2)
    await signal(at(), runId, 'approve', '{"step":3}')
    await signal(at(), runId, 'approve', '"nonsense"')
    await signal(at(), runId, 'no_such_signal', '{}')
    const refused = await until(
      async () => (await at().record(runId)).filter(({ eventType }) => eventType === 'decision_refused'),
      (events) => events.length >= 3,
    )
    expect(refused.map(({ via }) => via)).toEqual(['signal', 'signal', 'signal'])
    await at().cli('approve', runId, '--step', '2')
    const run = await at().runUntil(runId, ({ openGates }) => openGates[0]?.stepNumber === 3)
    expect(run.status).toBe('awaiting_approval')
    expect(await at().cli('cancel', runId)).toMatchObject({ code: 0 })
    // The next one has nothing change under it.
    await at().runUntil(runId, ({ status }) => status === 'cancelled')
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
      const before = await until(
        () => at().cli('runs', '--json'),
        ({ code, out }) =>
          code === 0 && (JSON.parse(out) as readonly RunSummary[]).every(({ status }) => isClosed(status)),
      )
      for (const [method, path, body] of allPaths) {
        for (const token of [null, 'sop_wrong', `${at().engine.token}x`]) {
          const answer = await at().engine.api(method, path, { token, ...(body === undefined ? {} : { body }) })
          expect([method, path, token, answer.status]).toEqual([method, path, token, 401])
          expect(JSON.stringify(answer.json)).not.toContain('Incident')
        }
      }
      expect((await at().cli('runs', '--json')).out).toBe(before.out)
    })

    test('the calls of the systems before it start a run, tell its state and decide its gates', async () => {
      const started = await at().engine.api('POST', '/api/sop/incident-response/trigger', {
        body: { variables: { severity: 'high', service: 'api' } },
      })
      const { runId } = started.json as { runId: string }
      expect(started).toEqual({
        status: 202,
        json: {
          runId: expect.stringMatching(/^sop_run_[0-9a-z]{26}$/),
          // A start waits five seconds for a worker to look at it.
          status: expect.stringMatching(/^(pending|running|awaiting_approval)$/),
          url: `${at().engine.file.url}/api/v1/runs/${runId}`,
        },
      })
      await at().runUntil(runId, (run) => run.openGates.length === 1)

      // The list of open runs is the record's, which is a little behind.
      const status = await until(
        () => at().engine.api('GET', '/api/sop/incident-response/status'),
        ({ json }) => (json as { openRuns?: readonly RunSummary[] }).openRuns?.[0]?.status === 'awaiting_approval',
      )
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

      const early = await at().engine.api('POST', `/api/sop/run/${runId}/approve`, {
        body: { step: 3, approved: true },
      })
      expect(early.status).toBe(409)
      const approved = await at().engine.api('POST', `/api/sop/run/${runId}/approve`, {
        body: { step: 2, approved: true, comment: 'Looks good' },
      })
      expect(approved).toMatchObject({ status: 200, json: { accepted: true, runId, stepNumber: 2 } })
      const again = await at().engine.api('POST', `/api/sop/run/${runId}/approve`, {
        body: { step: 2, approved: true },
      })
      expect(again.status).toBe(409)

      await at().runUntil(runId, (run) => run.openGates[0]?.stepNumber === 3)
      const byName = await at().engine.api('POST', '/api/sop/approve', {
        body: { sop: 'incident-response', approved: true },
      })
      expect(byName).toMatchObject({ status: 200, json: { accepted: true, runId } })
      await at().runUntil(runId, (run) => run.status === 'completed')
      const granted = (await at().record(runId, 'run_completed')).filter(
        ({ eventType }) => eventType === 'approval_granted',
      )
      expect(granted.map(({ via, details }) => [via, (details as { comment?: string }).comment])).toEqual([
        ['http', 'Looks good'],
        ['http', undefined],
      ])
      await until(
        () => at().engine.api('GET', '/api/sop/incident-response/status'),
        ({ json }) => (json as { openRuns?: readonly RunSummary[] }).openRuns?.length === 0,
      )
      expect((await at().engine.api('POST', '/api/sop/no-such-sop/trigger', { body: {} })).status).toBe(404)
    })

    test('two decisions at one instant have one winner, and the loser is told', async () => {
      const started = await at().engine.api('POST', '/api/sop/contested/trigger', { body: {} })
      const { runId } = started.json as { runId: string }
      await at().runUntil(runId, (run) => run.openGates.length === 1)
      const answers = await Promise.all(
        [true, false, true, false].map((approved) =>
          at().engine.api('POST', `/api/sop/run/${runId}/approve`, { body: { step: 2, approved } }),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
      await at().cli('cancel', runId)
      const { status } = await at().runUntil(runId, (run) => /^(cancelled|failed|completed)$/.test(run.status))
      const last = { cancelled: 'run_cancelled', failed: 'run_failed', completed: 'run_completed' } as const
      const record = await at().record(runId, last[status as keyof typeof last])
      const decided = record.filter(({ eventType }) => /^approval_(granted|rejected)$/.test(eventType))
      expect(decided).toHaveLength(1)
    })
  })
}

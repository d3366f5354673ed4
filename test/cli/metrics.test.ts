import { describe, expect, test } from 'vitest'
import { metricsReport } from '../../src/core/metrics/report.ts'
import { metricsSample } from '../support/fake-client.ts'
import { sop } from './support/sop.ts'

const NOW = Date.UTC(2026, 2, 1)
const engine = { getMetrics: async () => metricsSample() }

describe('sop metrics', () => {
  test('shows outcomes, durations and waits, by SOP', async () => {
    const { out, code } = await sop(['metrics'], { engine })
    expect(out).toMatch(/^Runs of the last 30 days \(2026-01-31 to 2026-03-01, UTC\)\n\nSOP +RUNS +DONE/)
    expect(out).toMatch(/deploy-production +2 +1 +1 +0 +50 % +- +3\.9s \/ 3\.9s +0 %/)
    expect(out).toMatch(/DECIDED BY[^\n]*\nuser:alice +2 +0 /)
    expect(out).toMatch(/WAITED FOR[^\n]*\ngroup:dba +2 /)
    expect(code).toBe(0)
  })

  test('shows the steps of one SOP', async () => {
    const { out, calls } = await sop(['metrics', 'deploy-production', '--days', '7'], { engine })
    expect(calls).toEqual([{ method: 'getMetrics', args: [{ sop: 'deploy-production', days: 7 }] }])
    expect(out).toMatch(/STEP +TITLE[^\n]*\n2 +Deploy /)
  })

  test('prints JSON as the API has it', async () => {
    const { out } = await sop(['metrics', '--json'], { engine })
    expect(JSON.parse(out)).toEqual(metricsSample())
  })

  test('says how to begin where there are no runs', async () => {
    const empty = { getMetrics: async () => metricsReport([], { days: 7, nowMs: NOW, sop: 'deploy' }) }
    const { out, code } = await sop(['metrics', 'deploy'], { engine: empty })
    expect(out).toBe(
      'No runs of deploy in the last 7 days (2026-02-23 to 2026-03-01, UTC). Start one: sop run deploy\n',
    )
    expect(code).toBe(0)
  })

  test('puts a sum below several SOPs, and paints on terminals alone', async () => {
    const day = '2026-03-01'
    const cells = ['a', 'b'].map((name) => ({
      day,
      sop: name,
      sign: 1 as const,
      tally: { counts: { created: 2, failed: 1 }, times: {} },
    }))
    const two = { getMetrics: async () => metricsReport(cells, { days: 7, nowMs: NOW }) }
    const plain = await sop(['metrics'], { engine: two })
    expect(plain.out).toMatch(/\nall +4 +0 +2 /)
    expect(plain.out).not.toContain('\u001b')
    const painted = await sop(['metrics'], { engine: two, terminal: true })
    expect(painted.out).toContain('\u001b[31m1\u001b[39m')
  })

  test.each([['8'], ['x'], ['']])('refuses %j days before the engine is asked', async (days) => {
    const { code, calls } = await sop(['metrics', '--days', days], { engine })
    expect([code, calls]).toEqual([2, []])
  })
})

import { expect, onTestFinished, test } from 'vitest'
import { createWorkerExposition } from '../../src/api/prometheus/worker-exposition.ts'
import { createMeters } from '../../src/core/metrics/meters.ts'
import { serveWorkerMetrics } from '../../src/engine/worker-metrics.ts'
import { parsePrometheus } from '../support/prometheus-text.ts'

const DOWN = { downSince: '2026-01-01T00:00:00.000Z', waiting: 3 }
const quiet = { error: () => {} }

const served = async (address = '127.0.0.1:0') => {
  const meters = createMeters()
  meters.recorded(40)
  meters.recorded(60)
  meters.delivered('webhook', 'started')
  const exposition = createWorkerExposition({
    meters,
    recordState: () => DOWN,
    logState: () => ({ waiting: 0 }),
    version: '1.2.3',
  })
  const metrics = await serveWorkerMetrics({ address, exposition, log: quiet })
  onTestFinished(() => metrics.close())
  return metrics
}

test('a worker tells Prometheus what it alone knows, and no more', async () => {
  const { url } = await served()
  const response = await fetch(url)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')])
  const families = parsePrometheus(await response.text())
  const samples = (name: string) => families.get(name)?.samples.map(({ labels, value }) => [labels, value])
  expect(samples('sop_trigger_deliveries_total')).toEqual([[{ source: 'webhook', verdict: 'started' }, 1]])
  expect(samples('sop_store_up')).toEqual([
    [{ store: 'records' }, 0],
    [{ store: 'logs' }, 1],
  ])
  expect(samples('sop_store_waiting')).toEqual([
    [{ store: 'records' }, 3],
    [{ store: 'logs' }, 0],
  ])
  expect(samples('sop_build_info')).toEqual([[{ version: '1.2.3' }, 1]])
  expect(families.get('sop_audit_lag_seconds')?.type).toBe('histogram')
  expect([...families.keys()].filter((name) => name.startsWith('sop_run'))).toEqual([])
})

test('nothing else is there, whatever is asked', async () => {
  const { url } = await served('[::1]:0')
  const base = url.replace('/metrics', '')
  expect((await fetch(`${base}/api/v1/runs`)).status).toBe(404)
  expect((await fetch(`${base}//`)).status).toBe(404)
  expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(405)
  expect((await fetch(`${url}?a=b`)).status).toBe(200)
})

test('an address that is taken is refused with the way out', async () => {
  const { url } = await served()
  await expect(served(new URL(url).host)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/Set another SOP_METRICS_WORKER_ADDRESS$/) as string,
  })
})

import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Monitoring } from '../../src/api/app.ts'
import { createSopLabels } from '../../src/api/prometheus/sop-labels.ts'
import { readScrape } from '../../src/client/scrape.ts'
import { createLedger } from '../../src/core/metrics/ledger.ts'
import { createMeters } from '../../src/core/metrics/meters.ts'
import { replay } from '../../src/core/metrics/replay.ts'
import type { RunEvent } from '../../src/core/run/event.ts'
import { created, runOf, wholeRun } from '../adapters/support/records.ts'
import { healthSample } from '../support/fake-client.ts'
import { type Family, parsePrometheus } from '../support/prometheus-text.ts'
import { testApi } from '../support/test-api.ts'

const START = Date.UTC(2026, 2, 1)

/** A run that failed and was opened again. */
const reopened = (): readonly RunEvent[] => {
  const say = runOf('again', START)
  return [
    say('run_created', created()),
    say('run_started', { totalSteps: 1 }),
    say('run_failed', { reason: 'x' }),
    say('run_retried', { reopens: true }),
    say('run_completed', { duration: '1s', duration_ms: 1000, stepsCompleted: 1, stepsSkipped: 0 }),
  ]
}

const monitoringOf = (
  records: readonly (readonly RunEvent[])[],
  { sops = ['deploy'], ...more }: Partial<Monitoring> & { readonly sops?: readonly string[] } = {},
): Monitoring => {
  const ledger = createLedger()
  for (const sop of sops) {
    for (const record of records) for (const delta of replay(record, sop).deltas) ledger.add({ ...delta, sop })
  }
  const meters = createMeters()
  meters.delivered('webhook', 'started')
  meters.delivered('webhook', 'started')
  meters.recorded(3)
  return {
    openOnLoopback: false,
    maxSops: 50,
    scrape: () =>
      readScrape({
        version: '1.2.3',
        metrics: { cells: async () => ledger.cells() },
        index: {
          census: async () => [
            { sop: 'deploy', state: 'awaiting_approval', runs: 2, gates: 3, queued: 0 },
            { sop: 'deploy', state: 'pending', runs: 4, gates: 0, queued: 4 },
          ],
        },
        logBytes: async () => 1234,
        health: async () => healthSample,
        meters,
      }),
    ...more,
  }
}

const scrape = async (monitoring: Monitoring, first: readonly string[] = []) => {
  const api = await testApi({ monitoring })
  for (const path of first) await api.call('GET', path)
  const { status, text, headers } = await api.call('GET', '/metrics', { token: api.tokenOf.viewer })
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  const families = parsePrometheus(text)
  const value = (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined => {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
    return family?.samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, of]) => sample.labels[key] === of),
    )?.value
  }
  return { text, families, value }
}

const whole = (runId: string): readonly RunEvent[] => wholeRun(runId, START)

describe('GET /metrics', () => {
  test('tells of runs what their record says, in the words of Prometheus', async () => {
    const { value, families } = await scrape(monitoringOf([whole('a'), whole('b'), reopened()]))
    const of = { sop: 'deploy' }
    expect(value('sop_runs_ended_total', { ...of, outcome: 'completed' })).toBe(3)
    // Both ends of the run that was opened again: a counter never falls.
    expect(value('sop_runs_ended_total', { ...of, outcome: 'failed' })).toBe(1)
    expect(value('sop_runs_reopened_total', of)).toBe(1)
    expect(value('sop_runs_created_total', { ...of, trigger: 'manual' })).toBe(3)
    expect(value('sop_gates_closed_total', { ...of, how: 'approved' })).toBe(2)
    expect(value('sop_run_duration_seconds_count', { ...of, outcome: 'completed' })).toBe(3)
    expect(value('sop_run_duration_seconds_sum', { ...of, outcome: 'completed' })).toBe(7 + 7 + 4)
    expect(value('sop_run_duration_seconds_bucket', { ...of, outcome: 'completed', le: '5' })).toBe(1)
    expect(value('sop_run_duration_seconds_bucket', { ...of, outcome: 'completed', le: '15' })).toBe(3)
    expect(value('sop_approval_wait_seconds_sum', of)).toBe(2)
    expect(value('sop_runs_open', { ...of, state: 'awaiting_approval' })).toBe(2)
    expect(value('sop_runs_open', { ...of, state: 'paused' })).toBe(0)
    expect(value('sop_gates_open', of)).toBe(3)
    expect(value('sop_queue_length')).toBe(4)
    expect(families.get('sop_run_duration_seconds')?.help).toContain('waits for people and in the queue included')
  })

  test('tells of the engine and of this process', async () => {
    const { value } = await scrape(monitoringOf([whole('a')]), [
      '/api/v1/runs',
      '/api/v1/runs/sop_run_abc123',
      '/api/v1/runs/another',
      '/nowhere/at/all',
      '/health',
    ])
    expect(value('sop_trigger_deliveries_total', { source: 'webhook', verdict: 'started' })).toBe(2)
    expect(value('sop_audit_lag_seconds_count')).toBe(1)
    expect(value('sop_log_bytes')).toBe(1234)
    expect(value('sop_health_check', { check: 'temporal' })).toBe(1)
    expect(value('sop_build_info', { version: '1.2.3' })).toBe(1)
    expect(value('sop_streams_open')).toBe(0)
    expect(value('sop_http_requests_total', { route: '/api/v1/runs/:id', status: '200', method: 'GET' })).toBe(2)
    expect(value('sop_http_requests_total', { route: '/health' })).toBe(1)
    expect(value('sop_http_requests_total', { route: 'none', status: '404' })).toBe(1)
    expect(value('sop_http_request_duration_seconds_count', { route: '/api/v1/runs' })).toBe(1)
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
  })

  test('names no run, no person and no path that somebody asked for', async () => {
    const { text } = await scrape(monitoringOf([whole('run-77')]), ['/api/v1/runs/run-77', '/secret-path'])
    expect(text).not.toMatch(/run-77|alice|secret-path/)
  })

  test('names as many SOPs as the setting says, and puts the rest together', async () => {
    const sops = Array.from({ length: 30 }, (_, at) => `sop-${String(at).padStart(2, '0')}`)
    const { families, value } = await scrape(monitoringOf([whole('a')], { sops, maxSops: 5 }))
    const labels = new Set(families.get('sop_runs_ended_total')?.samples.map(({ labels: { sop } }) => sop))
    expect([...labels].sort()).toEqual(['other', 'sop-00', 'sop-01', 'sop-02', 'sop-03', 'sop-04'])
    expect(value('sop_runs_ended_total', { sop: 'other', outcome: 'completed' })).toBe(25)
    expect(value('sop_run_duration_seconds_count', { sop: 'other', outcome: 'completed' })).toBe(25)
  })

  test('writes names that need it so that they can be read again', async () => {
    const odd = 'a"b\\c\nd{},='
    const { value } = await scrape(monitoringOf([whole('a')], { sops: [odd] }))
    expect(value('sop_runs_started_total', { sop: odd })).toBe(1)
  })

  test('tells the rest where a store does not answer, and which one does not', async () => {
    const good = monitoringOf([])
    const broken: Monitoring = {
      ...good,
      scrape: () =>
        readScrape({
          version: 'x',
          metrics: { cells: () => Promise.reject(new Error('down')) },
          index: { census: () => Promise.reject(new Error('down')) },
          logBytes: async () => 5,
          health: async () => ({ ...healthSample, status: 'degraded' }),
          meters: createMeters(),
        }),
    }
    const { value, families } = await scrape(broken)
    expect([
      value('sop_scrape_source_up', { source: 'metrics' }),
      value('sop_scrape_source_up', { source: 'logs' }),
    ]).toEqual([0, 1])
    expect(value('sop_health_status', { status: 'degraded' })).toBe(1)
    // No figure is better than a wrong one.
    expect([families.has('sop_runs_ended_total'), families.has('sop_runs_open')]).toEqual([false, false])
  })
})

describe('who may read /metrics', () => {
  const ask = async (monitoring: Partial<Monitoring>, headers: Record<string, string> = {}) => {
    const api = await testApi({ monitoring: monitoringOf([], monitoring) })
    return api.call('GET', '/metrics', { token: null, headers })
  }
  const TOKEN = 'scrape-me-0123456789'

  test.each<[string, Partial<Monitoring>, Record<string, string>, number]>([
    ['nobody without a credential', {}, {}, 401],
    ['nobody with a wrong one', { token: TOKEN }, { authorization: 'Bearer nonsense' }, 401],
    ['who has the token of the setting', { token: TOKEN }, { authorization: `Bearer ${TOKEN}` }, 200],
    ['who asks from this machine, where that is allowed', { openOnLoopback: true }, {}, 200],
    ['nobody through a proxy on this machine', { openOnLoopback: true }, { 'x-forwarded-for': '10.0.0.1' }, 401],
    ['nobody through a proxy that says so otherwise', { openOnLoopback: true }, { forwarded: 'for=10.0.0.1' }, 401],
  ])('%s', async (_, monitoring, headers, status) => {
    expect((await ask(monitoring, headers)).status).toBe(status)
  })

  test('its token opens nothing else', async () => {
    const api = await testApi({ monitoring: monitoringOf([], { token: TOKEN }) })
    for (const path of ['/api/v1/runs', '/api/v1/metrics', '/metrics/x']) {
      const { status } = await api.call('GET', path, { token: null, headers: { authorization: `Bearer ${TOKEN}` } })
      expect(status, path).toBe(401)
    }
  })

  test('a page whose name was rebound to this machine does not', async () => {
    const api = await testApi({ monitoring: monitoringOf([], { openOnLoopback: true }) })
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(`${api.url}/metrics`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.on('error', reject)
      asked.end()
    })
    expect(status).toBe(403)
  })

  test('a token of a worker does not', async () => {
    const api = await testApi({ monitoring: monitoringOf([]) })
    const token = await api.makeToken({ name: 'w', role: 'worker' })
    expect((await api.call('GET', '/metrics', { token })).status).toBe(403)
  })
})

describe('createSopLabels()', () => {
  test('keeps a name once given, whatever overtakes it', () => {
    const labels = createSopLabels(2)
    const first = labels(new Map([['a', 1]]))
    expect([first('a'), first('z')]).toEqual(['a', 'other'])
    const next = labels(
      new Map([
        ['a', 1],
        ['b', 5],
        ['c', 9],
      ]),
    )
    expect(['a', 'b', 'c'].map(next)).toEqual(['a', 'other', 'c'])
  })
})

describe('parsePrometheus() objects to', () => {
  const family = (name: string, type: string, ...samples: readonly string[]): string =>
    [`# HELP ${name} x`, `# TYPE ${name} ${type}`, ...samples, ''].join('\n')
  test.each([
    ['a counter without _total', family('a', 'counter', 'a 1')],
    ['a gauge with it', family('a_total', 'gauge', 'a_total 1')],
    ['a series twice', family('a', 'gauge', 'a{b="1"} 1', 'a{b="1"} 2')],
    ['a sample of no family', family('a', 'gauge', 'b 1')],
    ['a family twice', family('a', 'gauge', 'a 1') + family('a', 'gauge', 'a{x="1"} 1')],
    ['labels that do not end', family('a', 'gauge', 'a{b="1} 1')],
    [
      'buckets that fall',
      family('a', 'histogram', 'a_bucket{le="1"} 2', 'a_bucket{le="+Inf"} 1', 'a_sum 1', 'a_count 1'),
    ],
    ['a count that is another', family('a', 'histogram', 'a_bucket{le="+Inf"} 1', 'a_sum 1', 'a_count 2')],
    ['another unit', family('a_ms', 'gauge', 'a_ms 1')],
    ['no number', family('a', 'gauge', 'a x')],
  ])('%s', (_, text) => {
    expect(() => parsePrometheus(text)).toThrow()
  })
  test('nothing else', () => {
    const ok: ReadonlyMap<string, Family> = parsePrometheus(family('a', 'gauge', 'a{b="x\\"y\\\\z\\n",c="2"} 1e3'))
    expect(ok.get('a')?.samples).toEqual([{ name: 'a', labels: { b: 'x"y\\z\n', c: '2' }, value: 1000 }])
  })
})

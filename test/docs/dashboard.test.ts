import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createWorkerExposition } from '../../src/api/prometheus/worker-exposition.ts'
import { createExposition } from '../../src/api/prometheus/exposition.ts'
import { createHttpMeters } from '../../src/api/prometheus/http-meters.ts'
import { readScrape } from '../../src/client/scrape.ts'
import { createLedger } from '../../src/core/metrics/ledger.ts'
import { createMeters } from '../../src/core/metrics/meters.ts'
import { replay } from '../../src/core/metrics/replay.ts'
import { wholeRun } from '../adapters/support/records.ts'
import { healthSample } from '../support/fake-client.ts'
import { parsePrometheus } from '../support/prometheus-text.ts'
import { readPage } from './markdown.ts'

interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}
const { panels } = JSON.parse(readFileSync(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8')) as {
  readonly panels: readonly Panel[]
}

/** The families that `/metrics` tells of an engine that has done a little. */
const families = async () => {
  const ledger = createLedger()
  for (const delta of replay(wholeRun('a', 0), 'deploy').deltas) ledger.add(delta)
  const meters = createMeters()
  meters.delivered('webhook', 'started')
  const scrape = () =>
    readScrape({
      version: '1',
      metrics: { cells: async () => ledger.cells() },
      index: { census: async () => [] },
      logBytes: async () => 1,
      health: async () => ({
        ...healthSample,
        checks: { ...healthSample.checks, records: { ok: false, figures: { events: 3 } } },
      }),
      meters,
    })
  const exposition = createExposition({ scrape, http: createHttpMeters(), streamsOpen: () => 0, maxSops: 5 })
  // A worker without an API has some of its own.
  const fine = () => ({ waiting: 0 })
  const worker = createWorkerExposition({ meters, recordState: fine, logState: fine, version: '1' })
  return new Map([...parsePrometheus(await worker.render()), ...parsePrometheus(await exposition.render())])
}

const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(/\b(?:sop|process|nodejs)_[a-z_]+\b/g)].map(([name]) => name)
const exprs = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const))

describe('docs/grafana-dashboard.json', () => {
  test.each(exprs)('"%s" asks for metrics that there are: %s', async (_, expr) => {
    const known = await families()
    const asked = namesIn(expr.replace(/\{[^}]*\}|by \([^)]*\)/g, ''))
    if (!expr.includes('temporal_')) expect(asked).not.toEqual([])
    for (const name of asked) {
      const family = known.get(name.replace(/_(bucket|sum|count)$/, '')) ?? known.get(name)
      expect(family, name).toBeDefined()
      if (name.endsWith('_bucket')) expect(family?.type).toBe('histogram')
      // The rate of a gauge, and a counter that is read as it stands, say nothing.
      if (/rate\(|increase\(/.test(expr)) expect(family?.type).not.toBe('gauge')
    }
  })

  test('shows every metric of ours', async () => {
    const asked = new Set(exprs.flatMap(([, expr]) => namesIn(expr)).map((name) => name.replace(/_bucket$/, '')))
    const told = [...(await families()).keys()].filter((name) => name.startsWith('sop_'))
    expect(told.filter((name) => !asked.has(name))).toEqual(['sop_runs_started_total'])
  })

  test('has panels that lie beside each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const [at, { gridPos: a, title }] of panels.entries()) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24)
      for (const { gridPos: b, title: other } of panels.slice(at + 1)) {
        const overlap = a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
        expect(overlap, `${title} and ${other}`).toBe(false)
      }
    }
  })
})

test('docs/operations.md names every metric of ours, and no other', async () => {
  const page = readPage('docs/operations.md')
  const section = page.text.slice(page.text.indexOf('### Metrics'), page.text.indexOf('### When a store is down'))
  const named = new Set([...section.matchAll(/`(sop_[a-z_]+)`/g)].map(([, name]) => name))
  const told = [...(await families()).keys()].filter((name) => name.startsWith('sop_'))
  expect([...named].sort()).toEqual(told.sort())
})

import { expect, test } from 'vitest'
import { healthSample } from '../support/fake-client.ts'
import { sop } from './support/sop.ts'

test('sop health shows what does not work, since when and what to do, and exits with 1', async () => {
  const { out, code } = await sop(['health'], { engine: { health: async () => healthSample } })
  expect(out).toMatch(/^Engine 0\.1\.0: degraded\n {2}disk: not ok: the disk .* left \(since .+\)\n {4}Make room\.\n$/)
  expect(code).toBe(1)
})

test('sop health --long shows what works, too, and the figures; --json has all of it', async () => {
  const engine = { health: async () => healthSample }
  const { out } = await sop(['health', '--long'], { engine })
  expect(out).toContain('  worker: ok\n')
  expect(out).toContain('freeBytes 209715200')
  expect(JSON.parse((await sop(['health', '--json'], { engine })).out)).toEqual(healthSample)
})

test('sop health of an engine that is well is one line, and exits with 0', async () => {
  const health = { status: 'ok', version: '0.1.0', checks: { temporal: { ok: true } } } as const
  const { out, code } = await sop(['health'], { engine: { health: async () => health } })
  expect([out, code]).toEqual(['Engine 0.1.0: ok. All 1 checks are well.\n', 0])
})

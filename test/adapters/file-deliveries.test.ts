import { appendFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFileDeliveries } from '../../src/adapters/file-deliveries.ts'
import { deliveryOf, describeDeliveryStore } from './contract/delivery-store.ts'
import { tempDir } from './support/records.ts'

describeDeliveryStore('createFileDeliveries()', () => {
  const dataDir = tempDir()
  return { deliveries: createFileDeliveries({ dataDir }), again: () => createFileDeliveries({ dataDir }) }
})

test('a line that a crash cut off costs nothing but itself', async () => {
  const dataDir = tempDir()
  const [first, second] = [deliveryOf('2026-01-01T10:00:00.000Z'), deliveryOf('2026-01-01T11:00:00.000Z')]
  await createFileDeliveries({ dataDir }).put(first)
  const path = join(dataDir, 'deliveries', '2026-01-01.jsonl')
  await appendFile(path, '{"id":"del_cut')
  const warnings: string[] = []
  const again = createFileDeliveries({ dataDir, warn: (message) => warnings.push(message) })
  await again.put(second)
  expect((await again.list({})).map(({ id }) => id)).toEqual([second.id, first.id])
  expect(warnings).toEqual(['a line of the deliveries is damaged and was passed over'])
})

test('its files are for their owner, one a day', async () => {
  const dataDir = tempDir()
  const deliveries = createFileDeliveries({ dataDir })
  await deliveries.put(deliveryOf('2026-01-01T10:00:00.000Z'))
  await deliveries.put(deliveryOf('2026-01-02T10:00:00.000Z'))
  const folder = join(dataDir, 'deliveries')
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect(await readdir(folder)).toEqual(['2026-01-01.jsonl', '2026-01-02.jsonl'])
  expect((await stat(join(folder, '2026-01-01.jsonl'))).mode & 0o777).toBe(0o600)
})

test('put() says what could not be written', async () => {
  const deliveries = createFileDeliveries({ dataDir: '/dev/null' })
  await expect(deliveries.put(deliveryOf('2026-01-01T10:00:00.000Z'))).rejects.toThrow(/ENOTDIR/)
})

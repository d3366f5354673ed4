import { expect, test } from 'vitest'
import { formatSize, parseSize } from '../../src/core/size.ts'

test.each([
  ['0', 0],
  ['1000', 1000],
  ['17 b', 17],
  ['64KiB', 65_536],
  ['1.5 MiB', 1_572_864],
  ['2 GB', 2_000_000_000],
  ['2gib', 2_147_483_648],
  ['1TiB', 1_099_511_627_776],
])('parseSize("%s") is %d', (text, bytes) => expect(parseSize(text)).toBe(bytes))

test.each(['', 'x', '-1', '1.', '5 parsecs', '1e3', '9999999999999 TiB'])('parseSize("%s") is refused', (text) =>
  expect(parseSize(text)).toBeUndefined(),
)

test.each([
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [2 * 1024 ** 3, '2 GiB'],
  [150 * 1024 ** 2, '150 MiB'],
  [5000 * 1024 ** 4, '5000 TiB'],
])('formatSize(%d) is "%s"', (bytes, text) => expect(formatSize(bytes)).toBe(text))

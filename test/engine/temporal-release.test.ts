import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { TEMPORAL_CLI_VERSION, TEMPORAL_SERVER_VERSION } from '../../src/engine/temporal-release.ts'
import { compareVersions, isSameMinor } from '../../src/engine/version.ts'

const file = (name: string) => readFile(new URL(`../../tools/temporal/${name}`, import.meta.url), 'utf8')

test('the Go module pins the version that is downloaded', async () => {
  const pins = (await file('go.mod')).match(/^\s*(github\.com\/temporalio\/cli|go\.temporal\.io\/server) v\S+/gm) ?? []
  expect(pins.map((pin) => pin.trim())).toEqual([
    `github.com/temporalio/cli v${TEMPORAL_CLI_VERSION}`,
    `go.temporal.io/server v${TEMPORAL_SERVER_VERSION}`,
  ])
  expect(await file('go.sum')).toContain(`github.com/temporalio/cli v${TEMPORAL_CLI_VERSION} h1:`)
})

test.each([
  ['1.31.2', '1.31.2', 0],
  ['1.31.10', '1.31.9', 1],
  ['1.9.0', '1.31.0', -1],
  ['v2.0', '1.99.99', 1],
  ['1.32.0-162.0', '1.32.0', 0],
  ['unknown', '1.0.0', -1],
  ['1.0.0', '', 1],
] as const)('compareVersions(%j, %j)', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign)
})

test('isSameMinor() holds for patches only', () => {
  expect(isSameMinor('1.31.0', '1.31.2')).toBe(true)
  expect(isSameMinor('1.31.0', '1.32.0')).toBe(false)
  expect(isSameMinor('1.31.0', '2.31.0')).toBe(false)
  expect(isSameMinor('', '')).toBe(false)
})

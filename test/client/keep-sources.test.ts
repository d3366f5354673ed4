import { expect, test } from 'vitest'
import { keepSources } from '../../src/client/keep-sources.ts'

const HOUR_MS = 3_600_000

const rig = (fails = false) => {
  let nowMs = 0
  const said: string[] = []
  const store = {
    keepDefinition: async ({ digest }: { readonly digest: string }) => void said.push(`definition ${digest}`),
    keepSource: async (digest: string) => {
      said.push(`source ${digest}`)
      if (fails) throw new Error('no room')
    },
    read: () => 'read',
  }
  const warn = (message: string): void => void said.push(message)
  const keeping = keepSources(
    store,
    (digest) => (digest === 'unknown' ? undefined : { 'SOP.md': digest }),
    warn,
    () => nowMs,
  )
  const later = (): void => void (nowMs += HOUR_MS)
  return { said, later, keeping, keep: (digest: string) => keeping.keepDefinition({ digest }) }
}

test('keepSources() keeps the text beside each definition, once', async () => {
  const { said, keep, keeping } = rig()
  for (const digest of ['a', 'a', 'unknown', 'b']) await keep(digest)
  expect(said).toEqual(['definition a', 'source a', 'definition a', 'definition unknown', 'definition b', 'source b'])
  expect(keeping.read()).toBe('read')
})

test('keepSources() lets a run begin though its text cannot be kept, and tries again with the next', async () => {
  const { said, keep } = rig(true)
  await keep('a')
  await keep('a')
  expect(said.filter((line) => line === 'source a')).toHaveLength(2)
  expect(said).toContain('the text of an SOP could not be kept')
})

test('keepSources() keeps a text again that may have been removed with its definition meanwhile', async () => {
  const { said, keep, later } = rig()
  await keep('a')
  later()
  await keep('a')
  expect(said.filter((line) => line === 'source a')).toHaveLength(2)
})

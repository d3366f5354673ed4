import fc from '../support/laws.ts'
import { expect, test } from 'vitest'
import { decodeFileName, encodeFileName, encodeFolderName } from '../../src/core/file-name.ts'

test.each([
  ['sop_run_01ABC', 'sop_run_01ABC'],
  ['a.b', 'a%2Eb'],
  ['../x', '%2E%2E%2Fx'],
  ['ü', '%C3%BC'],
  ['', '%'],
])('encodeFileName(%j) is %j', (text, name) => {
  expect(encodeFileName(text)).toBe(name)
  expect(decodeFileName(name)).toBe(text)
})

test('encodeFileName() can be reversed, and names are safe and short', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (text) => {
      const name = encodeFileName(text)
      expect(name).toMatch(/^[A-Za-z0-9_%~-]{1,200}$/)
      if (!name.includes('~')) expect(decodeFileName(name)).toBe(text)
    }),
  )
})

test('encodeFileName() keeps long names apart that begin alike', () => {
  const names = ['a', 'b', ''].map((end) => encodeFileName('x'.repeat(500) + end))
  expect(new Set(names).size).toBe(3)
  expect(decodeFileName(names[0] as string)).toBeUndefined()
})

test.each([
  ['deploy-1.2', 'deploy-1.2'],
  ['..', '%2E%2E'],
  ['a/b', 'a%2Fb'],
])('encodeFolderName(%j) is %j', (name, folder) => {
  expect(encodeFolderName(name)).toBe(folder)
})

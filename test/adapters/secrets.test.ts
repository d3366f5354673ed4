import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSecrets } from '../../src/adapters/secrets.ts'
import { tempDir } from './support/records.ts'

test('a secret comes from its file, else from the environment', async () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'token'), 'from file\n')
  const secrets = createSecrets({
    environment: { TOKEN: 'from env', PIN: '1234' },
    files: { TOKEN: join(dir, 'token') },
  })
  expect(await secrets.get('TOKEN')).toBe('from file')
  expect(await secrets.get('PIN')).toBe('1234')
})

test.each([
  ['value\n', 'value'],
  ['value\r\n', 'value'],
  ['value', 'value'],
  ['two\nlines\n\n', 'two\nlines\n'],
  [' spaced ', ' spaced '],
])('a file with %j gives %j', async (content, value) => {
  const file = join(tempDir(), 'secret')
  writeFileSync(file, content)
  expect(await createSecrets({ environment: {}, files: { S: file } }).get('S')).toBe(value)
})

test('a file is read anew each time, so that a secret can be rotated', async () => {
  const file = join(tempDir(), 'secret')
  const secrets = createSecrets({ environment: {}, files: { S: file } })
  for (const value of ['old', 'new']) {
    writeFileSync(file, value)
    expect(await secrets.get('S')).toBe(value)
  }
})

test('what is missing is named, with the places that were looked at', async () => {
  const dir = tempDir()
  mkdirSync(join(dir, 'folder'))
  writeFileSync(join(dir, 'empty'), '\n')
  const files = { A: join(dir, 'nope'), B: join(dir, 'empty'), C: join(dir, 'folder') }
  const secrets = createSecrets({ environment: { EMPTY: '', A: 'not asked' }, files })
  const why = (name: string) =>
    secrets.get(name).catch((error: Error & { code: string }) => `${error.code}: ${error.message}`)
  expect(await why('NOPE')).toBe(
    'invalid: Cannot read secret "NOPE": "NOPE" is not set in the worker\'s environment, and no file is configured for it. Set NOPE where the worker is started, or name a file under [secret_files] in the config',
  )
  expect(await why('EMPTY')).toMatch(/"EMPTY" is empty in the worker's environment/)
  expect(await why('A')).toMatch(/its file ".*nope" does not exist/)
  expect(await why('B')).toMatch(/its file ".*empty" is empty/)
  expect(await why('C')).toMatch(/its file ".*folder" cannot be read \(EISDIR\)/)
  expect(await why('constructor')).toMatch(/is not set/)
})

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findEngine } from '../../src/client/find-engine.ts'

async function folder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sop-find-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return path
}

const ENGINE = JSON.stringify({ url: 'http://127.0.0.1:4711', pid: 1, tokenPath: 'token', temporal: {} })

test('findEngine() reads the URL and the local token of the data directory', async () => {
  const dataDir = await folder({ 'engine.json': ENGINE, token: 'local\n' })
  expect(findEngine({ dataDir })).toEqual({ url: 'http://127.0.0.1:4711', token: 'local' })
})

test('findEngine() takes the default port when no engine ran there', async () => {
  expect(findEngine({ dataDir: await folder() })).toEqual({ url: 'http://127.0.0.1:7780' })
  expect(findEngine({ dataDir: join(await folder(), 'nothing', 'here') })).toEqual({ url: 'http://127.0.0.1:7780' })
})

test('findEngine() prefers what is given, and then needs no file', async () => {
  const dataDir = await folder({ 'engine.json': 'broken' })
  expect(findEngine({ dataDir, url: 'https://sop.example.com', token: 'mine' })).toEqual({
    url: 'https://sop.example.com',
    token: 'mine',
  })
})

test('findEngine() sends the local token to this machine only', async () => {
  const dataDir = await folder({ 'engine.json': ENGINE, token: 'local\n' })
  for (const url of ['http://localhost:1', 'http://127.0.0.1:2', 'http://[::1]:3']) {
    expect(findEngine({ dataDir, url })).toEqual({ url, token: 'local' })
  }
  for (const url of ['https://sop.example.com', 'http://127.0.0.1.evil.example', 'http://10.0.0.1:7780', 'nonsense']) {
    expect(findEngine({ dataDir, url })).toEqual({ url })
  }
})

test('findEngine() sends it to the address that the engine itself wrote', async () => {
  const engine = JSON.stringify({ url: 'http://10.0.0.5:7780', tokenPath: '/nowhere/token' })
  const dataDir = await folder({ 'engine.json': engine, token: 'beside\n' })
  expect(findEngine({ dataDir })).toEqual({ url: 'http://10.0.0.5:7780' })
  const here = await folder({ 'engine.json': JSON.stringify({ url: 'http://10.0.0.5:7780' }), token: 'local\n' })
  expect(findEngine({ dataDir: here })).toEqual({ url: 'http://10.0.0.5:7780', token: 'local' })
})

test('findEngine() takes an empty setting as none', async () => {
  const dataDir = await folder({ 'engine.json': ENGINE, token: '' })
  expect(findEngine({ dataDir, url: '', token: '' })).toEqual({ url: 'http://127.0.0.1:4711' })
})

test.each([
  ['is not JSON', '{', 'it is not JSON'],
  ['has no url', '{}', 'it has no "url"'],
  ['is null', 'null', 'it has no "url"'],
])('findEngine() says so when engine.json %s', async (_name, text, words) => {
  const dataDir = await folder({ 'engine.json': text })
  expect(() => findEngine({ dataDir })).toThrow(words)
  expect(() => findEngine({ dataDir })).toThrow('Restart the engine, or set SOP_URL')
})

test('findEngine() says so when the token cannot be read', async () => {
  const dataDir = await folder()
  await mkdir(join(dataDir, 'token'))
  expect(() => findEngine({ dataDir })).toThrow('SOP_TOKEN gives your own token')
})

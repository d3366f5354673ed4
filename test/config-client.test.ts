import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { readClientConfig } from '../src/config/client-config.ts'

const cwd = '/srv/here'
const from = (files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) => {
  const byPath = new Map(Object.entries(files).map(([path, text]) => [resolve(cwd, path), text]))
  return { env, cwd, readFile: (path: string) => byPath.get(path) }
}

test.each([
  [{}, {}],
  [{ '.env': 'SOP_URL=http://a\nSOP_DIR=x' }, {}],
  [{ 'sop.config.toml': 'data_dir = "d"\nsopDir = "e"\nurl = "https://u"\ntoken = "t"' }, {}],
  [{ 'sop.config.toml': 'data_dir = "d"\nsop_dir = "~/e"' }, { SOP_DATA_DIR: 'f', HOME: '/home/me' }],
  [{ 'c/x.toml': 'data_dir = "d"' }, { SOP_CONFIG: 'c/x.toml', SOP_DIR: '~/s', HOME: '/home/me', SOP_TOKEN: 'v' }],
])('readClientConfig() agrees with readConfig(): %j %j', async (files, env) => {
  const { config } = readConfig(from(files, env))
  const { environment: _, ...client } = await readClientConfig(from(files, env))
  const { dataDir, sopDir, url, token } = config
  expect(client).toEqual({
    dataDir,
    sopDir,
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  })
})

test.each([
  [from({}, { SOP_URL: 'localhost:7780' }), 'Cannot use SOP_URL "localhost:7780"'],
  [from({}, { SOP_CONFIG: 'gone.toml' }), 'Cannot read config "gone.toml": there is no such file'],
  [from({ 'sop.config.toml': 'a = = 1' }), 'Cannot read config "sop.config.toml"'],
])('readClientConfig() refuses what it cannot use', async (sources, message) => {
  await expect(readClientConfig(sources)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining(message) as string,
  })
})

test('readClientConfig() loads neither the schema library nor, without a file, a TOML parser', async () => {
  const { stdout } = await promisify(execFile)('grep', [
    '-hE',
    '^import',
    'src/config/client-config.ts',
    'src/config/environment.ts',
    'src/core/errors.ts',
  ])
  expect(stdout).not.toMatch(/zod|smol-toml|schema|settings/)
})

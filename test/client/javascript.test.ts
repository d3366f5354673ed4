import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as sopEngine from '../../src/client/index.ts'
import { createSopClient } from '../../src/client/index.ts'
import { testApi, type TestApi } from '../support/test-api.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENTRY = join(ROOT, 'src/client/index.ts')

const clientOf = (api: TestApi) => createSopClient({ url: api.url, token: api.local })

describe('docs/javascript.md', () => {
  const page = readFileSync(join(ROOT, 'docs/javascript.md'), 'utf8')
  const examples = [...page.matchAll(/```js\n([\s\S]*?)```\n\nIt prints:\n\n```text\n([\s\S]*?)```/g)].map(
    ([, code = '', output = '']) => ({ code, output }),
  )

  test('has no example that is not run', () => {
    expect(examples.length).toBe(page.split('```js').length - 1)
    expect(examples.length).toBe(3)
  })

  test.each(examples)('example %# prints what it says', async ({ code, output }) => {
    const api = await testApi()
    const folder = await mkdtemp(join(tmpdir(), 'sop-js-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'example.mjs')
    await writeFile(file, code.replaceAll("'sop-engine'", JSON.stringify(pathToFileURL(ENTRY))))
    expect(await runNode(file, folder, { SOP_URL: api.url, SOP_TOKEN: api.local })).toBe(output)
  })

  test('names every call of the client, and no other', () => {
    const client = createSopClient({ url: 'http://127.0.0.1:1', token: 'x' })
    const table = page.slice(page.indexOf('## The calls'), page.indexOf('## Without a client'))
    const named = [...table.matchAll(/[|,] `(\w+)\(/g)].map(([, name]) => name)
    expect(named.sort()).toEqual(Object.keys(client).sort())
  })
})

describe('createSopClient()', () => {
  test('takes params by any of their names, and refuses two', async () => {
    const api = await testApi()
    const client = clientOf(api)
    for (const word of ['params', 'vars', 'variables', 'payload']) {
      await client.execute('deploy', { [word]: { version: '1.2.3' }, skipApproval: false })
      await client.planRun('deploy', { [word]: { version: '1.2.3' } })
    }
    expect(api.client.calls.filter(({ method }) => method === 'createRun').map(({ args }) => args)).toEqual(
      Array.from({ length: 4 }, () => ['deploy', { params: { version: '1.2.3' }, skipApproval: false }]),
    )
    expect(api.client.calls.filter(({ method }) => method === 'planRun').map(({ args }) => args)).toEqual(
      Array.from({ length: 4 }, () => ['deploy', { params: { version: '1.2.3' } }]),
    )
    await expect(client.createRun('deploy', { params: {}, vars: {} })).rejects.toMatchObject({ code: 'invalid' })
  })

  test('has the short names', async () => {
    const api = await testApi()
    const client = clientOf(api)
    await client.list()
    await client.getStatus('deploy')
    await client.cancel('deploy', { rollback: true })
    await client.pause('deploy')
    await client.resume('deploy')
    await client.retry('deploy', { step: 2 })
    expect(api.client.calls.map(({ method, args }) => [method, ...args])).toEqual([
      ['listSops'],
      ['getRunStatus', 'deploy'],
      ['cancelRun', 'deploy', { rollback: true }],
      ['pauseRun', 'deploy', {}],
      ['resumeRun', 'deploy', {}],
      ['retryRun', 'deploy', { step: 2 }],
    ])
    expect(api.actors[0]?.via).toBe('js')
  })

  test('finds the engine of a data directory by its engine.json and local token', async () => {
    const api = await testApi()
    await writeFile(join(api.dataDir, 'engine.json'), JSON.stringify({ url: api.url, tokenPath: 'token' }))
    expect(await createSopClient({ dataDir: api.dataDir, environment: {} }).list()).toHaveLength(1)
    expect(await createSopClient({ environment: { SOP_DATA_DIR: api.dataDir } }).list()).toHaveLength(1)
  })

  test('prefers the environment to engine.json, and options to the environment', async () => {
    const api = await testApi()
    const environment = { SOP_URL: 'http://127.0.0.1:1', SOP_TOKEN: 'wrong', SOP_DATA_DIR: api.dataDir }
    await expect(createSopClient({ environment }).list()).rejects.toMatchObject({ code: 'unavailable' })
    expect(await createSopClient({ environment, url: api.url, token: api.local }).list()).toHaveLength(1)
  })
})

test('the names of the earlier systems are functions of the package', () => {
  for (const name of [
    'createRun',
    'approveStep',
    'rejectStep',
    'getRunStatus',
    'getAuditLog',
    'execute',
    'list',
    'getStatus',
    'cancel',
  ]) {
    expect([name, typeof (sopEngine as Record<string, unknown>)[name]]).toEqual([name, 'function'])
  }
})

test('what a command loads to speak to an engine is nothing but Node and our own small files', () => {
  for (const entry of ['src/client/http.ts', 'src/client/find-engine.ts', 'src/client/index.ts']) {
    const { files, packages } = loadedBy(join(ROOT, entry))
    expect([...packages]).toEqual([])
    const bytes = [...files].reduce((sum, file) => sum + readFileSync(file).length, 0)
    expect([entry, bytes < 60_000]).toEqual([entry, true])
  }
})

/** The files that a module loads at once, and the packages that they name; types and late imports do not count. */
function loadedBy(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const walk = (file: string) => {
    if (files.has(file)) return
    files.add(file)
    for (const [, names = '', from = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (.*?)from '([^']+)'/gms,
    )) {
      const onlyTypes =
        names.startsWith('type ') ||
        names
          .replace(/[{}\s]/g, '')
          .split(',')
          .every((name) => name === '' || name.startsWith('type'))
      if (onlyTypes || from.startsWith('node:')) continue
      if (from.startsWith('.')) walk(join(dirname(file), from))
      else packages.add(from)
    }
  }
  expect(existsSync(entry)).toBe(true)
  walk(entry)
  return { files, packages }
}

function runNode(file: string, cwd: string, env: Record<string, string>): Promise<string> {
  const loader = join(ROOT, 'test/support/register-ts.mjs')
  const child = spawn(process.execPath, ['--import', loader, file], { cwd, env: { PATH: process.env.PATH, ...env } })
  return new Promise((resolve, reject) => {
    let out = ''
    let problems = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      problems += chunk.toString()
    })
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(problems))))
  })
}

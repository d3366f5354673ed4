import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { build } from '../../scripts/build-output.mjs'
import { isBuilt } from '../../scripts/build-stamp.mjs'
import { isSupported } from '../../scripts/node-version.mjs'
import { arePackagesInstalled, explain } from '../../scripts/packages.mjs'
import { withSetupLock } from '../../scripts/setup-lock.mjs'

const REPOSITORY = resolve(import.meta.dirname, '../..')
const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true })
})

const LOCK = JSON.stringify({
  name: 'x',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: {
    '': { name: 'x', version: '1.0.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  },
})

/** A directory with the scripts of the repository and a program of one file. */
function project(files: Readonly<Record<string, string>> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'sop setup ')) // with spaces: a directory may be called anything
  roots.push(root)
  cpSync(join(REPOSITORY, 'scripts'), join(root, 'scripts'), { recursive: true })
  for (const file of ['tsconfig.json', 'tsconfig.build.json']) cpSync(join(REPOSITORY, file), join(root, file))
  const defaults = {
    'package.json': JSON.stringify({ name: 'x', version: '1.0.0', type: 'module', bin: { x: 'dist/cli/main.js' } }),
    'package-lock.json': LOCK,
    'src/cli/main.ts': `#!/usr/bin/env node\nimport { join } from 'node:path'\nconsole.log(join('ran'), ...process.argv.slice(2))\n`,
  }
  for (const [path, text] of Object.entries({ ...defaults, ...files })) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** As if `npm ci` had been done by hand. */
function withPackages(root: string) {
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  for (const name of ['typescript', '@typescript', '@types', 'undici-types']) {
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(root, 'node_modules', name))
  }
  writeFileSync(join(root, 'node_modules/.package-lock.json'), LOCK)
  return root
}

const start = (root: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, [join(root, 'scripts/start.mjs'), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })

test.each([
  ['20.19.0', true],
  ['20.18.3', false],
  ['18.20.8', false],
  ['21.7.3', false],
  ['22.11.0', false],
  ['22.12.0', true],
  ['24.0.0', true],
  ['26.1.0', true],
  ['4.9.1', false],
])('Node %s is supported: %s', (version, expected) => {
  expect(isSupported(version)).toBe(expected)
})

test('start.mjs builds what is missing, runs the command with its arguments, and is quick the second time', () => {
  const root = withPackages(project())
  const first = start(root, ['--help', 'a b'])
  expect(first.stderr).toMatch(/Building …\n(.|\n)*Built in [\d.]+ s\n/)
  expect(first.stderr).not.toContain('\u001b')
  expect(first.stdout).toBe('ran serve --welcome --help a b\n')
  const second = start(root)
  expect([second.stdout, second.stderr]).toEqual(['ran serve --welcome\n', ''])
  expect(statSync(join(root, 'dist/cli/main.js')).mode & 0o111).toBe(0o111)
})

test('the exit code of the command is the exit code of start.mjs', () => {
  expect(start(withPackages(project({ 'src/cli/main.ts': 'process.exitCode = 7\n' }))).status).toBe(7)
})

test('a changed, added or deleted source is built again; an unchanged one is not', async () => {
  const root = withPackages(project({ 'src/a.ts': 'export const a = 1\n' }))
  await build(root)
  expect(isBuilt(root)).toBe(true)
  expect(existsSync(join(root, 'dist/a.js'))).toBe(true)
  writeFileSync(join(root, 'src/page.html'), '<p>')
  expect(isBuilt(root)).toBe(false)
  rmSync(join(root, 'src/a.ts'))
  await build(root)
  expect([existsSync(join(root, 'dist/a.js')), readFileSync(join(root, 'dist/page.html'), 'utf8')]).toEqual([
    false,
    '<p>',
  ])
  writeFileSync(join(root, 'package-lock.json'), `${LOCK}\n`)
  expect(isBuilt(root)).toBe(false)
})

test('a build that fails says why and leaves the old one in place', () => {
  const root = withPackages(project())
  start(root)
  writeFileSync(join(root, 'src/cli/main.ts'), 'const text: string = 1\nconsole.log(text)\n')
  const { status, stderr, stdout } = start(root)
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toContain('Cannot build: the sources do not compile.')
  expect(stderr).toContain('src/cli/main.ts(1,7)')
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(existsSync(join(root, 'dist/cli/main.js'))).toBe(true)
})

test('packages count as installed when npm installed what the lock names, optional ones aside', async () => {
  const root = withPackages(project())
  expect(await arePackagesInstalled(root)).toBe(true)
  writeFileSync(join(root, 'package-lock.json'), LOCK.replace('1.0.0"}', '1.0.1"}'))
  expect(await arePackagesInstalled(root)).toBe(false)
  const other = project()
  expect(await arePackagesInstalled(other)).toBe(false)
  mkdirSync(join(other, 'node_modules'))
  writeFileSync(join(other, 'node_modules/.package-lock.json'), LOCK.replace('"2.0.0"', '"2.0.1"'))
  expect(await arePackagesInstalled(other)).toBe(false)
  writeFileSync(join(other, 'node_modules/.package-lock.json'), LOCK.replace(/,"node_modules\/b".*?\}/, ''))
  expect(await arePackagesInstalled(other)).toBe(true)
})

test('without a network start.mjs says so once, with the way out and without a stack', () => {
  const root = project({
    'package.json': JSON.stringify({ name: 'x', version: '1.0.0', dependencies: { a: '1.0.0' } }),
    'package-lock.json': JSON.stringify({
      name: 'x',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'x', version: '1.0.0', dependencies: { a: '1.0.0' } },
        'node_modules/a': { version: '1.0.0', integrity: 'sha512-AA==' },
      },
    }),
  })
  // Port 9 of this machine: nobody is there, so the connection is refused at once.
  const env = {
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_fetch_retries: '0',
    npm_config_cache: join(root, 'cache'),
  }
  const { status, stderr } = start(root, [], env)
  expect(status).toBe(1)
  expect(stderr).toMatch(/Installing packages \(once; needs the network\) …\n/)
  expect(stderr).toContain('Cannot install the packages: the package registry cannot be reached.')
  expect(stderr).toContain('npm config set registry')
  expect(stderr.match(/Cannot install/g)).toHaveLength(1)
  expect(stderr).not.toContain('file:///')
})

test.each([
  ['npm error code ENOSPC', 1, 'the disk is full'],
  ['npm error code EACCES', 1, 'cannot be written'],
  ['spawn npm ENOENT', 127, 'npm cannot be started'],
  ['npm error code EJSONPARSE', 1, 'npm failed'],
])('what npm says (%s) becomes a reason', (output, code, reason) => {
  expect(explain(output, code)).toContain(reason)
})

test('a second set-up waits for the first, and a dead one does not count', async () => {
  const root = project()
  const order: string[] = []
  let release = () => {}
  const first = withSetupLock(
    root,
    () =>
      new Promise<void>((done) => {
        release = () => {
          order.push('first')
          done()
        }
      }),
  )
  const second = withSetupLock(root, () => Promise.resolve(order.push('second')))
  release()
  await Promise.all([first, second])
  expect(order).toEqual(['first', 'second'])

  const dead = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], { encoding: 'utf8' }).stdout.trim()
  writeFileSync(join(root, '.setup.lock'), dead)
  await withSetupLock(root, () => Promise.resolve(order.push('third')))
  expect(order).toContain('third')
  expect(existsSync(join(root, '.setup.lock'))).toBe(false)
})

test('a set-up that is interrupted leaves neither a lock nor half a build', async () => {
  const root = withPackages(project())
  // A compiler that works but for the sources, which it never ends with: the build is certainly interrupted.
  const endless = join(root, 'node_modules/typescript')
  rmSync(endless)
  mkdirSync(join(endless, 'bin'), { recursive: true })
  writeFileSync(join(endless, 'bin/tsc'), "if (!process.argv.includes('--version')) setInterval(() => {}, 1_000)\n")
  const child = spawn(process.execPath, [join(root, 'scripts/start.mjs')], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const closed = new Promise((done) => child.on('close', done))
  let said = ''
  await new Promise<void>((done) =>
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('Building')) done()
    }),
  )
  child.kill('SIGINT')
  expect(await closed).toBe(130)
  expect(existsSync(join(root, '.setup.lock'))).toBe(false)
  expect(readdirSync(root).filter((name) => name.startsWith('dist'))).toEqual([])
  rmSync(endless, { recursive: true })
  symlinkSync(join(REPOSITORY, 'node_modules/typescript'), endless)
  expect(start(root).stdout).toBe('ran serve --welcome\n')
})

test('a directory that cannot be written is one clear error', async () => {
  await expect(withSetupLock('/proc/nowhere', () => Promise.resolve())).rejects.toThrow(
    /this directory cannot be written .* work in a copy/,
  )
})

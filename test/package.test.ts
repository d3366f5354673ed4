import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const read = (path: string) => readFileSync(resolve(root, path), 'utf8')
const manifest = JSON.parse(read('package.json')) as {
  bin: Record<string, string>
  engines: { node: string }
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  exports: Record<string, { default: string } | string>
}
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<
    string,
    {
      version?: string
      resolved?: string
      integrity?: string
      inBundle?: boolean
      optional?: boolean
      os?: readonly string[]
    }
  >
}
const sourceOf = (built: string) => built.replace(/^(\.\/)?dist\//, 'src/').replace(/\.js$/, '.ts')

test('the lock file names no address, so that it works behind any registry', () => {
  const addressed = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)
  expect(addressed.map(([path]) => path)).toEqual([])
  expect(read('.npmrc')).toContain('omit-lockfile-registry-resolved=true')
})

test('the lock file holds every package to its content, native parts of other systems aside', () => {
  const loose = Object.entries(lock.packages).filter(([path, { integrity }]) => path !== '' && integrity === undefined)
  // A package within another comes with the hash of that one.
  const unguarded = loose.filter(
    ([, { inBundle, optional, os }]) => inBundle !== true && !(optional === true && os !== undefined),
  )
  expect(unguarded.map(([path]) => path)).toEqual([])
  expect(Object.values(lock.packages).filter(({ version }) => version === undefined)).toEqual([])
})

test('every dependency is pinned to one version', () => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
  expect(versions.filter(([, version]) => !/^(?:npm:[\w@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
})

test("all of Temporal's packages have one version", () => {
  const versions = Object.entries(manifest.dependencies).filter(([name]) => name.startsWith('@temporalio/'))
  expect(new Set(versions.map(([, version]) => version)).size).toBe(1)
})

test.each(Object.entries(manifest.bin))('the command %s has a source that begins with a hashbang', (_name, built) => {
  expect(read(sourceOf(built))).toMatch(/^#!\/usr\/bin\/env node\r?\n/)
})

test('the package is the JavaScript client', () => {
  const main = manifest.exports['.']
  expect(existsSync(resolve(root, sourceOf(typeof main === 'string' ? main : (main?.default ?? ''))))).toBe(true)
})

test('every script of package.json starts a file that is there, with Node alone', () => {
  for (const [name, command] of Object.entries(manifest.scripts)) {
    const file = /^(?:exec )?node (\S+)$/.exec(command)?.[1]
    if (name === 'format') expect(command).toMatch(/^biome /)
    else expect(existsSync(resolve(root, file ?? 'none')), `${name}: ${command}`).toBe(true)
  }
})

test('signals that npm gets reach the engine and the tests: no shell stands between', () => {
  for (const name of ['start', 'test']) expect(manifest.scripts[name]).toMatch(/^exec node /)
})

test('.ci/run runs what the README tells people to run', () => {
  expect(read('.ci/run')).toMatch(/^npm test$/m)
  expect(read('README.md')).toContain('npm test')
})

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setUp } from '../../scripts/setup.mjs'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)
const project = mkdtempSync(join(tmpdir(), 'package-'))

beforeAll(async () => {
  await setUp()
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules/sop-engine'))
}, 300_000)
afterAll(() => rmSync(project, { recursive: true }))

const NAMES = [
  'createSopClient',
  'createRun',
  'approveStep',
  'rejectStep',
  'getRunStatus',
  'getAuditLog',
  'execute',
  'list',
  'getStatus',
  'cancel',
]
const print = `console.log(${JSON.stringify(NAMES)}.map((name) => typeof sop[name]).join())`
const functions = NAMES.map(() => 'function').join()

test('the package loads by import', async () => {
  const { stdout } = await run(
    process.execPath,
    ['--input-type=module', '-e', `import * as sop from 'sop-engine'; ${print}`],
    { cwd: project },
  )
  expect(stdout.trim()).toBe(functions)
})

test('the package loads by require', async () => {
  const { stdout, stderr } = await run(process.execPath, ['-e', `const sop = require('sop-engine'); ${print}`], {
    cwd: project,
  })
  expect(stdout.trim()).toBe(functions)
  expect(stderr.replace(/^.*ExperimentalWarning: .*require.*\n.*trace-warnings.*\n/m, '')).toBe('')
})

test("the package's types are found and complete", async () => {
  writeFileSync(
    join(project, 'use.mts'),
    `import { createSopClient, type RunView } from 'sop-engine'\nexport const start = async (): Promise<RunView> => createSopClient({ url: 'http://127.0.0.1:1' }).createRun('x')\n`,
  )
  const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', target: 'es2023', types: [] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.mts'] }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [tsc], { cwd: project }).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
})

test('loading the package loads neither Temporal nor the schema of the configuration', async () => {
  const resolveHook = `import { writeSync } from 'node:fs'
    export async function resolve(specifier, context, next) {
      const found = await next(specifier, context)
      writeSync(1, found.url + '\\n')
      return found
    }`
  const hooks = `import { register } from 'node:module'; register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(resolveHook))})`
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(hooks)}`,
    '--input-type=module',
    '-e',
    `import 'sop-engine'`,
  ]
  const { stdout } = await run(process.execPath, args, { cwd: project })
  expect(stdout).toContain('/dist/client/index.js')
  expect(stdout).not.toMatch(/@temporalio|node_modules\/zod/)
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findViolations } from '../../scripts/check-imports.mjs'
import { RULES } from '../../scripts/import-rules.mjs'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A tree with one file, and what the check says about it. */
function check(path: string, source: string) {
  const root = mkdtempSync(join(tmpdir(), 'check-imports-'))
  folders.push(root)
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), source)
  return findViolations(root)
}

test.each([
  ['src/core/run.ts', `import { readFileSync } from 'node:fs'`],
  ['src/core/run.ts', `import { readFileSync } from 'fs'`],
  ['src/core/run.ts', `import type { Stats } from 'node:fs'`],
  ['src/core/run/x.ts', `import type { SopClient } from '../../client/client.ts'`],
  ['src/core/run.ts', `export * from '@temporalio/common'`],
  ['src/core/run.ts', `import { z } from 'zod'`],
  ['src/core/run.ts', `export const load = () => import('node:fs')`],
  ['src/core/run.ts', `export type A = import('../client/client.ts').SopClient`],
  ['src/core/run.ts', `import '../log.ts'`],
  ['src/core/run.ts', `const fs = require('fs')`],
  ['src/workflows/run-sop.ts', `import { compile } from '../core/compile.ts'`],
  ['src/workflows/run-sop.ts', `import { read } from '../core/dialect/markdown.ts'`],
  ['src/workflows/run-sop.ts', `import { activities } from '../activities/index.ts'`],
  // Under verbatimModuleSyntax this still loads the module at run time.
  ['src/workflows/run-sop.ts', `import { type Activities } from '../activities/index.ts'`],
  ['src/workflows/run-sop.ts', `import { Client } from '@temporalio/client'`],
  ['src/workflows/run-sop.ts', `import { randomUUID } from 'node:crypto'`],
  ['src/activities/shell.ts', `import { fileAudit } from '../adapters/file-audit.ts'`],
  ['src/activities/shell.ts', `import { Worker } from '@temporalio/worker'`],
  ['src/adapters/file-audit.ts', `import { x } from './file-logs.ts'`],
  ['src/adapters/file-audit.ts', `import { x } from '../activities/shell.ts'`],
  ['src/client/temporal.ts', `import { x } from '../worker/worker.ts'`],
  ['src/client/temporal.ts', `import { runSop } from '../workflows/run-sop.ts'`],
  ['src/api/app.ts', `import { Client } from '@temporalio/client'`],
  ['src/api/app.ts', `import { createClient } from '../client/temporal.ts'`],
  ['src/api/app.ts', `import { x } from '../cli/io.ts'`],
  ['src/cli/verbs/run.ts', `import { x } from '../../workflows/messages.ts'`],
  ['src/worker/worker.ts', `import { x } from '../api/app.ts'`],
  ['src/web/page.ts', `import { x } from '../core/run.ts'`],
  ['src/log.ts', `import { x } from './config.ts'`],
  ['src/config/schema.ts', `import { x } from '../engine/parts.ts'`],
  ['src/helpers/x.ts', `import { x } from './y.ts'`],
])('%s may not say: %s', (path, source) => {
  const [violation, ...others] = check(path, `// first line\n${source}\n`)
  expect(others).toEqual([])
  expect(violation).toMatchObject({ file: path, line: 2 })
  expect(violation?.message).toMatch(/may not import|has no rule/)
})

test.each([
  ['src/core/compile.ts', `import { parse } from 'smol-toml'\nimport { x } from './run/run.ts'`],
  [
    'src/workflows/run-sop.ts',
    `import { proxyActivities } from '@temporalio/workflow'\nimport type { A } from '../activities/index.ts'`,
  ],
  ['src/workflows/run-sop.ts', `import { transition } from '../core/run/transition.ts'`],
  ['src/activities/shell.ts', `import { spawn } from 'node:child_process'\nimport type { D } from './deps.ts'`],
  [
    'src/adapters/slack/post.ts',
    `import { sign } from './sign.ts'\nimport { S } from '@slack/web-api'\nimport type { D } from '../../activities/deps.ts'`,
  ],
  [
    'src/client/temporal.ts',
    `import { m } from '../workflows/messages.ts'\nimport type { runSop } from '../workflows/run-sop.ts'`,
  ],
  ['src/cli/main.ts', `const { serve } = await import('../engine/serve.ts')`],
  ['src/engine/parts.ts', `import { Worker } from '@temporalio/worker'\nimport { x } from '../api/main.ts'`],
  ['src/web/page.ts', `import type { RunView } from '../core/run/view.ts'`],
  ['src/core/text.ts', `export const text = "import x from 'node:fs'" // import y from 'node:fs'`],
])('%s may say: %s', (path, source) => {
  expect(check(path, source)).toEqual([])
})

test('the message names the rule that was broken', () => {
  expect(check('src/log.ts', `import 'zod'`)[0]?.message).toBe('"log" may not import "zod". It may import: src/core/')
})

test('every folder of the dependency table has a rule', () => {
  const folders = [
    'core',
    'workflows',
    'activities',
    'adapters',
    'client',
    'triggers',
    'api',
    'cli',
    'mcp',
    'worker',
    'web',
    'engine',
    'config',
    'log',
  ]
  expect(Object.keys(RULES)).toEqual(folders)
})

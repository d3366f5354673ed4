import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RunView } from '../../src/core/run/view.ts'
import { type CompiledCli, compileCli } from './support/compiled-cli.ts'
import { type Asked, type LittleEngine, startLittleEngine } from './support/little-engine.ts'
import { RUN_ID, completed, gate, run, sop as sample, step, summary } from './support/samples.ts'

// The programs as processes of their own, against a server that speaks HTTP.

let cli: CompiledCli
let engine: LittleEngine
let folder: string
let views: RunView[]

const answer = ({ method, path }: Asked): unknown => {
  if (path === '/api/v1/sops')
    return { sops: Array.from({ length: 3_000 }, (_, index) => sample({ name: `sop-${index}` })) }
  if (method === 'POST' && path === '/api/v1/sops/deploy/runs') return run()
  if (/^\/api\/v1\/runs(\?|$)/.test(path)) return { runs: [summary()] }
  if (method === 'POST' && path.endsWith('/approve'))
    return { accepted: true, runId: RUN_ID, status: 'running', gate: '2-deploy', attempt: 1 }
  return views.length > 1 ? views.shift() : views[0]
}

beforeAll(async () => {
  cli = await compileCli()
  engine = await startLittleEngine(answer)
  folder = await mkdtemp(join(tmpdir(), 'sop-cli-home-'))
  await mkdir(join(folder, 'data'))
  await writeFile(join(folder, 'data', 'token'), 'sop_local\n')
  const tokenPath = join(folder, 'data', 'token')
  await writeFile(
    join(folder, 'data', 'engine.json'),
    JSON.stringify({ url: engine.url, pid: process.pid, tokenPath, temporal: {} }),
  )
})
afterAll(async () => {
  await engine.stop()
  await cli.remove()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  views = [completed()]
})

const environment = () => ({
  PATH: process.env.PATH,
  SOP_DATA_DIR: join(folder, 'data'),
  SOP_DIR: join(folder, 'sops'),
  LANG: 'C.UTF-8',
})

const start = (name: string, argv: readonly string[], env: object = {}) =>
  spawn(process.execPath, [cli.program(name), ...argv], {
    cwd: folder,
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

const sop = async (name: string, argv: readonly string[], env: object = {}) => {
  const child = start(name, argv, env)
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (texts.out += chunk))
  child.stderr.on('data', (chunk) => (texts.err += chunk))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { ...texts, code }
}

const shell = (script: string): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const env = { ...environment(), NODE: process.execPath, DIST: cli.program('main').replace(/main\.js$/, '') }
    execFile('bash', ['--norc', '-c', script], { cwd: folder, env }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    )
  })

describe('sop', () => {
  test('finds the engine and its token by engine.json, and says that it is the command line', async () => {
    const { out, code } = await sop('main', ['runs'])
    expect(out).toContain(RUN_ID)
    expect(code).toBe(0)
    expect(engine.asked.at(-1)).toMatchObject({ authorization: 'Bearer sop_local', surface: 'cli' })
  })

  test('takes SOP_URL and SOP_TOKEN from .env', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'sop-cli-env-'))
    await writeFile(join(elsewhere, '.env'), `SOP_URL=${engine.url}\r\nSOP_TOKEN=sop_other\r\n`)
    const child = spawn(process.execPath, [cli.program('main'), 'runs', '--json'], {
      cwd: elsewhere,
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    await new Promise((resolve) => child.on('close', resolve))
    expect(JSON.parse(out)).toEqual([summary()])
    expect(engine.asked.at(-1)?.authorization).toBe('Bearer sop_other')
    await rm(elsewhere, { recursive: true, force: true })
  })

  test('says how to start an engine where there is none', async () => {
    const { err, code, out } = await sop('main', ['status'], {
      SOP_DATA_DIR: join(folder, 'empty'),
      SOP_URL: 'http://127.0.0.1:1',
    })
    expect(err).toContain('sop serve')
    expect({ code, out }).toEqual({ code: 8, out: '' })
  })

  test('ends quietly when its reader goes away', async () => {
    const { out, err, code } = await shell('"$NODE" "$DIST/main.js" list | head -1; echo "${PIPESTATUS[0]}"')
    expect(out).toBe('=== SOP Engine ===\n0\n')
    expect({ err, code }).toEqual({ err: '', code: 0 })
  })

  test('writes all of a long answer into a pipe before it ends', async () => {
    const { out } = await sop('main', ['list', '--json'])
    expect(JSON.parse(out)).toHaveLength(3_000)
  })

  test('leaves the run going on Ctrl-C', async () => {
    views = [run()]
    const child = start('main', ['run', 'deploy', '--wait'])
    let err = ''
    child.stderr.on('data', (chunk) => (err += chunk))
    let out = ''
    let hasSeen = false
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (hasSeen || !out.includes('Step 1: running')) return
      hasSeen = true
      child.kill('SIGINT')
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(130)
    expect(err).toContain('The run goes on.')
    expect(engine.asked.some(({ path }) => path.endsWith('/cancel'))).toBe(false)
  })

  test('prints its version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await sop('main', ['--version'])).toEqual({ out: `sop-engine ${version}\n`, err: '', code: 0 })
  })

  test('shows its configuration with the origin of each value', async () => {
    const { out, code } = await sop('main', ['config', '--json'])
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({ value: join(folder, 'sops'), origin: expect.stringContaining('SOP_DIR') as string }),
    )
    expect(code).toBe(0)
  })

  // The verbs that people type all day must not load what only the engine needs.
  test.each([['list'], ['status'], ['runs'], ['--help']])('%s loads neither Temporal nor zod', async (verb) => {
    const loader = join(folder, 'refuse.mjs')
    await writeFile(
      loader,
      'export const resolve = (name, context, next) => { if (/^(@temporalio|zod|express|markdown-it)/.test(name)) throw new Error(`loaded ${name}`); return next(name, context) }',
    )
    const register = `data:text/javascript,import{register}from'node:module';register(${JSON.stringify(`file://${loader}`)})`
    const { err, code } = await sop('main', [verb], { NODE_OPTIONS: `--import=${encodeURI(register)}` })
    expect({ err: err.replace(/^One run: .*\n/, ''), code }).toEqual({ err: '', code: 0 })
  })
})

describe('a script written against the commands of seed 004', () => {
  test('starts, approves and checks a run', async () => {
    const standing = [step(1, 'success'), step(2, 'awaiting_approval')]
    views = [
      run(),
      run({ status: 'awaiting_approval', openGates: [gate()], stepResults: standing }),
      completed(),
      completed(),
    ]
    const { out, err, code } = await shell(`
      set -euo pipefail
      for name in list create execute approve reject status runs; do
        printf '#!/bin/sh\\nexec "%s" "%s/aliases/sop-%s.js" "$@"\\n' "$NODE" "$DIST" "$name" > "sop-$name"; chmod +x "sop-$name"
      done
      PATH="$PWD:$PATH"
      sop-list > list.txt
      grep -q 'sop-17' list.txt
      run_id=$(sop-execute deploy --payload '{"key": "value"}' 2>/dev/null | grep -o 'sop_run_[0-9A-Za-z]*')
      echo "run $run_id"
      sop-approve "$run_id" > /dev/null 2>&1
      sop-status "$run_id" | grep '^Status:'
      sop-runs --sop deploy | grep -c "$run_id"
    `)
    expect({ out, err, code }).toEqual({ out: `run ${RUN_ID}\nStatus: completed\n1\n`, err: '', code: 0 })
    expect(engine.asked.findLast(({ path }) => path === '/api/v1/sops/deploy/runs')?.body).toEqual({
      params: { key: 'value' },
    })
  })

  test('makes an SOP without an engine, which then is valid', async () => {
    const made = await sop(
      'aliases/sop-create',
      ['my-sop', '--description', 'Tests: "quoted"', '--mode', 'auto', '--priority', 'high'],
      { SOP_URL: 'http://127.0.0.1:1' },
    )
    expect(made.code).toBe(0)
    const text = await readFile(join(folder, 'sops', 'my-sop.md'), 'utf8')
    expect(text).toMatch(/^---\nname: "?my-sop"?\n/)
    expect(text).toContain('execution_mode: auto')
    const again = await sop('aliases/sop-create', ['my-sop'])
    expect(again.code).toBe(7)
    const checked = await sop('main', ['validate', 'my-sop', '--json'], { SOP_URL: 'http://127.0.0.1:1' })
    expect(JSON.parse(checked.out)).toMatchObject({
      ok: true,
      errors: 0,
      sops: [{ name: 'my-sop', path: 'my-sop.md' }],
    })
    expect(checked.code).toBe(0)
  })
})

describe('validate', () => {
  test('prints every finding with a caret and fails', async () => {
    await mkdir(join(folder, 'other'), { recursive: true })
    await writeFile(
      join(folder, 'other', 'bad sop.md'),
      '---\r\nname: bad\r\npriority: sometimes\r\n---\r\n# Bad\r\n\r\n## Step 1: X\r\n\r\n```bash\r\ntrue\r\n```\r\n',
    )
    const { out, code } = await sop('main', ['validate', 'other/bad sop.md'])
    expect(out).toContain('--> other/bad sop.md:3:')
    expect(out).toMatch(/^3 \| priority: sometimes\n\s+\|\s+\^+$/m)
    expect(out).toContain('1 SOP, 1 error, 0 warnings\n')
    expect(code).toBe(1)
    expect((await sop('main', ['validate', 'other'])).code).toBe(1)
  })

  test('looks for the SOPs that steps run: by name, and by path below the SOP directory', async () => {
    const running = (name: string, other: string) =>
      `---\nname: ${name}\n---\n# X\n\n## Step 1: Go\n\n- sop: ${other}\n`
    await mkdir(join(folder, 'sops'), { recursive: true })
    await writeFile(join(folder, 'sops', 'ring-a.md'), running('ring-a', 'ring-b'))
    await writeFile(join(folder, 'sops', 'ring-b.md'), running('ring-b', 'ring-a'))
    await writeFile(join(folder, 'elsewhere.md'), running('elsewhere', 'nobody'))
    const named = await sop('main', ['validate', 'ring-a'])
    expect(named.out).toContain('error[sop-cycle]')
    expect(named.out).toContain('--> ring-a.md:8:8')
    const given = await sop('main', ['validate', 'sops/ring-b.md'])
    expect(given.out).toContain('ring-b runs ring-a runs ring-b')
    expect(given.out).toContain('--> sops/ring-b.md:8:8')
    expect([named.code, given.code]).toEqual([1, 1])
    expect((await sop('main', ['validate', 'elsewhere.md'])).code).toBe(0)
    await rm(join(folder, 'sops', 'ring-a.md'))
    expect((await sop('main', ['validate', 'ring-b'])).out).toContain('error[unknown-sop]')
    await rm(join(folder, 'sops', 'ring-b.md'))
  })

  test('says when there is nothing of that name', async () => {
    const { err, code } = await sop('main', ['validate', 'no-such-sop'])
    expect(err).toContain('Cannot validate "no-such-sop"')
    expect(err).toContain('sop list shows the names')
    expect(code).toBe(6)
  })
})

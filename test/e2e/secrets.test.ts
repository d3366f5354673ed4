import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHome, type Home, type RunningEngine } from '../support/real-engine.ts'
import { testBinary } from '../support/temporal-server.ts'

// What is declared secret leaves the worker's memory only into the step that asked for it.

const MANIFEST = `
[sop]
name = "rotate"
execution_mode = "auto"

[params.password]
secret = true
required = true

[params.user]
default = "ada"
`
const PROCEDURE = `# Rotate the password of {{user}}

## Steps

1. **Log in as {{user}}** [secrets: VAULT_TOKEN, outputs: session]
   \`\`\`bash
   echo "user $user password $password token $VAULT_TOKEN"
   echo "token $VAULT_TOKEN" >&2
   printf '%s' "\${password:0:5}"; sleep 0.3; printf '%s\\n' "\${password:5}"
   echo "session=s-$password-$VAULT_TOKEN" >> "$SOP_OUTPUT"
   printf '%s' "$password-$VAULT_TOKEN" | sha256sum | cut -c1-64
   \`\`\`

2. **Change** [requires_approval: true]
   \`\`\`bash
   echo "changed $password"
   \`\`\`

3. **Fail** [secrets: VAULT_TOKEN]
   \`\`\`bash
   echo "cannot use $VAULT_TOKEN for $password" >&2
   exit 3
   \`\`\`
`
const TOKEN = 'hvs.Q7f9-secret-token'
const PASSWORD = 'correct horse/battery+staple'

let home: Home
let engine: RunningEngine
let [stateDir, auditDir] = ['', '']
beforeAll(async () => {
  home = await createHome({ sops: { 'rotate/SOP.toml': MANIFEST, 'rotate/SOP.md': PROCEDURE } })
  stateDir = join(home.path, 'state')
  auditDir = join(home.path, 'audit')
  engine = await home.serve({
    env: { STATE_DIR: stateDir, AUDIT_DIR: auditDir, VAULT_TOKEN: TOKEN, SOP_LOG_LEVEL: 'debug' },
  })
})
afterAll(() => home?.remove())

const spellings = [TOKEN, PASSWORD].flatMap((secret) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  encodeURIComponent(secret),
])

/** Where one of the secrets stands, in whatever spelling. */
const placesIn = (name: string, bytes: Uint8Array): readonly string[] =>
  spellings.filter((secret) => Buffer.from(bytes).includes(secret)).map((secret) => `${name}: ${secret}`)

const filesBelow = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

test('a declared secret and a secret param are seen by their steps and by nobody else', {
  timeout: 300_000,
}, async () => {
  const vaultDir = join(home.dataDir, 'vault')
  const started = await home.cli('run', 'rotate', '--param', `password=${PASSWORD}`, '--json')
  expect(started).toMatchObject({ code: 0 })
  const { runId } = JSON.parse(started.out) as { runId: string }
  const atGate = await home.runUntil(runId, ({ status }) => status === 'awaiting_approval')

  // The step had them whole, and nobody else: only what it made of them shows that.
  const proof = createHash('sha256').update(`${PASSWORD}-${TOKEN}`).digest('hex')
  expect(atGate.stepResults[0]?.output).toContain(proof)
  expect(atGate.stepResults[0]?.output).toContain('user ada password')
  const kept = (await filesBelow(home.dataDir)).filter((path) => path.startsWith(vaultDir))
  expect(kept).toHaveLength(1)
  for (const path of kept) expect((await stat(path)).mode & 0o077).toBe(0)

  const said: string[] = [started.out, started.err]
  const verbs = [
    ['status', runId],
    ['status', runId, '--json'],
    ['approve', runId],
    ['logs', runId],
    ['audit', runId],
    ['audit', runId, '--json'],
    ['audit', runId, '--long'],
    ['runs'],
    ['history', 'rotate'],
    ['show', 'rotate'],
  ]
  for (const verb of verbs) {
    const { out, err } = await home.cli(...verb)
    said.push(out, err)
  }
  const ended = await home.runUntil(runId, ({ status }) => status === 'failed')
  expect(ended.stepResults[2]).toMatchObject({ status: 'failed', exitCode: 3 })
  for (const verb of verbs) {
    const { out, err } = await home.cli(...verb)
    said.push(out, err)
  }
  expect(said.join('\n')).toContain('cannot use')
  expect(placesIn('command line', Buffer.from(said.join('\n')))).toEqual([])
  expect(placesIn('HTTP', Buffer.from(JSON.stringify(await engine.api('GET', `/api/v1/runs/${runId}`))))).toEqual([])
  expect(placesIn('log of the engine', Buffer.from(engine.said()))).toEqual([])

  const { path: temporal } = await testBinary()
  const show = ['workflow', 'show', '--address', engine.file.temporal.address, '--workflow-id', runId]
  const { stdout: history } = await promisify(execFile)(temporal, [...show, '--output', 'json'], { maxBuffer: 1e8 })
  // The check below looks into payloads: what a step said stands there.
  expect(decoded(history)).toContain('cannot use')
  expect(placesIn('history', Buffer.from(decoded(history)))).toEqual([])

  expect(await engine.end('SIGINT')).toMatchObject({ code: 0 })
  const files = [
    ...(await filesBelow(home.dataDir)).filter((path) => !path.startsWith(vaultDir)),
    ...(await filesBelow(stateDir)),
    ...(await filesBelow(auditDir)),
  ]
  expect(files.some((path) => path.endsWith('.db'))).toBe(true)
  expect(files.some((path) => path.endsWith(`${runId}.jsonl`))).toBe(true)
  const places = await Promise.all(files.map(async (path) => placesIn(path, await readFile(path))))
  expect(places.flat()).toEqual([])
})

/** The history with the payloads in it as text. */
const decoded = (history: string): string =>
  `${history}\n${[...history.matchAll(/"data": ?"([\w+/=]+)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString()).join('\n')}`

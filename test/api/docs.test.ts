import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { STATUSES } from '../../src/api/problem.ts'
import { fakeClient, refusedSample } from '../support/fake-client.ts'
import { testApi } from '../support/test-api.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/http-api.md'), 'utf8')
const examples = [
  ...page.matchAll(/```bash\n(curl[\s\S]*?)```(?:\n\n```(json|text)\n([\s\S]*?)```|\n\nA refused)?/g),
].map(([, command = '', kind, shown = '']) => ({ command, kind, shown }))

describe('docs/http-api.md', () => {
  test('has its examples where this test looks for them', () => {
    expect(examples.length).toBe(page.split('```bash\ncurl').length - 1)
    expect(examples.filter(({ kind }) => kind !== undefined).length).toBeGreaterThanOrEqual(7)
  })

  test.for(examples)('example %# is answered as shown', async ({ command, kind, shown }, { skip }) => {
    if (spawnSync('curl', ['--version']).status !== 0) skip('no curl on this machine')
    const client = fakeClient()
    const approve = client.approveStep
    client.approveStep = async (ref, step, request) => (ref === 'decided' ? refusedSample : approve(ref, step, request))
    const api = await testApi({ client })
    const answer = await bash(command, { SOP_URL: api.url, SOP_TOKEN: api.local })
    if (kind === 'json') expect(JSON.parse(answer)).toMatchObject(JSON.parse(shown))
    else if (kind === 'text') expect(answer).toBe(shown)
    else for (const document of answer.split('}{')) expect(document).toContain('"accepted":true')
  })

  test('gives every code its status', () => {
    for (const [code, status] of Object.entries(STATUSES)) expect(page).toContain(`| \`${code}\` | ${status} |`)
  })
})

function bash(command: string, env: Record<string, string>): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', command], { env: { PATH: process.env.PATH, ...env } })
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

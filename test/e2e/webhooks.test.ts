import { createHmac } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHome, type Home, type RunningEngine, until } from '../support/real-engine.ts'

// Webhooks at the door of the whole engine, which is killed behind it.

const SECRET = 'secret of the hook'

let home: Home
let witness: string
beforeEach(async () => {
  home = await createHome({ env: { HOOK_SECRET: SECRET, SOP_DEFAULT_EXECUTION_MODE: 'auto' } })
  witness = join(home.path, 'witness.txt')
  await writeFile(
    join(home.sopDir, 'hooked.md'),
    `---
name: hooked
triggers:
  - type: webhook
    path: /webhook/deploy
    secret: HOOK_SECRET
---
# Hooked

## Step 1: Witness
\`\`\`bash
echo "$version" >> "${witness}"
\`\`\`
`,
  )
})
afterEach(() => home.remove())

interface Answered {
  readonly status: number
  readonly runId: string
  readonly duplicate: boolean
}

/** One delivery. `onAnswer` is called with the first byte of the answer. */
const deliver = (engine: RunningEngine, id: string, version: string, onAnswer = (): void => {}): Promise<Answered> => {
  const body = JSON.stringify({ version })
  const headers = {
    'Content-Type': 'application/json',
    'X-GitHub-Delivery': id,
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(`${engine.file.url}/webhook/deploy`, { method: 'POST', headers }, (incoming) => {
      onAnswer()
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (piece: string) => {
        text += piece
      })
      incoming.on('end', () => {
        const { runId, status } = JSON.parse(text) as { runId: string; status: string }
        resolve({ status: incoming.statusCode ?? 0, runId, duplicate: status === 'duplicate' })
      })
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

// After a kill neither record nor worker may know of the run for some seconds: what is durable then is its start.
const completed = (runId: string) =>
  until(
    () => home.cli('status', runId, '--json'),
    ({ code, out }) => code === 0 && (JSON.parse(out) as { status: string }).status === 'completed',
    90_000,
  )
const witnessed = async (): Promise<readonly string[]> => (await readFile(witness, 'utf8')).trimEnd().split('\n')

test('a delivery is one run: five times at once, after a restart, and over a kill behind the answer', {
  timeout: 300_000,
}, async () => {
  const first = await home.serve()
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => deliver(first, 'd-1', '1.0')))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202])
  expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1)
  expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
  const runId = answers[0]?.runId ?? ''
  await completed(runId)

  // Killed as soon as the sender has its 202: engine and server, nothing shuts down.
  const server = await first.serverPid()
  const second = await deliver(first, 'd-2', '2.0', () => {
    process.kill(server, 'SIGKILL')
    process.kill(first.pid, 'SIGKILL')
  })
  expect(second).toMatchObject({ status: 202, duplicate: false })
  await first.ended
  await until(home.processes, (left) => left.length === 0)

  const again = await home.serve()
  await completed(second.runId)
  expect(await witnessed()).toEqual(['1.0', '2.0'])
  expect(await deliver(again, 'd-1', '1.0')).toEqual({ status: 202, runId, duplicate: true })
  expect(await deliver(again, 'd-2', '2.0')).toEqual({ status: 202, runId: second.runId, duplicate: true })
  expect(await witnessed()).toEqual(['1.0', '2.0'])

  const deliveries = await until(
    async () => {
      const { out } = await home.cli('triggers', 'deliveries', '--json')
      return JSON.parse(out) as { verdict: string; runId: string; runState: string }[]
    },
    // The list of runs is the record's, which may be a little behind.
    (found) => found.every(({ runState }) => runState === 'completed'),
  )
  expect(deliveries.map(({ verdict }) => verdict)).toEqual([
    'duplicate',
    'duplicate',
    'started',
    ...deliveries.slice(3).map(({ verdict }) => verdict),
  ])
  expect(deliveries).toHaveLength(8)
  expect((await home.cli('triggers')).out).toMatch(/^hooked +webhook +\/webhook\/deploy +.* +duplicate +sop_run_/m)
})

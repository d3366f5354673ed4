import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCli } from '../../src/cli/cli.ts'
import { createHttpClient } from '../../src/client/http.ts'
import { createFakeIo } from '../cli/support/fake-io.ts'
import { createFakePorts } from '../cli/support/fake-ports.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { testApi } from '../support/test-api.ts'

// The faces over a real engine: Temporal, worker, stores, the API on its port, and its clients.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine()
})
afterAll(() => engine.stop())

/** The items that come, as they come. */
const collect = <T>(items: AsyncIterable<T>) => {
  const got: T[] = []
  const done = (async () => {
    for await (const item of items) got.push(item)
  })()
  // A test that fails before it waits for it has said why.
  done.catch(() => undefined)
  return { got, done }
}

test('a run is watched live and controlled from the command line, over the API', async () => {
  engine.add(
    sopOf({
      name: 'live',
      params: [{ name: 'version', type: 'string', required: true }],
      steps: [
        { title: 'Wait', action: bash('echo begun; until [ -e go ]; do sleep 0.05; done; echo ended') },
        {
          title: 'Check',
          action: bash('echo "version $version"; [ "$version" = good ]'),
          onFailure: { kind: 'pause' },
        },
        { title: 'Finish', action: bash('echo finished') },
      ],
    }),
  )
  const api = await testApi({
    clientFor: ({ principal, via }) => engine.as(principal, via),
  })
  const client = createHttpClient({ url: api.url, token: api.local })
  const sop = async (argv: readonly string[], token = api.local) => {
    const io = createFakeIo()
    const connect = async () => createHttpClient({ url: api.url, token, surface: 'cli' })
    const code = await createCli({ io, ports: createFakePorts(undefined, { connect }) }).run(argv)
    return { code, out: io.stdout(), err: io.stderr() }
  }
  const abort = new AbortController()
  const changes = collect(client.followRuns({ signal: abort.signal }))
  const { runId } = await client.createRun('live', { params: { version: 'bad' } })
  const logs = collect(client.followLog(runId))
  const events = collect(client.followRun(runId))
  const text = () => logs.got.map((chunk) => chunk.text).join('')
  await expect.poll(text, { timeout: 20_000 }).toBe('begun\n')

  // In the middle of a step a pause waits for its end.
  expect(await sop(['pause', runId], api.tokenOf.viewer)).toMatchObject({ code: 5, out: '' })
  expect((await sop(['pause', runId, '-r', 'a look first'])).out).toContain('Asked for a pause at the next boundary')
  expect((await sop(['status', runId])).out).toContain('Pausing: at the next boundary')
  await writeFile(join(engine.dataDir, 'go'), '')
  await until(
    () => client.getRunStatus(runId),
    ({ status }) => status === 'paused',
  )
  const paused = await sop(['status', runId])
  expect(paused.out).toMatch(/^Reason: a look first\nPaused: .*, asked for by os-user$/m)
  expect(paused.err).toContain(`Resume:  sop resume ${runId}`)

  // A failed step is retried with another param; resuming it is refused with the way out.
  expect(await sop(['resume', runId])).toMatchObject({ code: 0, out: `Resumed run ${runId}: running\n` })
  await until(
    () => client.getRunStatus(runId),
    ({ paused: pause }) => pause?.kind === 'failed',
  )
  const refused = await sop(['resume', runId])
  expect([refused.code, refused.err]).toEqual([7, expect.stringContaining('retry, skip or cancel it')])
  expect((await sop(['status', runId])).err).toContain(`Retry:   sop retry ${runId}`)
  expect(await sop(['retry', runId, '--param', 'version=good'])).toMatchObject({
    code: 0,
    out: `Retried step 2 of run ${runId}: running\n`,
  })

  // All of it was seen as it happened, and the streams end with the run.
  await Promise.all([logs.done, events.done])
  expect(text()).toBe('begun\nended\nversion bad\nversion good\nfinished\n')
  const { events: recorded } = await client.getAuditLog(runId)
  expect(events.got).toEqual(recorded)
  expect(recorded.map(({ eventType }) => eventType)).toEqual(
    expect.arrayContaining(['pause_requested', 'run_paused', 'run_resumed', 'decision_refused', 'run_retried']),
  )
  expect(recorded.at(-1)).toMatchObject({ eventType: 'run_completed' })
  await expect
    .poll(
      () =>
        changes.got
          .flatMap(({ runs }) => runs)
          .filter((run) => run.runId === runId)
          .at(-1)?.status,
      { timeout: 20_000 },
    )
    .toBe('completed')
  abort.abort()
  await changes.done

  // Who comes back later gets the rest, and who has all of it nothing.
  const rest = collect(client.followRun(runId, { after: recorded.length - 1 }))
  await rest.done
  expect(rest.got).toHaveLength(1)
  const none = collect(client.followRun(runId, { after: recorded.length }))
  await none.done
  expect(none.got).toEqual([])
})

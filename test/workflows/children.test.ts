import { beforeEach, expect, test, vi } from 'vitest'
import type { ChildWork } from '../../src/core/run/child.ts'
import type { ChildResult } from '../../src/core/run/input.ts'
import { Children } from '../../src/workflows/child.ts'
import { sopOf } from '../support/definitions.ts'
import { Play } from '../support/play.ts'

// A sub-SOP that an earlier execution of its parent began: this one has no handle of it. Temporal is played.

const temporal = vi.hoisted(() => ({
  looks: [] as (object | null)[],
  sleeps: [] as { readonly ms: number; readonly end: () => void }[],
  signals: [] as unknown[],
}))
vi.mock('@temporalio/workflow', () => ({
  defineQuery: (name: string) => ({ name }),
  proxyActivities: () => ({ readRunEnd: () => Promise.resolve(temporal.looks.shift() ?? null) }),
  sleep: (ms: number) => new Promise<void>((end) => temporal.sleeps.push({ ms, end })),
  getExternalWorkflowHandle: (runId: string) => ({
    signal: (name: string, message: unknown) => Promise.resolve(temporal.signals.push([runId, name, message])),
  }),
  isCancellation: () => false,
  startChild: () => Promise.reject(new Error('it was begun long ago')),
}))

const CHILD = 'sop_run_test-s1-1'
const host = { run: <T>(work: () => Promise<T>): Promise<T> => work() }
/** A scope that may be cancelled. */
const newScope = () => {
  let cancel: (reason: Error) => void = () => {}
  const cancelRequested = new Promise<never>((_, reject) => {
    cancel = reject
  })
  return { ...host, consideredCancelled: false, cancelRequested, cancel: (reason: Error) => cancel(reason) }
}

let children: Children
let scope: ReturnType<typeof newScope>
const ended = (): Promise<ChildResult> => {
  const action = { kind: 'sop', sop: 'other' } as const
  const { run } = new Play(sopOf({ steps: [{ action }] })).start()
  const pinned = { ...run.seed.pinned, children: { other: run.seed.pinned } }
  const work: ChildWork = { kind: 'child', id: 'child:1#1', step: 1, attempt: 1 }
  const parent = { ...run, seed: { ...run.seed, pinned } }
  return children.run(scope as never, parent, work, () => ({ reason: 'enough' }))
}
/** The default of a second is less than a machine may stand still for. */
const PATIENCE = { timeout: 20_000 }
const looked = (times: number): Promise<void> => vi.waitFor(() => expect(temporal.sleeps).toHaveLength(times), PATIENCE)

beforeEach(() => {
  for (const list of [temporal.looks, temporal.sleeps, temporal.signals]) list.length = 0
  scope = newScope()
  children = new Children(host as never)
  children.goOn({ 'child:1#1': CHILD })
})

test('a sub-SOP of an earlier execution is looked at, ever more rarely, until it has ended', async () => {
  temporal.looks.push(null, null, null, null, null, { outcome: 'failed', reason: 'terminated' })
  const end = ended()
  for (let times = 1; times <= 5; times++) {
    await looked(times)
    temporal.sleeps[times - 1]?.end()
  }
  expect(await end).toEqual({ outcome: 'failed', reason: 'terminated' })
  expect(temporal.sleeps.map(({ ms }) => ms / 1000)).toEqual([60, 120, 240, 480, 600])
})

test('its own word counts at once, and a word about another does not', async () => {
  const end = ended()
  await looked(1)
  expect(children.snapshot()).toEqual({ 'child:1#1': CHILD })
  expect(children.isDetached('child:1#1')).toBe(true)
  const result = { outcome: 'ok', outputs: { a: 1 } }
  for (const message of [undefined, {}, { workId: 'child:1#1' }, { workId: 'child:2#1', result }]) {
    children.receive(message)
  }
  children.receive({ runId: CHILD, workId: 'child:1#1', result })
  expect(await end).toEqual(result)
  expect(children.snapshot()).toEqual({})
})

test('it is told when it has to end, and its end is waited for', async () => {
  temporal.looks.push(null, { outcome: 'cancelled', reason: 'enough' })
  const end = ended()
  await looked(1)
  scope.cancel(new Error('cancelled'))
  await vi.waitFor(() => expect(temporal.signals).toEqual([[CHILD, 'cancel', { reason: 'enough' }]]), PATIENCE)
  temporal.sleeps[0]?.end()
  expect(await end).toEqual({ outcome: 'cancelled', reason: 'enough' })
})

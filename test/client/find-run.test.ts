import { WorkflowNotFoundError } from '@temporalio/client'
import { expect, test } from 'vitest'
import { findRun, type FindDeps, readRun } from '../../src/client/find-run.ts'
import { SopError } from '../../src/core/errors.ts'

const down = new SopError('unavailable', 'Cannot reach the records')
const REMOVAL = {
  sop: 'deploy',
  removedAt: '2026-06-01T00:00:00.000Z',
  reason: 'records are kept for 90 days',
  events: 8,
}
const VIEW = { runId: 'r1', sopName: 'deploy', status: 'running' }

interface World {
  readonly isDown?: boolean
  readonly inTemporal?: boolean
  readonly removed?: boolean
  /** Runs of an SOP, the newest first. */
  readonly runs?: readonly { readonly runId: string; readonly status: string }[]
}

const deps = ({ isDown = false, inTemporal = false, removed = false, runs = [] }: World): FindDeps => {
  const asked = async <T>(value: T): Promise<T> => {
    if (isDown) throw down
    return value
  }
  const found = async <T>(value: T): Promise<T> => {
    if (!inTemporal) throw new WorkflowNotFoundError('not found', 'r1', undefined)
    return value
  }
  return {
    temporal: {
      connection: { withDeadline: async <T>(_at: number, call: () => Promise<T>): Promise<T> => call() },
      workflow: { getHandle: () => ({ describe: () => found({}), query: () => found(VIEW) }) },
    },
    records: {
      audit: { read: () => asked([]), removal: () => asked(removed ? REMOVAL : undefined) },
      index: { get: () => asked(undefined), list: () => asked(runs) },
    },
  } as unknown as FindDeps
}

test('findRun() says of a run whose record was removed when and why, also while Temporal still has it', async () => {
  for (const inTemporal of [false, true]) {
    await expect(findRun(deps({ removed: true, inTemporal }), 'r1')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/8 events was removed on 2026-06-01T.*because records are kept for 90 days/),
    })
  }
})

test('findRun() and readRun() find an open run while the records are out of reach', async () => {
  const away = deps({ isDown: true, inTemporal: true })
  expect(await findRun(away, 'r1')).toBe('r1')
  expect(await readRun(away, 'r1')).toEqual(VIEW)
})

test('findRun() and readRun() say that the records are out of reach where Temporal does not help', async () => {
  const away = deps({ isDown: true })
  await expect(findRun(away, 'deploy')).rejects.toBe(down)
  await expect(readRun(away, 'r1')).rejects.toBe(down)
})

test('findRun() takes the name of an SOP for its one open run, and says where closed ones are listed', async () => {
  const closed = { runId: 'r1', status: 'completed' }
  const runs = [{ runId: 'r2', status: 'awaiting_approval' }, closed]
  expect(await findRun(deps({ runs }), 'deploy')).toBe('r2')
  expect(await findRun(deps({ runs: [closed] }), 'deploy', true)).toBe('r1')
  await expect(findRun(deps({ runs: [closed] }), 'deploy')).rejects.toMatchObject({
    code: 'not_found',
    message: 'Cannot find run "deploy": SOP "deploy" has no open run; sop history deploy lists the closed ones',
  })
})

import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { describe, expect, test } from 'vitest'
import { type ReopenDeps, reopenRun } from '../../src/client/reopen-run.ts'
import type { Decision } from '../../src/core/run/decision.ts'
import type { RecordedEvent } from '../../src/core/run/event.ts'
import { sopOf } from '../support/definitions.ts'
import { failed, ok, Play } from '../support/play.ts'

// reopen-run.test.ts: what keeps a closed run closed before anything is started; test/workflows/reopen.test.ts opens real ones.

const DECISION: Decision = { kind: 'retry', principal: { id: 'bob', kind: 'user' }, via: 'cli', seal: 'sealed' }

interface World {
  /** What Temporal says of the execution; absent: it knows none. */
  readonly execution?: string
  readonly authority?: string
  readonly hasDefinition?: boolean
  readonly lost?: number
}

const ask = async (play: Play, { execution, authority = '', hasDefinition = true, lost }: World = {}) => {
  const kept: string[] = []
  const describeIt = async () => {
    if (execution === undefined) throw new WorkflowNotFoundError('gone', 'sop_run_test', undefined)
    return { status: { name: execution } }
  }
  const deps = {
    temporal: { workflow: { getHandle: () => ({ describe: describeIt }) } } as unknown as Client,
    taskQueue: 'q',
    key: { authority, seal: () => 'seal' },
    pin: { policy: play.seed.pinned.policy },
    records: {
      audit: {
        read: async () =>
          play.events.filter(({ sequence }) => sequence !== lost) as unknown as readonly RecordedEvent[],
        readDefinition: async () => (hasDefinition ? play.seed.pinned : undefined),
      },
    },
  } as unknown as ReopenDeps
  const answer = await reopenRun(deps, 'sop_run_test', DECISION, async () => void kept.push('secret'))
  return { answer, kept }
}

const secret = [{ name: 'token', type: 'string', secret: true }] as const
const failedRun = (params = {}) =>
  new Play(sopOf({ params: secret, steps: [{}, {}] }), { params }).start().ends(ok()).ends(failed())

describe('reopenRun()', () => {
  test.each<[why: string, world: World, code: string, reason: RegExp]>([
    ['that Temporal no longer knows', {}, 'conflict', /beyond the retention of Temporal.*start a new run$/],
    ['of another key', { execution: 'FAILED', authority: 'other' }, 'conflict', /an installation with another key/],
    ['without definition', { execution: 'FAILED', hasDefinition: false }, 'conflict', /definition .* is not on record/],
    ['whose record has a gap', { execution: 'FAILED', lost: 3 }, 'conflict', /is not whole: see sop verify-audit/],
    [
      'whose record does not end',
      { execution: 'TERMINATED', lost: 7 },
      'unavailable',
      /the end of run .* is not on record/,
    ],
  ])('refuses a run %s, and puts no secret anywhere', async (_, world, code, reason) => {
    const play = failedRun()
    expect(play.events).toHaveLength(7)
    const { answer, kept } = await ask(play, world)
    expect(answer).toMatchObject({ reply: { accepted: false, runId: 'sop_run_test', code } })
    expect('reply' in answer ? answer.reply.reason : '').toMatch(reason)
    expect(kept).toEqual([])
  })

  test('refuses a run whose secret params are gone, and names them', async () => {
    const { answer } = await ask(failedRun({ token: '[secret]' }), { execution: 'FAILED' })
    expect(answer).toMatchObject({ reply: { accepted: false, code: 'invalid' } })
    expect('reply' in answer ? answer.reply.reason : '').toMatch(/secret params \(token\).*give them again/)
  })

  test('leaves a run to its workflow where one is running', async () => {
    expect((await ask(failedRun(), { execution: 'RUNNING' })).answer).toEqual({ open: true })
  })
})

import { describe, expect, test } from 'vitest'
import type { RunSeed } from '../../../src/core/run/run.ts'
import { command, sopOf, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const LOG = { logBytes: 7, logSha256: 'ab'.repeat(32), logStored: true } as const
const SUM = { bytes: 7, sha256: LOG.logSha256, stored: true }
const start = (steps: readonly StepSketch[], seed: Partial<RunSeed> = {}) => new Play(sopOf({ steps }), seed).start()
const UNDONE = [
  { rollback: [command('undo')], verify: [command('check')] },
  { onFailure: { kind: 'rollback' } },
] satisfies readonly StepSketch[]

describe('the log of a command stands in the event that tells its end', () => {
  test('of steps that ended well, and that did not', () => {
    const play = start([{}, {}]).ends(ok(LOG)).ends(failed(LOG))
    expect(play.last('step_completed').details.log).toEqual(SUM)
    expect(play.last('step_failed').details.log).toEqual(SUM)
  })

  test('of checks, gates and walks back', () => {
    const play = start(UNDONE)
      .ends(ok(LOG))
      .ends(ok({ ...LOG, logBytes: 8 }))
    expect(play.last('verification_started').details.log).toEqual(SUM)
    expect(play.last('verification_passed').details.log).toEqual({ ...SUM, bytes: 8 })
    play.ends(failed()).ends(ok({ ...LOG, logBytes: 9 }))
    expect(play.last('step_rolled_back').details.log).toEqual({ ...SUM, bytes: 9 })
    const failing = start(UNDONE).ends(ok()).ends(failed(LOG))
    expect(failing.last('verification_failed').details.log).toEqual(SUM)
  })

  test('without saying that the store has it where it may be on its way, and not at all where nothing is known', () => {
    const { logStored: _, ...pending } = LOG
    expect(start([{}]).ends(ok(pending)).last('step_completed').details.log).toEqual({
      bytes: 7,
      sha256: LOG.logSha256,
    })
    expect(
      start([{}])
        .ends(ok({ logBytes: 7 }))
        .last('step_completed').details,
    ).not.toHaveProperty('log')
  })

  test('of a check that is made again not: the lost one may yet write behind it', () => {
    const play = start(UNDONE).ends(ok(LOG)).ends({ outcome: 'lost', error: 'its worker died' }).ends(ok(LOG))
    expect(play.last('verification_passed').details).not.toHaveProperty('log')
  })

  test('of checks and walks back not in a run of older rules, which would tell it otherwise than it did', () => {
    const play = start(UNDONE, { rulesVersion: 5 }).ends(ok(LOG)).ends(ok(LOG)).ends(failed(LOG)).ends(ok(LOG))
    expect(play.last('verification_passed').details).not.toHaveProperty('log')
    expect(play.last('step_rolled_back').details).not.toHaveProperty('log')
    expect(play.last('step_failed').details.log).toEqual(SUM)
  })
})

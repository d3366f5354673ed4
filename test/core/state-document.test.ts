import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/core/run/event.ts'
import { applyToState, STATE_FILE_OUTPUT_CHARS, type StateFold, stateDocument } from '../../src/core/state-document.ts'
import { wholeRun } from '../adapters/support/records.ts'
import { sopOf } from '../support/definitions.ts'
import { failed, ok, Play } from '../support/play.ts'

const documentOf = (events: readonly RunEvent[]) =>
  stateDocument(events.reduce<StateFold | undefined>(applyToState, undefined) as StateFold)

describe('stateDocument()', () => {
  test('is the state file of seed 004, with exactly its keys', () => {
    expect(documentOf(wholeRun('run-1'))).toStrictEqual({
      run_id: 'run-1',
      sop_name: 'deploy',
      status: 'completed',
      current_step: 2,
      started_at: '2026-02-25T13:00:00.000Z',
      payload: { version: '1.2' },
      history: [
        { step: 1, status: 'completed', output: 'built\nall\n', timestamp: '2026-02-25T13:00:05.000Z' },
        { step: 2, status: 'skipped', output: 'condition "x" is false', timestamp: '2026-02-25T13:00:06.000Z' },
      ],
    })
  })

  test('shows what waits for approval, and no longer once it was given', () => {
    const play = new Play(sopOf({ mode: 'step_by_step', steps: [{}, {}] })).start()
    expect(documentOf(play.events)).toMatchObject({
      status: 'awaiting_approval',
      current_step: 1,
      history: [{ step: 1, status: 'pending_approval' }],
    })
    play.decide('approve')
    expect(documentOf(play.events)).toMatchObject({ status: 'running', current_step: 1, history: [] })
    play.ends(ok({ output: 'one' }))
    expect(documentOf(play.events).history).toMatchObject([
      { step: 1, status: 'completed', output: 'one' },
      { step: 2, status: 'pending_approval' },
    ])
  })

  test('shows the approval to begin as step 0', () => {
    const play = new Play(sopOf({ mode: 'supervised', steps: [{}] })).start()
    expect(documentOf(play.events)).toMatchObject({
      status: 'waiting_approval',
      current_step: 0,
      history: [{ step: 0, status: 'pending_approval' }],
    })
    play.decide('approve')
    expect(documentOf(play.events).history).toEqual([])
  })

  test('shows failures and rejections as failed', () => {
    const play = new Play(sopOf({ mode: 'auto', steps: [{ onFailure: { kind: 'pause' } }] })).start().ends(failed())
    expect(documentOf(play.events)).toMatchObject({
      status: 'paused',
      history: [{ step: 1, status: 'failed', output: 'exit code 1' }],
    })
    const gated = new Play(sopOf({ mode: 'step_by_step', steps: [{}] })).start()
    gated.decide('reject', { reason: 'not today' })
    expect(documentOf(gated.events).history).toMatchObject([
      { step: 1, status: 'failed', output: 'rejected by bob: not today' },
    ])
  })

  test('takes the end of a long output', () => {
    const play = new Play(sopOf({ steps: [{}] })).start().ends(ok({ output: `${'😀'.repeat(4000)}x` }))
    const output = documentOf(play.events).history[0]?.output ?? ''
    expect(output.length).toBeLessThanOrEqual(STATE_FILE_OUTPUT_CHARS)
    expect(Buffer.from(output).toString()).toBe(output)
    expect(output.endsWith('😀x')).toBe(true)
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { EventDetails, EventType, RunEvent } from '../../../src/core/run/event.ts'

/** A directory that goes with the test. A readable log, for which nobody waits, may still be on its way. */
export const tempDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'sop-stores-'))
  onTestFinished(() => remove(dir))
  return dir
}

/** What a store still writes behind its appends may come between the last look into a folder and its removal. */
const remove = (dir: string, tries = 20): void => {
  try {
    rmSync(dir, { recursive: true, force: true })
  } catch (error) {
    if (tries === 0) throw error
    remove(dir, tries - 1)
  }
}

const FIRST_MS = Date.UTC(2026, 1, 25, 13, 0, 0)

/** Writes the events of one run, numbering them, one second apart. */
export const runOf = (runId: string, startMs = FIRST_MS) => {
  let sequence = 0
  return <T extends EventType>(eventType: T, details: EventDetails[T], stepNumber?: number): RunEvent =>
    ({
      sequence: ++sequence,
      timestamp: new Date(startMs + (sequence - 1) * 1000).toISOString(),
      eventType,
      runId,
      ...(stepNumber === undefined ? {} : { stepNumber }),
      principal: { id: 'alice', kind: 'user' },
      via: 'cli',
      details,
    }) as RunEvent
}

export const created = (sop = 'deploy'): EventDetails['run_created'] => ({
  sop,
  version: '1.0.0',
  digest: 'd1',
  mode: 'auto',
  effectiveMode: 'auto',
  priority: 'high',
  params: { version: '1.2' },
  trigger: { type: 'manual' },
})

/** The events of a whole run: one step behind a gate, one that is skipped. */
export const wholeRun = (runId: string, startMs?: number): readonly RunEvent[] => {
  const say = runOf(runId, startMs)
  return [
    say('run_created', created()),
    say('run_started', { totalSteps: 2 }),
    say('approval_requested', { gate: '1-build', attempt: 1, title: 'Build', because: 'requires_approval' }, 1),
    say('approval_granted', { gate: '1-build', attempt: 1, comment: 'go' }, 1),
    say('step_started', { title: 'Build', attempt: 1, kind: 'shell' }, 1),
    say(
      'step_completed',
      { title: 'Build', attempt: 1, duration: '1s', duration_ms: 1000, output: 'built\nall\n', exitCode: 0 },
      1,
    ),
    say('step_skipped', { title: 'Notify', reason: 'condition "x" is false', condition: 'x' }, 2),
    say('run_completed', { duration: '7s', duration_ms: 7000, stepsCompleted: 1, stepsSkipped: 1 }),
  ]
}

/** A JSON text as what the test knows it to be. */
export const parsed = <T = Record<string, unknown>>(text: string): T => JSON.parse(text) as T

import type { Case } from './case.ts'
import { CONTROL_CASES } from './control-cases.ts'
import { GATE_CASES } from './gate-cases.ts'
import { LOST_CASES } from './lost-cases.ts'
import { POOL_CASES } from './pool-cases.ts'
import { RECORD_CASES } from './record-cases.ts'
import { ROLLBACK_CASES } from './rollback-cases.ts'
import { START_CASES } from './start-cases.ts'
import { STEP_CASES } from './step-cases.ts'
import { WIDE_CASES } from './wide-cases.ts'

/**
 * All cases of the corpus. A new feature adds a line to one of the lists, or a list of its own, and records it with
 * `UPDATE=1 npx vitest run --project integration test/workflows/replay.test.ts`, which never touches the histories that
 * are there. `test/core/run/corpus.test.ts` says which settings, events and pauses no history has.
 */
export const CASES: readonly Case[] = [
  ...START_CASES,
  ...GATE_CASES,
  ...STEP_CASES,
  ...CONTROL_CASES,
  ...POOL_CASES,
  ...LOST_CASES,
  ...ROLLBACK_CASES,
  ...WIDE_CASES,
  ...RECORD_CASES,
]

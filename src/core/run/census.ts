import { isClosed, type RunState } from './state.ts'
import type { SummaryState } from './summary-state.ts'

/** How many open runs of an SOP are in a state. */
export interface OpenRuns {
  readonly sop: string
  readonly state: RunState
  readonly runs: number
  /** Gates of theirs that wait for a decision. */
  readonly gates: number
  /** Those of them that wait for a slot. */
  readonly queued: number
}

/** The open runs, by SOP and state. */
export const censusOf = (runs: Iterable<SummaryState>): readonly OpenRuns[] => {
  const found = new Map<string, OpenRuns>()
  for (const { sopName: sop, status: state, openGates, queued } of runs) {
    if (isClosed(state)) continue
    const key = `${state}|${sop}`
    const { runs: count = 0, gates = 0, queued: waiting = 0 } = found.get(key) ?? {}
    found.set(key, {
      sop,
      state,
      runs: count + 1,
      gates: gates + openGates.length,
      queued: waiting + (queued === true ? 1 : 0),
    })
  }
  return [...found.values()]
}

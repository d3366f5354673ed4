// waiting.ts: everything that waits for a person. The list of runs says which runs wait; what of them is shown is folded from
// their records when they changed, and kept: what is asked a hundred times is read once.

import { type Actor, assertMay } from '../core/access.ts'
import type { PinnedSop, Run } from '../core/run/run.ts'
import type { RunState } from '../core/run/state.ts'
import type { RunSummary } from '../core/run/view.ts'
import { byUrgency, type WaitingList, waitingIn } from '../core/run/waiting.ts'
import { recordedRun } from './find-run.ts'
import type { Records } from './records.ts'

/** What waits for people. */
export interface WaitingClient {
  /** Most urgent first, at most 200; `mine` says what the actor may answer. Needs: viewer. */
  listWaiting(): Promise<WaitingList>
}

const ITEMS_SHOWN = 200
/** More runs than that nobody reads through; those that wait longest are looked at. */
const RUNS_MOST = 2_000
const READ_AT_ONCE = 16

const WAITING: readonly RunState[] = ['waiting_approval', 'awaiting_approval', 'paused']

interface Known {
  readonly sequence: number
  readonly run: Run
}

export type ReadWaiting = (actor: Actor) => Promise<WaitingList>

/** One for all clients of a process. */
export const createWaiting = (records: Pick<Records, 'audit' | 'index'>, now: () => number = Date.now): ReadWaiting => {
  const known = new Map<string, Known>()
  const definitions = new Map<string, PinnedSop>()
  // Runs of one definition share it.
  const audit: Pick<Records['audit'], 'read' | 'readDefinition'> = {
    read: (runId, after) => records.audit.read(runId, after),
    readDefinition: async (digest) => {
      const found = definitions.get(digest) ?? (await records.audit.readDefinition(digest))
      if (found !== undefined) definitions.set(digest, found)
      return found
    },
  }
  const look = async ({ runId, sequence }: RunSummary): Promise<Run | undefined> => {
    const kept = known.get(runId)
    if (kept !== undefined && kept.sequence >= sequence) return kept.run
    const run = await recordedRun({ audit: { ...records.audit, ...audit } }, runId)
    if (run !== undefined) known.set(runId, { sequence: run.sequence, run })
    return run
  }
  const candidates = async (): Promise<readonly RunSummary[]> => {
    const [standing, moving] = await Promise.all([
      records.index.list({ states: WAITING, limit: RUNS_MOST }),
      records.index.list({ states: ['running'], limit: RUNS_MOST }),
    ])
    return [...standing, ...moving.filter(({ openGates, openInputs = [] }) => openGates.length + openInputs.length > 0)]
  }
  return async (actor) => {
    assertMay(actor, 'listRuns')
    const rows = await candidates()
    const runs = await inTurns(rows, READ_AT_ONCE, look)
    forget(known, new Set(rows.map(({ runId }) => runId)))
    forget(definitions, new Set([...known.values()].map(({ run }) => run.seed.pinned.digest)))
    const at = new Date(now()).toISOString()
    const items = runs.flatMap((run) => (run === undefined ? [] : waitingIn(run, actor, at)))
    return {
      items: byUrgency(items, at).slice(0, ITEMS_SHOWN),
      total: items.length,
      mine: items.filter(({ mine }) => mine).length,
    }
  }
}

const forget = <T>(kept: Map<string, T>, wanted: ReadonlySet<string>): void => {
  for (const key of kept.keys()) if (!wanted.has(key)) kept.delete(key)
}

/** Like Promise.all, with at most so many under way. */
const inTurns = async <T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> => {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}

import type { SopClient } from '../client/client.ts'
import { RESTORE } from '../core/run/principal.ts'

// resume-restored.ts: all runs that a restore paused go on at once. What else a run is paused for, a person answers.

type Client = Pick<SopClient, 'listRunPage' | 'getRunStatus' | 'resumeRun'>

export interface ResumedRuns {
  readonly resumed: readonly string[]
  /** Still paused, and why. */
  readonly left: readonly { readonly runId: string; readonly reason: string }[]
}

/** Runs that are asked for at once. */
const AT_ONCE = 8
const PAGE = 100

/** @throws SopError where the engine does not answer, or the caller may not resume runs */
export const resumeRestored = async (client: Client): Promise<ResumedRuns> => {
  const paused = await pausedRuns(client)
  const [resumed, left]: [string[], { runId: string; reason: string }[]] = [[], []]
  for (let from = 0; from < paused.length; from += AT_ONCE) {
    const answers = await Promise.all(paused.slice(from, from + AT_ONCE).map((runId) => resumeOne(client, runId)))
    for (const { runId, reason } of answers.filter((answer) => answer !== undefined)) {
      if (reason === undefined) resumed.push(runId)
      else left.push({ runId, reason })
    }
  }
  return { resumed, left }
}

/** Undefined where it goes on already: the list is the record's, which is a little behind. */
const resumeOne = async (
  client: Client,
  runId: string,
): Promise<{ readonly runId: string; readonly reason?: string } | undefined> => {
  const { status, paused, reason = 'it is paused' } = await client.getRunStatus(runId)
  if (paused === undefined && status !== 'paused') return undefined
  if (paused?.kind !== 'requested' || paused.by !== RESTORE) return { runId, reason }
  const comment = 'resumed with all runs that the restore paused'
  const decisionId = globalThis.crypto.randomUUID()
  const reply = await client.resumeRun(runId, { comment, decisionId })
  return reply.accepted ? { runId } : { runId, reason: reply.reason ?? 'it was refused' }
}

/** All of them before the first goes on: the list changes with each. */
const pausedRuns = async (client: Client): Promise<readonly string[]> => {
  const found: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await client.listRunPage({
      states: ['paused'],
      limit: PAGE,
      ...(cursor !== undefined && { cursor }),
    })
    found.push(...page.runs.map(({ runId }) => runId))
    cursor = page.next
    if (cursor === undefined) return found
  }
}

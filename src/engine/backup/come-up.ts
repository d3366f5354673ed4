import { WorkflowNotFoundError } from '@temporalio/client'
import { sha256Hex } from '../../core/canonical.ts'
import type { Decision } from '../../core/run/decision.ts'
import { RESTORE } from '../../core/run/principal.ts'
import { isClosed } from '../../core/run/state.ts'
import { personNote } from '../../core/schedule/pause-note.ts'
import { sealedText } from '../../core/seal.ts'
import { createEndedRuns } from '../../client/ended-runs.ts'
import type { HealthCheck } from '../../client/client.ts'
import type { Log } from '../../log.ts'
import type { Parts } from '../parts.ts'
import { readRestored, type Restored, writeRestored } from './restored.ts'

// come-up.ts: what an engine does that comes up from a backup, before its worker takes any work (engine.md 1): the engine that
// the backup is of went on after it, and whatever is under way in the copy may have been done. So schedules are paused, and
// every open run is told to pause, by a signal that it hears before anything else. Done again it changes nothing.

type ComingUp = Pick<Parts, 'temporal' | 'key' | 'stores' | 'schedules'>

/** Who pauses; the note of the schedules names it. */
const BY = { id: RESTORE, kind: 'service', role: 'admin' } as const
const CONFIRM_POLL_MS = 1_000

export interface CameUp {
  readonly restored: Restored
  /** What was called for before then may have been done elsewhere. */
  readonly sinceMs: number
}

/** Undefined where the data directory is a usual one. The instant is kept, so that a second start goes by the same one. */
export const readCameUp = async (dataDir: string, now: Date): Promise<CameUp | undefined> => {
  const found = await readRestored(dataDir)
  if (found === undefined) return undefined
  const restored = { ...found, cameUpAt: found.cameUpAt ?? now.toISOString() }
  if (found.cameUpAt === undefined) await writeRestored(dataDir, restored)
  return { restored, sinceMs: Date.parse(restored.cameUpAt) }
}

/** Pauses everything that could go on by itself; nothing where a person has confirmed already. */
export const holdAll = async (
  parts: ComingUp,
  { restored }: CameUp,
  log: Pick<Log, 'info' | 'warn'>,
): Promise<void> => {
  if (restored.confirmedAt !== undefined) return
  const schedules = await pauseSchedules(parts, restored)
  const runs = await pauseRuns(parts, restored)
  log.warn(
    `This engine came up from a backup of ${restored.backupAt}: ${runs} open runs and ${schedules} schedules are paused, and triggers wait. See what was done after the backup, resume what is still wanted, and confirm: sop restore --confirm (with --resume-runs all of them go on)`,
    { runs, schedules },
  )
}

const pauseSchedules = async ({ schedules: { store } }: ComingUp, { backupAt }: Restored): Promise<number> => {
  let paused = 0
  for (const { id } of await store.list()) {
    for (let tries = 0; tries < 5; tries += 1) {
      const looked = await store.look(id)
      if (looked === undefined || looked === 'foreign' || looked.paused) break
      const note = personNote(BY.id, 'engine', `came up from a backup of ${backupAt}`)
      if ((await store.setPause(looked, { paused: true, note })) !== 'done') continue
      paused += 1
      break
    }
  }
  return paused
}

/** A run that nothing is on record of has not begun in the backup, or was begun by a schedule as the server came up. */
const pauseRuns = async (parts: ComingUp, restored: Restored): Promise<number> => {
  const reason = `the engine came up from a backup of ${restored.backupAt}, and what was done after it is not known here`
  const open = await createEndedRuns(parts.temporal).open()
  for (const runId of open) {
    const known = await parts.stores.index.get(runId)
    if (known !== undefined && (known.status === 'paused' || isClosed(known.status))) continue
    const kind = known === undefined ? 'cancel' : 'pause'
    await signal(
      parts,
      runId,
      kind,
      known === undefined ? `${reason}; retry it if it is still wanted` : reason,
      restored,
    )
  }
  return open.size
}

const signal = async (
  { temporal, key }: ComingUp,
  runId: string,
  kind: 'pause' | 'cancel',
  reason: string,
  { restoredAt }: Restored,
): Promise<void> => {
  // The same at every start, so that a run hears it once.
  const decisionId = `restore-${sha256Hex(`${restoredAt} ${runId}`).slice(0, 24)}`
  const decision: Decision = { kind, reason, decisionId, principal: BY, via: 'engine' }
  const { kind: _, ...argument } = { ...decision, seal: key.seal(sealedText(runId, decision)) }
  try {
    await temporal.workflow.getHandle(runId).signal(kind, argument)
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}

/** Lets schedules go on that were paused by the restore and by nobody since. */
export const releaseSchedules = async ({ schedules: { store } }: Pick<Parts, 'schedules'>): Promise<number> => {
  let resumed = 0
  for (const { id, paused, note } of await store.list()) {
    if (!paused || !note.startsWith(`[${BY.id} via engine]`)) continue
    const looked = await store.look(id)
    if (looked === undefined || looked === 'foreign') continue
    if ((await store.setPause(looked, { paused: false, note: '' })) === 'done') resumed += 1
  }
  return resumed
}

/** Fulfilled once a person has confirmed; never where it is closed before. */
export const whenConfirmed = (dataDir: string): { readonly confirmed: Promise<void>; close(): void } => {
  let timer: NodeJS.Timeout | undefined
  const confirmed = new Promise<void>((resolve) => {
    const look = async (): Promise<void> => {
      if ((await readRestored(dataDir))?.confirmedAt === undefined) return
      clearInterval(timer)
      resolve()
    }
    timer = setInterval(() => void look().catch(() => {}), CONFIRM_POLL_MS)
    timer.unref()
  })
  return { confirmed, close: () => clearInterval(timer) }
}

/** What the health says until somebody has confirmed. */
export const restoredCheck = async (dataDir: string): Promise<Readonly<Record<string, HealthCheck>>> => {
  const restored = await readRestored(dataDir)
  if (restored === undefined || restored.confirmedAt !== undefined) return {}
  const { backupAt, cameUpAt = restored.restoredAt } = restored
  return {
    restored: {
      ok: false,
      since: cameUpAt,
      detail: `this engine came up from a backup of ${backupAt}: its runs and schedules are paused, and triggers wait`,
      help: 'See what was done after the backup, resume the runs that are still wanted (sop resume RUN), or cancel those that are not, and confirm: sop restore --confirm; with --resume-runs all the others go on',
    },
  }
}

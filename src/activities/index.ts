import { rm } from 'node:fs/promises'
import { ApplicationFailure, Context, log } from '@temporalio/activity'
import type { AdmissionAnswer, AdmissionRequest } from '../core/admission.ts'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { closesRun } from '../core/run-document.ts'
import { type ChildOrder, withChildren } from '../core/run/child.ts'
import { BLACKOUT_FACT } from '../core/run/evolve-entry.ts'
import type { ChildResult } from '../core/run/input.ts'
import type { PinnedSop } from '../core/run/run.ts'
import { sealedStart } from '../core/run/seed.ts'
import type { FactsResult, FactsTask, RecordResult, RecordTask } from '../core/run/task.ts'
import { askBlackout } from './blackout.ts'
import { type Commands, createCommands } from './commands.ts'
import type { ActivityDeps, ActivityRef } from './deps.ts'
import { lookAtPool } from './look-at-pool.ts'
import { executionOf } from './execute.ts'
import { adoptCommand, probeCommand, runCommand } from './run-command.ts'
import { runDirOf } from './run-shell.ts'

/** The activities of the engine. Their keys stand in histories: wire format (docs/decisions/0004-event-names.md). */
export const createActivities = (deps: ActivityDeps, commands: Commands = createCommands(deps)) => ({
  /** Runs one signed executable; see `CommandResult`. Failures: `NotSigned`, `NotRepeated`, `WorkerShutdown`. */
  runCommand: runCommand(deps, commands),

  /** Appends events to the record; fails with `RecordDown` where it was asked to be patient. At the end of a run its scratch folder and secret params go. */
  recordAudit: async ({ runId, sop, events, patiently }: RecordTask): Promise<RecordResult> => {
    const ackedSeq = await deps.audit.append({ runId, sop, ...executionOf(Context.current()) }, events)
    if (patiently === true && ackedSeq < (events[0]?.sequence ?? 0)) throw recordIsDown(runId, events)
    const closing = events.find((event) => closesRun(event) && event.sequence <= ackedSeq)
    commands.settle(runId, events, closing !== undefined)
    if (closing !== undefined) await clearRun(deps, runId, closing.eventType !== 'run_failed')
    return { ackedSeq }
  },

  /** Finds, compiles and signs an SOP by name, and keeps the definition in the record. */
  pinSop: async ({ name }: { readonly name: string }): Promise<PinnedSop> =>
    orFailure(async () => {
      const pinned = await deps.pinSop(name)
      await keepDefinitions(deps, pinned)
      return pinned
    }),

  /** Asks for facts. One that has no answer is told in `errors`; the others count. */
  resolveFacts: async ({ names, timezone, calendar }: FactsTask): Promise<FactsResult> => {
    const values: Record<string, Json> = {}
    const errors: Record<string, string> = {}
    const resolve = async (name: string): Promise<void> => {
      try {
        values[name] =
          name === BLACKOUT_FACT && calendar !== undefined
            ? await askBlackout(deps, calendar, timezone ?? 'UTC', new Date())
            : await deps.resolveFact(name, timezone)
      } catch (error) {
        errors[name] = error instanceof Error ? error.message : String(error)
      }
    }
    await Promise.all(names.map(resolve))
    return Object.keys(errors).length === 0 ? { values } : { values, errors }
  },

  /** Asks admission for the run; the verdict comes to the run by signal. */
  requestAdmission: (request: AdmissionRequest): Promise<AdmissionAnswer | undefined> =>
    orFailure(() => deps.admission.request(request)),

  /** Gives the slot of a run away that waits at a gate. */
  yieldSlot: (place: { readonly runId: string; readonly turn: number }): Promise<void> =>
    orFailure(() => deps.admission.yield(place)),

  /** Gives the run's slot back. Harmless where it holds none. */
  releaseAdmission: ({ runId }: { readonly runId: string }): Promise<void> =>
    orFailure(() => deps.admission.release(runId)),

  /** Answers once there is news of a command in a pool's queue; until then it fails, and is tried again. */
  lookAtPool: lookAtPool(deps),
  /** Signs the start of an SOP that a run runs as its step, and hands secret params on to it. */
  prepareChild: (order: ChildOrder): Promise<{ readonly seal: string }> => orFailure(() => prepareChild(deps, order)),

  /** How a run ended; `null` while it is open. */
  readRunEnd: ({ runId }: { readonly runId: string }): Promise<ChildResult | null> =>
    orFailure(async () => (await deps.runEnds.find(runId)) ?? null),

  /** A workflow cannot cancel itself: the server refuses it. */
  requestCancel: ({ runId }: { readonly runId: string }): Promise<void> => orFailure(() => deps.requestCancel(runId)),

  /** Which of the runs are closed or unknown. */
  findGone: ({ runIds }: { readonly runIds: readonly string[] }): Promise<readonly string[]> =>
    orFailure(() => deps.admission.findGone(runIds)),

  /** The host whose worker began an activity, so that it can be asked what became of it; empty where none did. */
  findHost: async (activity: ActivityRef): Promise<{ readonly hostId?: string }> => {
    const hostId = await deps.findHost?.(activity)
    return hostId === undefined ? {} : { hostId }
  },
})

/** What a worker does on its host's own queue; asked for only after another activity was lost. */
export const createHostActivities = (deps: ActivityDeps, commands: Commands) => ({
  /** What this host knows of an execution whose worker was lost. */
  probeCommand: probeCommand(commands),

  /** Waits for a command that this host has. Failures: those of `runCommand`, and `ResultLost`. */
  adoptCommand: adoptCommand(deps, commands),
})

export type Activities = ReturnType<typeof createActivities>
export type HostActivities = ReturnType<typeof createHostActivities>

/** Temporal tries again, which leaves nothing in the run's history. */
const recordIsDown = (runId: string, events: RecordTask['events']): ApplicationFailure =>
  ApplicationFailure.retryable(
    `Cannot write the record of run "${runId}": ${events.length} events wait for it. It is tried again until its store is back`,
    'RecordDown',
  )

/** A definition and those of the SOPs that it runs: their runs have records of their own. */
const keepDefinitions = async ({ audit }: ActivityDeps, pinned: PinnedSop): Promise<void> => {
  for (const each of withChildren(pinned)) await audit.keepDefinition(each)
}

const prepareChild = async ({ vault, seal }: ActivityDeps, order: ChildOrder): Promise<{ readonly seal: string }> => {
  const { runId, sop, parentRunId, input, secrets = {} } = order
  for (const [name, from] of Object.entries(secrets)) {
    const value = await vault.get(parentRunId, from)
    if (value === undefined) {
      throw new SopError(
        'invalid',
        `Cannot hand secret param "${from}" on to SOP "${sop}": this worker does not hold its value any more. Start a new run and give it again`,
      )
    }
    await vault.put(runId, name, value)
  }
  return { seal: seal(sealedStart(runId, sop, input)) }
}

/** A failed run may be retried and looked into, so its scratch folder stays; values of secret params never do. */
const clearRun = async ({ vault, scratchDir }: ActivityDeps, runId: string, isDone: boolean): Promise<void> => {
  try {
    await vault.drop(runId)
    if (isDone) await rm(runDirOf(scratchDir, runId), { recursive: true, force: true })
  } catch (error) {
    log.warn('a closed run could not be cleared away', { runId, error })
  }
}

/** A refusal is final, and its code is the failure's type; what is only unavailable is tried again. */
const orFailure = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SopError)) throw error
    throw ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: error.code !== 'unavailable' && error.code !== 'internal',
      details: [error.details],
      cause: error,
    })
  }
}

import type { SopSketch } from '../../support/definitions.ts'
import type { StartRequest } from '../../../src/client/client.ts'
import { CLOSED_STATES } from '../../../src/core/run/state.ts'
import type { EventType } from '../../../src/core/run/event.ts'
import type { RunView } from '../../../src/core/run/view.ts'
import { type TestEngine, until } from '../../support/engine.ts'

/**
 * One history of the corpus, as a real run makes it: an SOP (its name is the case's, mode `auto` unless it says
 * otherwise), what is done to its run, and where the run stands when its history is taken.
 */
export interface Case extends SopSketch {
  /** Name of the file in `test/fixtures/history`, without its ending. */
  readonly name: string
  readonly until: (run: RunView) => boolean
  readonly start?: StartRequest
  /**
   * `temporal`: started with nothing but the name, as from Temporal's own UI or CLI. `schedule`: by the schedule of its first
   * trigger. `hand-over`: by another execution that handed it over; the engine has no worker then until `play` starts one.
   */
  readonly startIn?: 'temporal' | 'schedule' | 'hand-over'
  /** Whose history is taken: the run's, or that of the workflow that keeps slots, or of another such workflow. */
  readonly of?: 'admission' | { readonly admission: string }
  /** What has to be there before the run starts, e.g. a run that holds the slot. */
  readonly before?: (engine: TestEngine) => Promise<unknown>
  /** Messages to the run after its start. */
  readonly play?: (engine: TestEngine, runId: string) => Promise<unknown>
}

export const isOver = (run: RunView): boolean => CLOSED_STATES.some((state) => state === run.status)

/** Stands at a gate, at a manual step, or paused. */
export const isParked = (run: RunView): boolean =>
  run.openGates.length > 0 || run.openInputs.length > 0 || run.status === 'paused'

export const isPaused = (run: RunView): boolean => run.status === 'paused'

export const DAY_MS = 86_400_000

/** Waits until the record has that many events of a type. */
export const seen = (engine: TestEngine, runId: string, type: EventType, count = 1): Promise<unknown> =>
  until(
    async () => (await engine.client.getAuditLog(runId)).events,
    (events) => events.filter(({ eventType }) => eventType === type).length >= count,
  )

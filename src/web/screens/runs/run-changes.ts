import type { RunSummary } from '../../../core/run/view.ts'
import { useRunChanges as useChanges } from '../../api/live.ts'

/** Tells of runs that change while the screen is open; `isAll` where some may have been missed. */
export function useRunChanges(tell: (runs: readonly RunSummary[], isAll: boolean) => void): void {
  useChanges(({ runs, reset }) => {
    if (runs.length > 0 || reset === true) tell(runs, reset === true)
  })
}

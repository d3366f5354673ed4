import type { RunSummary } from '../../core/run/view.ts'
import type { RunLook } from './run-view.ts'
import { renderState } from './state.ts'
import { renderTable } from './table.ts'
import { renderDuration, renderInstant } from './time.ts'

/** Runs as a table, one a line. */
export const renderRunList = (runs: readonly RunSummary[], { colours, now, long }: RunLook): string => {
  const headings = [
    'RUN ID',
    'SOP',
    'STATUS',
    'STEP',
    'CREATED',
    'TOOK',
    'BY',
    'WAITS FOR',
    ...(long ? ['TRIGGER', 'REASON'] : []),
  ]
  return renderTable(
    headings.map((heading) => colours.dim(heading)),
    runs.map((run) => [
      run.runId,
      `${run.sopName} ${run.version}`,
      renderState(colours, run.status),
      `${run.currentStep ?? '-'}/${run.totalSteps}`,
      renderInstant(run.createdAt, now, long),
      tookOf(run),
      run.startedBy,
      [...run.openGates, ...(run.poolWaits ?? []).map((pool) => `pool ${pool}`)].join(', ') || '-',
      ...(long ? [run.trigger, run.reason ?? '-'] : []),
    ]),
  )
}

const tookOf = ({ startedAt, completedAt }: RunSummary): string =>
  startedAt === undefined || completedAt === undefined
    ? '-'
    : renderDuration(Date.parse(completedAt) - Date.parse(startedAt))

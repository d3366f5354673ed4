import type { MetricsReport } from '../../client/client.ts'
import { formatDuration } from '../../core/duration.ts'
import type { Durations, RunFigures, StepFigures } from '../../core/metrics/report.ts'
import type { Colours } from '../context.ts'
import { fit, renderTable } from './table.ts'

const TITLE_COLUMNS = 40

/** The figures as tables: by SOP, or of one SOP by step and with who was waited for. */
export const renderMetrics = (report: MetricsReport, colours: Colours): string => {
  const { days, from, to, sop, sops, steps, total } = report
  const span = `the last ${days} days (${from} to ${to}, UTC)`
  if (sops.length === 0) {
    const what = sop === null ? 'No runs' : `No runs of ${sop}`
    return `${what} in ${span}. Start one: sop run ${sop ?? 'NAME'}`
  }
  const heads = (...names: readonly string[]): string[] => names.map((heading) => colours.dim(heading))
  const runs = renderTable(
    heads('SOP', 'RUNS', 'DONE', 'FAILED', 'CANCELLED', 'SUCCESS', 'WORK p50/p95', 'TOTAL p50/p95', 'PEOPLE'),
    [
      ...sops.map((each) => runRow(each.sop, each, colours)),
      ...(sops.length > 1 ? [runRow('all', total, colours)] : []),
    ],
  )
  const approvals = renderTable(
    heads('SOP', 'APPROVED', 'REJECTED', 'BY TIMER', 'WAITED p50/p95', 'SKIPS', 'RETRIES', 'FORCED', 'UNASKED'),
    [...sops.map((each) => approvalRow(each.sop, each)), ...(sops.length > 1 ? [approvalRow('all', total)] : [])],
  )
  const parts = [`Runs of ${span}`, runs, approvals]
  if (steps.length > 0) {
    parts.push(
      renderTable(
        heads(
          'STEP',
          'TITLE',
          'RUN',
          'FAILED',
          'RETRIES',
          'SKIPS',
          'TOOK p50/p95',
          'APPROVAL p50/p95',
          'BY TIMER',
          'BY HAND p50/p95',
        ),
        steps.map(stepRow),
      ),
    )
  }
  if (report.decidedBy.length > 0) {
    parts.push(
      renderTable(
        heads('DECIDED BY', 'APPROVED', 'REJECTED', 'WAITED p50/p95', 'IN ALL'),
        report.decidedBy.map(({ who, approved, rejected, wait }) => [
          who,
          String(approved),
          String(rejected),
          both(wait),
          rounded(wait.totalMs),
        ]),
      ),
    )
  }
  if (report.waitedFor.length > 0) {
    parts.push(
      renderTable(
        heads('WAITED FOR', 'GATES', 'WAITED p50/p95', 'IN ALL'),
        report.waitedFor.map(({ who, wait }) => [who, String(wait.count), both(wait), rounded(wait.totalMs)]),
      ),
    )
  }
  return parts.join('\n\n')
}

const runRow = (sop: string, figures: RunFigures, colours: Colours): string[] => [
  sop,
  String(figures.created),
  String(figures.completed),
  figures.failed > 0 ? colours.red(String(figures.failed)) : '0',
  String(figures.cancelled),
  percent(figures.successRate),
  both(figures.working),
  both(figures.elapsed),
  percent(figures.people.attendedRate),
]

const approvalRow = (
  sop: string,
  { approvals, skippedSteps, retries, forced, approvalsSkipped, people }: RunFigures,
): string[] => [
  sop,
  approvalsSkipped > 0 ? `${approvals.approved} (+${approvals.skipped} skipped)` : String(approvals.approved),
  String(approvals.rejected),
  String(approvals.approvedByTimer + approvals.rejectedByTimer),
  both(approvals.wait),
  String(skippedSteps.byCondition + skippedSteps.byPerson + skippedSteps.otherwise),
  String(retries.byEngine + retries.byPerson),
  String(forced),
  percent(people.unplannedRate),
]

const stepRow = ({
  step,
  title,
  started,
  failed,
  retries,
  skipped,
  duration,
  approvals,
  inputWait,
}: StepFigures): string[] => [
  String(step),
  fit(title, TITLE_COLUMNS),
  String(started),
  String(failed),
  String(retries.byEngine + retries.byPerson),
  String(skipped.byCondition + skipped.byPerson + skipped.otherwise),
  both(duration),
  both(approvals.wait),
  String(approvals.approvedByTimer + approvals.rejectedByTimer),
  both(inputWait),
]

const both = ({ p50Ms, p95Ms }: Durations): string =>
  p50Ms === null || p95Ms === null ? '-' : `${rounded(p50Ms)} / ${rounded(p95Ms)}`

/** To about as much as is known of it: `840ms`, `3.9s`, `4m12s`, `2h5m`. */
const rounded = (ms: number): string => {
  if (ms < 1_000) return `${ms}ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`
  const unitMs = ms < 3_600_000 ? 1_000 : 60_000
  return formatDuration(Math.round(ms / unitMs) * unitMs)
}

const percent = (share: number | null): string => (share === null ? '-' : `${Math.round(share * 100)} %`)

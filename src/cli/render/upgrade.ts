import type { Colours } from '../context.ts'
import type { CheckedUpgrade } from '../ports.ts'
import { oneLine } from './table.ts'

type CheckedRun = CheckedUpgrade['broken'][number]
type Finding = CheckedRun['breaks'][number]

/** What an upgrade would do to the open runs: those that would break, each with why, and a closing line. */
export const renderUpgrade = (report: CheckedUpgrade & { readonly ok: boolean }, colours: Colours): string =>
  [
    ...report.broken.flatMap((run) => renderRun(run, run.breaks, colours.red('would break'), colours)),
    ...report.noted.flatMap((run) => renderRun(run, run.notes, colours.yellow('says more'), colours)),
    ...closing(report, colours),
  ].join('\n')

const renderRun = (
  { runId, sop, status }: CheckedRun,
  findings: readonly Finding[],
  word: string,
  colours: Colours,
): readonly string[] => [
  `${colours.bold(oneLine(runId))}${sop === undefined ? '' : ` ${oneLine(sop)}`}${status === undefined ? '' : ` (${status})`}: ${word}`,
  ...findings.flatMap((finding) => renderFinding(finding, colours)),
  '',
]

const renderFinding = ({ kind, message, eventId, differences }: Finding, colours: Colours): readonly string[] => [
  `  ${kind}: ${oneLine(message)}${eventId === undefined ? '' : ` (event ${eventId})`}`,
  ...(differences ?? []).map(
    ({ path, was, would }) =>
      `    ${oneLine(path === '' ? 'value' : path)}: ${colours.dim(oneLine(was ?? 'nothing'))} → ${oneLine(would ?? 'nothing')}`,
  ),
]

const closing = (
  { temporal, checked, closed, broken, noted, comparedWith, ok }: CheckedUpgrade & { readonly ok: boolean },
  colours: Colours,
): readonly string[] => {
  const where = `${temporal.address}, namespace ${temporal.namespace}, task queue ${temporal.taskQueue}`
  const more = closed === 0 ? '' : `; ${closed} closed meanwhile`
  const against = `compared with the running worker: ${comparedWith.run}, with the record: ${comparedWith.record}, with neither: ${comparedWith.nothing}`
  const verdict = ok
    ? colours.green('This build can take over.')
    : `${colours.red(`Do not upgrade: ${broken.length > 0 ? `${broken.length} would break` : `${noted.length} differ, and --strict was asked for`}.`)} See docs/operations.md, "Upgrading"`
  return [`Replayed ${checked} open runs of ${where}${more} (${against})`, verdict]
}

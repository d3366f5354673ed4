import type { AuditCheck, Finding, RunCheck } from '../../client/verify-client.ts'
import type { ExportCheck } from '../../core/verify/export.ts'
import type { Colours } from '../context.ts'
import { oneLine } from './table.ts'

export interface VerifiedLook {
  readonly colours: Colours
  readonly utf8: boolean
  /** With notices. */
  readonly long: boolean
}

interface Verified {
  readonly ok: boolean
  readonly audit?: AuditCheck
  readonly runs: readonly (RunCheck | ExportCheck)[]
}

/** Of one run, or of all, what is wrong and where; at last what was checked. */
export const renderVerified = ({ audit, runs, ok }: Verified, look: VerifiedLook): string =>
  [
    ...runs.flatMap((run) => [...renderRun(run, look), '']),
    ...(audit === undefined ? [] : [...renderStore(audit, look), ...renderTotals(audit, runs, look)]),
    ...(audit === undefined && runs.length > 1 ? [verdict(ok, look, `${runs.length} records`)] : []),
  ]
    .join('\n')
    .trimEnd()

const renderRun = (run: RunCheck | ExportCheck, look: VerifiedLook): readonly string[] => {
  const { runId, sop, ok, events, sealedTo, history, findings } = run
  const named = `${look.colours.bold(oneLine(runId))}${sop === undefined ? '' : ` ${oneLine(sop)}`}`
  const witnesses = [
    sealedTo === 0 ? 'no signed head vouches for it' : `signed heads vouch for event 1 to ${sealedTo}`,
    {
      compared: "as the workflow's history has it",
      gone: 'Temporal does not know it any more',
      unavailable: 'Temporal could not be asked',
      skipped: '',
    }[history],
    'exportedAt' in run && run.exportedAt !== undefined ? `exported ${run.exportedAt}` : '',
  ].filter((text) => text !== '')
  const head = ok
    ? `${named}: ${look.colours.green('the record is whole')}: ${events} events; ${witnesses.join('; ')}`
    : `${named}: ${look.colours.red(`${count(findings, 'problem')} found`)}`
  const shown = findings.filter(({ severity }) => severity === 'problem' || look.long)
  return [head, ...shown.map((finding) => renderFinding(finding, look))]
}

const count = (findings: readonly Finding[], word: string): string => {
  const problems = findings.filter(({ severity }) => severity === 'problem').length
  return plural(problems, word)
}

const renderFinding = ({ severity, kind, message, file, line }: Finding, { colours }: VerifiedLook): string => {
  const place = file === undefined ? '' : `${oneLine(file)}${line === undefined ? '' : `:${line}`}: `
  const word = severity === 'problem' ? colours.red(kind) : colours.dim(`note, ${kind}`)
  return `  ${word}: ${place}${oneLine(message)}`
}

const renderStore = ({ findings }: AuditCheck, look: VerifiedLook): readonly string[] =>
  findings.length === 0
    ? []
    : [
        `${look.colours.bold('Chain of heads')}: ${look.colours.red(`${count(findings, 'problem')} found`)}`,
        ...findings.map((each) => renderFinding(each, look)),
        '',
      ]

const renderTotals = (audit: AuditCheck, runs: readonly RunCheck[], look: VerifiedLook): readonly string[] => {
  const { history, heads, notices } = audit
  const noted = Object.entries(notices).map(([kind, number]) => `${number} ${kind}`)
  return [
    `Checked ${plural(audit.runs, 'record')} with ${plural(audit.events, 'event')}, ${history.compared} of them against the workflow's history${history.unavailable > 0 ? `, ${history.unavailable} could not be: Temporal did not answer` : ''}`,
    ...(noted.length === 0 ? [] : [`Good to know: ${noted.join(', ')} (see docs/operations.md, "Checking records")`]),
    `Chain of heads: ${heads.entries} entries, signed with ${heads.key}`,
    `Its end, to be noted elsewhere and given back with --head: ${heads.end.index}:${heads.end.hash}`,
    verdict(audit.ok, look, audit.ok ? '' : `${plural(audit.problems, 'problem')}, ${inWhat(audit, runs)}`),
  ]
}

const plural = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`

const inWhat = ({ findings }: AuditCheck, runs: readonly RunCheck[]): string =>
  [
    ...(runs.length > 0 ? [`in ${plural(runs.length, 'record')}`] : []),
    ...(findings.length > 0 ? ['in the chain of heads'] : []),
  ].join(' and ')

const verdict = (ok: boolean, { colours }: VerifiedLook, about: string): string =>
  ok ? colours.green('Nothing is wrong.') : colours.red(`Something is wrong: ${about}.`)

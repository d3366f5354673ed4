import { shellWord } from '../../core/shell-word.ts'
import type { Verb } from '../command.ts'
import { UsageError } from '../exit-codes.ts'
import { cleanText } from '../render/clean.ts'
import { type ResumedRuns, resumeRestored } from '../resume-restored.ts'

export interface RestoreOptions {
  readonly to?: string
  readonly confirm?: boolean
  readonly resumeRuns?: boolean
}

export const restore: Verb<RestoreOptions> = async (context, [file], { to, confirm, resumeRuns }) => {
  if (confirm === true) {
    if (file !== undefined || to !== undefined)
      throw new UsageError('Cannot use --confirm with a file or --to: it is for afterwards')
    const confirmed = await context.ports.confirmRestore()
    const runs = resumeRuns === true ? await resumeRestored(await context.client()) : undefined
    context.show({ ...confirmed, ...runs }, ({ dataDir, backupAt }) =>
      [
        `Confirmed: the engine of ${dataDir}, restored from a backup of ${backupAt}, takes up its schedules and triggers.`,
        ...(runs === undefined
          ? [
              'Runs stay paused until they are resumed: sop runs --state paused. All at once: sop restore --confirm --resume-runs',
            ]
          : resumedLines(runs)),
      ].join('\n'),
    )
    return undefined
  }
  if (resumeRuns === true) throw new UsageError('Cannot use --resume-runs without --confirm: it is for afterwards')
  if (file === undefined || to === undefined)
    throw new UsageError('Cannot restore without a file and a place: sop restore FILE --to DIR')
  context.show(await context.ports.restore(file, to), ({ dataDir, backupAt, files }) =>
    [
      `Restored ${files} files of ${backupAt} to ${dataDir}.`,
      'Never start it beside the engine that it is a copy of: both would carry out the same runs.',
      `Start it: SOP_DATA_DIR=${shellWord(dataDir)} sop serve. It comes up with everything paused; sop health says how to go on.`,
    ].join('\n'),
  )
  return undefined
}

const resumedLines = ({ resumed, left }: ResumedRuns): readonly string[] => [
  `${resumed.length} ${resumed.length === 1 ? 'run goes' : 'runs go'} on.`,
  ...(left.length === 0
    ? []
    : ['Still paused:', ...left.map(({ runId, reason }) => `  ${runId}: ${cleanText(reason)}`)]),
]

import { shellWord } from '../../core/shell-word.ts'
import type { Verb } from '../command.ts'
import { UsageError } from '../exit-codes.ts'

export interface RestoreOptions {
  readonly to?: string
  readonly confirm?: boolean
}

export const restore: Verb<RestoreOptions> = async (context, [file], { to, confirm }) => {
  if (confirm === true) {
    if (file !== undefined || to !== undefined)
      throw new UsageError('Cannot use --confirm with a file or --to: it is for afterwards')
    context.show(
      await context.ports.confirmRestore(),
      ({ dataDir, backupAt }) =>
        `Confirmed: the engine of ${dataDir}, restored from a backup of ${backupAt}, takes up its schedules and triggers. Runs stay paused until they are resumed: sop runs --state paused`,
    )
    return undefined
  }
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

import { formatSize } from '../../core/size.ts'
import type { Verb } from '../command.ts'

export interface BackupOptions {
  readonly out?: string
}

export const backup: Verb<BackupOptions> = async (context, _args, { out = '.' }) => {
  const made = await context.ports.backUp(out)
  context.show(made, ({ file, bytes, files, at, pausedMs }) =>
    [
      `Backed up to ${file} (${formatSize(bytes)}, ${files} files, as of ${at}).`,
      pausedMs === undefined ? 'No engine was running.' : `Temporal stood still for ${pausedMs} ms.`,
      'It holds the key of this installation: keep it safe. Restore it with: sop restore FILE --to DIR',
    ].join('\n'),
  )
  return undefined
}

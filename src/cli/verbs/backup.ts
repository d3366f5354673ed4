import { formatSize } from '../../core/size.ts'
import type { Verb } from '../command.ts'

export interface BackupOptions {
  readonly out?: string
}

export const backup: Verb<BackupOptions> = async (context, _args, { out = '.' }) => {
  const made = await context.ports.backUp(out)
  context.show(made, ({ file, bytes, files, at, pausedMs, head }) =>
    [
      `Backed up to ${file} (${formatSize(bytes)}, ${files} files, as of ${at}).`,
      pausedMs === undefined ? 'No engine was running.' : `Temporal stood still for ${pausedMs} ms.`,
      ...(head === undefined
        ? []
        : [`Its chain of heads ends with ${head.index}:${head.hash}: note it elsewhere, for sop verify-audit --head`]),
      'It holds the key of this installation: keep it safe. Restore it with: sop restore FILE --to DIR',
    ].join('\n'),
  )
  return undefined
}

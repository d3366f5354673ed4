import { encodeFileName } from '../../core/file-name.ts'
import { EXPORT_SUFFIX } from '../../core/verify/export.ts'
import type { Verb } from '../command.ts'
import { shellWord } from '../render/shell-word.ts'

export const exportRun: Verb<{ readonly out?: string }> = async (context, [ref = ''], { out }) => {
  const client = await context.client()
  if (out === '-') {
    for await (const line of client.exportRun(ref)) await context.io.write(line)
    return undefined
  }
  const { runId } = await client.getRunStatus(ref)
  const file = out ?? `${encodeFileName(runId)}${EXPORT_SUFFIX}`
  const { bytes } = await context.ports.exports.save(file, client.exportRun(runId))
  context.show({ runId, file, bytes }, (clean) => `Exported run ${clean.runId} to ${clean.file} (${clean.bytes} bytes)`)
  context.hint(`Check it anywhere: sop verify-audit ${shellWord(file)}`)
  return undefined
}

import { SopError } from '../../core/errors.ts'
import type { Verb } from '../command.ts'
import { renderSop } from '../render/sop.ts'

export const show: Verb<{ readonly source?: boolean }> = async (context, [name = ''], { source }) => {
  const client = await context.client()
  const sop = await client.getSop(name)
  if (source !== true) {
    context.show(sop, (clean) => renderSop(clean, context.colours))
    return undefined
  }
  const files = Object.entries(sop.source ?? {})
  if (files.length === 0)
    throw new SopError('not_found', `Cannot show the source of SOP "${name}": the engine does not hand it out`)
  context.show(sop.source, () => '')
  // One file goes out as it is, so that it can be redirected into a file; several need to be told apart.
  if (!context.json)
    context.show(files, (clean) =>
      clean.map(([file, text]) => (clean.length === 1 ? text : `--- ${file} ---\n${text}`)).join('\n'),
    )
  return undefined
}

import { renderCompletion, type Shell } from '../completion.ts'
import type { Verb } from '../command.ts'

export const completion: Verb = async (context, [shell = 'bash']) => {
  const script = renderCompletion(shell as Shell)
  context.show({ shell, script }, () => script)
  return undefined
}

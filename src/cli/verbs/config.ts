import { SopError } from '../../core/errors.ts'
import type { Verb } from '../command.ts'
import { renderTable } from '../render/table.ts'

export const config: Verb = async (context, [wanted]) => {
  const all = await context.ports.settings()
  const settings = wanted === undefined ? all : all.filter(({ key }) => key === wanted || key.startsWith(`${wanted}.`))
  if (settings.length === 0)
    throw new SopError(
      'not_found',
      `Cannot show setting "${wanted ?? ''}": there is none of that name. All of them: sop config`,
    )
  context.show(settings, (clean) =>
    renderTable(
      ['SETTING', 'VALUE', 'FROM'].map((heading) => context.colours.dim(heading)),
      clean.map(({ key, value, origin }) => [key, textOf(value), origin]),
    ),
  )
  return undefined
}

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

import type { PlanItem, RunPlan } from '../../client/client.ts'
import type { Colours } from '../context.ts'
import { renderValues } from './json-value.ts'
import { oneLine, renderFacts } from './table.ts'

/** The dry run: what would happen, in order, and what stands in the way. */
export const renderPlan = (plan: RunPlan, colours: Colours): string => {
  const facts = renderFacts([
    ['SOP', plan.sop],
    ['Mode', plan.mode],
    ['Params', renderValues(plan.params)],
    ['Digest', plan.digest],
  ])
  const verdict = plan.wouldStart
    ? colours.green('It would start. Nothing was started.')
    : colours.red('It would not start:')
  return [
    `Dry run\n${facts}`,
    plan.items.map((item) => renderItem(item, colours)).join('\n'),
    plan.warnings.map((warning) => `${colours.yellow('Warning:')} ${oneLine(warning)}`).join('\n'),
    [verdict, ...plan.problems.map((problem) => `  - ${oneLine(problem)}`)].join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

const renderItem = (item: PlanItem, colours: Colours): string => {
  const isStep = item.kind === 'step'
  const head = isStep
    ? `${item.id}. ${colours.bold(oneLine(item.title))} (${item.action ?? 'step'})`
    : `${colours.yellow('Gate')} ${item.id}: ${oneLine(item.title)}`
  const lines = [
    `${head}${item.runs === 'yes' ? '' : colours.dim(item.runs === 'no' ? ' - skipped' : ' - known only during the run')}`,
  ]
  if (item.condition !== undefined) lines.push(`   if: ${oneLine(item.condition)}`)
  if (item.runsOn !== undefined) lines.push(`   runs on: ${item.runsOn}`)
  if (item.approvers !== undefined && item.approvers.length > 0)
    lines.push(`   approvers: ${item.approvers.join(', ')}`)
  if (item.timeout !== undefined) lines.push(`   timeout: ${item.timeout}`)
  if (item.note !== undefined) lines.push(`   note: ${oneLine(item.note)}`)
  if (item.needs !== undefined && item.needs.length > 0) lines.push(`   after: ${renderSteps(item.needs)}`)
  if (item.beside !== undefined) lines.push(`   beside: ${renderSteps(item.beside)}`)
  if (item.each !== undefined) lines.push(`   for each: ${oneLine(renderEach(item.each))}`)
  lines.push(...commandLines('$', item.commands), ...commandLines('undo $', item.rollback))
  if (item.pointOfNoReturn === true) lines.push('   point of no return: a walk back stops here and asks')
  if (item.child !== undefined) lines.push(...renderChild(item.child, colours))
  return lines.join('\n')
}

const commandLines = (mark: string, commands: readonly string[] = []): readonly string[] =>
  commands.flatMap((command) =>
    command
      .trimEnd()
      .split('\n')
      .map((line) => `   ${mark} ${line}`),
  )

const renderSteps = (numbers: readonly number[]): string =>
  `${numbers.length === 1 ? 'step' : 'steps'} ${numbers.join(', ')}`

/** `4 items, 2 at a time: web-1, web-2, web-3, web-4` */
const renderEach = ({ total, items = [], note, atOnce }: NonNullable<PlanItem['each']>): string => {
  const atATime = `${atOnce} at a time`
  if (total === undefined) return `known only during the run (${note ?? 'nobody can tell yet'}), ${atATime}`
  const more = total > items.length ? `, and ${total - items.length} more` : ''
  return `${total} ${total === 1 ? 'item' : 'items'}, ${atATime}${items.length === 0 ? '' : `: ${items.join(', ')}${more}`}`
}

const renderChild = (
  { sop, mode, params, items }: NonNullable<PlanItem['child']>,
  colours: Colours,
): readonly string[] => {
  const given = renderValues(params)
  const head = `runs SOP ${colours.bold(oneLine(sop))} (${mode})${given === '' ? '' : ` with ${given}`}:`
  return [head, ...items.flatMap((item) => renderItem(item, colours).split('\n'))].map((line, at) =>
    at === 0 ? `   ${line}` : `     ${line}`,
  )
}

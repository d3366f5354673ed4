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
  for (const command of item.commands ?? [])
    lines.push(
      ...command
        .trimEnd()
        .split('\n')
        .map((line) => `   $ ${line}`),
    )
  return lines.join('\n')
}

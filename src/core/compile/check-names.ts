import type { Condition, SopDefinition } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import type { Report } from '../dialect/report.ts'
import { BUILT_INS } from '../condition/scope.ts'
import { didYouMean } from '../nearest.ts'

/** A condition, and where it stands. */
export interface PlacedCondition {
  readonly condition: Condition
  readonly place: Place
  /** Where it is no condition: the setting whose value it is. */
  readonly setting?: string
}

const ROOTS = ['params', 'outputs', 'steps', 'previous_step', 'env', 'payload', 'trigger', 'item', ...BUILT_INS]
const OUTPUT_LINE = /(?:^|[\s"'`;(])([A-Za-z_][\w-]{0,99})=/g

const fold = (name: string): string => name.toLowerCase().replaceAll('-', '_')

/** Names that something in the SOP sets, folded as conditions read them (rulings 8). */
export const namesSet = ({ params = [], steps }: Pick<SopDefinition, 'params' | 'steps'>): ReadonlySet<string> => {
  const names = new Set<string>([...ROOTS, ...params.map(({ name }) => fold(name))])
  for (const { number, slug, outputs = [], action } of steps) {
    names.add(fold(slug)).add(`step_${number}`)
    for (const output of outputs) names.add(fold(output))
    if (action.kind === 'manual') for (const field of action.form ?? []) names.add(fold(field.name))
    if (action.kind !== 'shell') continue
    for (const { script } of action.commands) {
      if (!script.includes('SOP_OUTPUT')) continue
      for (const found of script.matchAll(OUTPUT_LINE)) names.add(fold(found[1] ?? ''))
    }
  }
  return names
}

/** Whether something in the SOP sets the name. */
export const setsName = (known: ReadonlySet<string>, name: string): boolean => known.has(fold(name))

/** Reports names that nothing sets: they may still come from facts of the installation, or from whoever completes a step. */
export const checkNames = (
  conditions: readonly PlacedCondition[],
  known: ReadonlySet<string>,
  report: Report,
): void => {
  for (const { condition, place, setting } of conditions) {
    for (const name of condition.names) {
      if (report.isFull) return
      if (setsName(known, name)) continue
      const help =
        didYouMean(fold(name), known) ?? 'Declare it in params or in outputs of a step, or as a fact in the config'
      report.add(
        'nothing-sets',
        place,
        `Nothing sets "${name}" in ${setting ?? 'the condition'} "${condition.text.slice(0, 80)}"`,
        help,
      )
    }
  }
}

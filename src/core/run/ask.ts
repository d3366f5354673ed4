import { type ConditionScope, factNames } from '../condition/evaluate.ts'
import type { Condition } from '../definition.ts'
import type { Work } from './effect.ts'
import type { Run } from './run.ts'

/** Either the facts that the conditions need are there, or they have to be asked first. */
export type Asked =
  | { readonly kind: 'ready'; readonly scope: ConditionScope }
  | { readonly kind: 'wait'; readonly work: Extract<Work, { kind: 'facts' }> }

/** What conditions see of a run, besides facts. */
const scopeOf = (run: Run, facts: Run['facts'][string] | undefined): ConditionScope => {
  const { definition } = run.seed.pinned
  const settled = run.steps.filter((step) => step.state !== 'pending' && step.state !== 'awaiting_approval')
  const previous = settled.at(-1)
  const { payload, ...trigger } = run.seed.trigger
  return {
    params: run.seed.params,
    outputs: run.outputs,
    steps: Object.fromEntries(
      definition.steps.map(({ slug, number }, index) => {
        const step = run.steps[index]
        return [
          slug,
          {
            number,
            status: step?.state ?? 'pending',
            ...(step?.exitCode !== undefined && { exit_code: step.exitCode }),
            outputs: step?.outputs ?? {},
          },
        ]
      }),
    ),
    ...(previous && { previousStep: previous.state }),
    facts: facts?.values ?? {},
    ...(facts?.errors && { factErrors: facts.errors }),
    ...(payload !== undefined && { payload }),
    trigger: trigger,
  }
}

/** Asks for the facts of these conditions under one question, or gives the scope to evaluate them in. */
export const ask = (run: Run, question: string, conditions: readonly Condition[]): Asked => {
  const { policy } = run.seed.pinned
  const known = [...policy.facts, ...policy.env.map((name) => `env.${name}`)]
  const names = [...new Set(conditions.flatMap((condition) => factNames(condition, known)))]
  const answer = run.facts[question]
  if (names.length === 0 || answer !== undefined) return { kind: 'ready', scope: scopeOf(run, answer) }
  return { kind: 'wait', work: { id: `facts:${question}`, kind: 'facts', question, names } }
}

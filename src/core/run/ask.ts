import { type ConditionScope, factNames } from '../condition/evaluate.ts'
import type { Condition } from '../definition.ts'
import type { Work } from './effect.ts'
import type { Run, StepRun } from './run.ts'

/** Either the facts that the conditions need are there, or they have to be asked first. */
export type Asked =
  | { readonly kind: 'ready'; readonly scope: ConditionScope }
  | { readonly kind: 'wait'; readonly work: Extract<Work, { kind: 'facts' }> }

/** What conditions see of a run, and of the facts that were asked for them. */
export const scopeOf = (run: Run, facts: Run['facts'][string] | undefined, about: About): ConditionScope => {
  const { definition } = run.seed.pinned
  const previous = previousStep(run, about)
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

/** The step whose condition it is; absent or 0 for the run as a whole. `after`: the condition of a gate behind it. */
export type About = { readonly step: number; readonly after?: boolean } | undefined

/** The step before in document order (rulings 15), whichever branch it belongs to; at a gate behind a step, that step. */
const previousStep = (run: Run, about: About): StepRun | undefined => {
  if (about === undefined || about.step === 0) {
    return run.steps.findLast((step) => step.state !== 'pending' && step.state !== 'awaiting_approval')
  }
  const at = run.steps.findIndex((step) => step.number === about.step)
  return run.steps[about.after === true ? at : at - 1]
}

/** Asks for the facts of these conditions under one question, or gives the scope to evaluate them in. */
export const ask = (run: Run, question: string, conditions: readonly Condition[], about?: About): Asked => {
  const { policy } = run.seed.pinned
  const known = [...policy.facts, ...policy.env.map((name) => `env.${name}`)]
  const names = [...new Set(conditions.flatMap((condition) => factNames(condition, known)))]
  const answer = run.facts[question]
  if (names.length === 0 || answer !== undefined) return { kind: 'ready', scope: scopeOf(run, answer, about) }
  return { kind: 'wait', work: { id: `facts:${question}`, kind: 'facts', question, names } }
}

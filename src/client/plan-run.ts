import { factNames } from '../core/condition/evaluate.ts'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { checkParams } from '../core/params.ts'
import { conditionsOf, type PlanFacts, planOf, unmetPreconditions } from '../core/plan.ts'
import { withChildren } from '../core/run/child.ts'
import { newRun } from '../core/run/evolve.ts'
import { RULES_VERSION, type PinnedSop, type RunSeed } from '../core/run/run.ts'
import { notServed, unsupported } from '../core/run/supported.ts'
import { askFacts } from './ask-facts.ts'
import type { Catalog } from './catalog.ts'
import type { RunPlan, StartRequest } from './client.ts'
import { findEntry, type Pin } from './pin.ts'
import { fieldErrors } from './start-run.ts'

export interface PlanDeps {
  readonly catalog: Catalog
  readonly pin: Pin
  readonly resolveFact: (name: string, timezone: string | undefined) => Promise<unknown>
}

/** The dry run: compiles, asks the facts that conditions need, and tells what a run would do now. Starts nothing. */
export const planRun = async (deps: PlanDeps, name: string, request: StartRequest): Promise<RunPlan> => {
  const own = deps.pin.pinEntry(await findEntry(deps.catalog, name))
  const { pinned, problems: childProblems } = await withChildrenOr(deps, own)
  const { definition, digest, warnings } = pinned
  const given = request.params ?? {}
  const checked = checkParams(definition.params, given, 'hand')
  const seed: RunSeed = {
    runId: 'plan',
    rulesVersion: RULES_VERSION,
    pinned,
    params: checked.ok ? masked(checked.params, checked.secretNames) : given,
    trigger: request.trigger ?? { type: 'manual' },
    startedBy: { id: 'plan', kind: 'service' },
    via: 'engine',
    ...(request.executionMode !== undefined && { mode: request.executionMode }),
  }
  const [facts, ...ofChildren] = await Promise.all(withChildren(pinned).map((each) => factsOf(deps, each)))
  const childFacts = Object.fromEntries(
    Object.keys(pinned.children ?? {}).map((sop, at) => [sop, ofChildren[at] ?? NO_FACTS]),
  )
  const problems = [
    ...unsupported(definition),
    ...childProblems,
    ...(checked.ok ? [] : checked.problems),
    ...(request.force === true ? [] : unmetPreconditions(seed, facts ?? NO_FACTS)),
  ]
  return {
    sop: definition.name,
    digest,
    mode: newRun(seed).mode,
    params: seed.params,
    wouldStart: problems.length === 0,
    problems,
    ...(!checked.ok && checked.fields.length > 0 && { errors: fieldErrors(checked.fields) }),
    warnings: [...(warnings ?? []), ...notServed(definition)],
    items: planOf(seed, facts ?? NO_FACTS, childFacts),
  }
}

const NO_FACTS: PlanFacts = { values: {} }

/** With the SOPs that it runs, or what keeps them from being pinned with it. */
const withChildrenOr = async (
  { pin }: PlanDeps,
  pinned: PinnedSop,
): Promise<{ readonly pinned: PinnedSop; readonly problems: readonly string[] }> => {
  try {
    return { pinned: await pin.pinChildren(pinned), problems: [] }
  } catch (error) {
    if (error instanceof SopError) return { pinned, problems: [error.message] }
    throw error
  }
}

const masked = (
  params: Readonly<Record<string, Json>>,
  secretNames: readonly string[],
): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, secretNames.includes(name) ? '[secret]' : value]),
  )

const factsOf = ({ resolveFact }: PlanDeps, { definition, policy }: PinnedSop): Promise<PlanFacts> => {
  const known = [...policy.facts, ...policy.env.map((each) => `env.${each}`)]
  const names = conditionsOf(definition).flatMap((condition) => factNames(condition, known))
  return askFacts(resolveFact, names, definition.timezone ?? policy.timezone)
}

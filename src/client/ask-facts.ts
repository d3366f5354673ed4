import type { Json } from '../core/definition.ts'
import type { PlanFacts } from '../core/plan.ts'

/** Answers a fact, a built-in or `env.<NAME>`. */
export type AskFact = (name: string, timezone: string | undefined) => Promise<unknown>

/** Asks all at once; why one has no value stands beside the others. */
export const askFacts = async (
  ask: AskFact,
  names: readonly string[],
  timezone: string | undefined,
): Promise<PlanFacts> => {
  const values: Record<string, Json> = {}
  const errors: Record<string, string> = {}
  await Promise.all(
    [...new Set(names)].map(async (name) => {
      try {
        values[name] = (await ask(name, timezone)) as Json
      } catch (error) {
        errors[name] = error instanceof Error ? error.message : String(error)
      }
    }),
  )
  return { values, ...(Object.keys(errors).length > 0 && { errors }) }
}

import type { Occurrence } from './occurrence.ts'

// choose.ts: which of several triggers counts that an occurrence is for (product.md 5).

/** What was found of one trigger. `taken`: characters of the message that the pattern of a command took. */
export interface Candidate {
  readonly sop: string
  readonly trigger: number
  readonly verdict: 'ready' | 'refused' | 'unmatched'
  readonly taken?: number
}

/** The order in which the triggers of one SOP are asked: as written; of commands the pattern that says most comes first. */
export const inAskedOrder = <T extends { readonly how: { readonly taken: number } }>(
  found: readonly T[],
  source: Occurrence['source'],
): readonly T[] => (source === 'command' ? found.toSorted((a, b) => b.how.taken - a.how.taken) : found)

/** Of the triggers of one SOP, in the order asked: the first that is met, else the first that refuses, else the first. */
export const ofOneSop = <T extends Candidate>(asked: readonly T[]): T | undefined =>
  asked.find(({ verdict }) => verdict === 'ready') ?? asked.find(({ verdict }) => verdict === 'refused') ?? asked[0]

/** Why an SOP is passed over for another. */
export interface PassedOver {
  readonly reason: string
}

/**
 * One message is one command: of the SOPs that it is a command for, by name, the one whose pattern takes most of it, and of
 * equals the first. Tells of each that is passed over why.
 */
export const ofOneMessage = <T extends Candidate>(judged: readonly T[]): ReadonlyMap<T, PassedOver> => {
  const ready = judged.filter(({ verdict }) => verdict === 'ready')
  const [best] = ready.toSorted((a, b) => (b.taken ?? 0) - (a.taken ?? 0))
  if (best === undefined) return new Map()
  return new Map(
    ready
      .filter((each) => each !== best)
      .map((each) => {
        const how = each.taken === best.taken ? 'as much of it, and it comes first by name' : 'more of it'
        return [each, { reason: `The message is a command for SOP "${best.sop}": its pattern takes ${how}` }]
      }),
  )
}

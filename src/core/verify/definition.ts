import { digestOf } from '../canonical.ts'
import type { SopDefinition } from '../definition.ts'
import { type Finding, problem } from './finding.ts'
import type { StoredDefinition } from './stored-record.ts'

// definition.ts: whether a kept definition is the one that a run was pinned with.

/** What is wrong with the definition of that digest; undefined: the store has none. */
export const checkDefinition = (digest: string, stored: StoredDefinition | undefined): readonly Finding[] => {
  if (stored === undefined) return [problem('definition_missing', `definition ${digest} of the run is missing`)]
  const { file } = stored
  const edited = (why: string): readonly Finding[] => [
    problem('definition_edited', `definition ${digest} is not the one that the run was pinned with: ${why}`, { file }),
  ]
  const pinned = stored.pinned as { readonly definition?: SopDefinition } | null | undefined
  if (typeof pinned !== 'object' || pinned === null || typeof pinned.definition !== 'object') {
    return edited('it cannot be read')
  }
  return digestOrNothing(pinned.definition) === digest ? [] : edited('its digest is another')
}

/** What nobody can make a digest of is not what a compiler made. */
const digestOrNothing = (definition: SopDefinition): string | undefined => {
  try {
    return digestOf(definition)
  } catch {
    return undefined
  }
}

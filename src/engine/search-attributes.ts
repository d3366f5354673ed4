import type { Connection } from '@temporalio/client'
import { SopError } from '../core/errors.ts'

/** What every run shows in Temporal's lists. Few, since a namespace has ten of a kind (engine.md 2). Wire format. */
export const SEARCH_ATTRIBUTES = {
  SopName: 'Keyword',
  SopState: 'Keyword',
  SopTrigger: 'Keyword',
  SopDigest: 'Keyword',
  SopPriority: 'Int',
  SopDeadline: 'Datetime',
  SopWaitingOn: 'KeywordList',
} as const
export type SearchAttributeType = (typeof SEARCH_ATTRIBUTES)[keyof typeof SEARCH_ATTRIBUTES]

/** Temporal's IndexedValueType on the wire; its names are not exported to ES modules. */
export const ATTRIBUTE_WIRE_TYPES: Readonly<Record<SearchAttributeType, number>> = {
  Keyword: 2,
  Int: 3,
  Datetime: 6,
  KeywordList: 7,
}

/** The same as `SopName=Keyword`, for the flags of a server that makes its database anew. */
export const searchAttributePairs = (): readonly string[] =>
  Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => `${name}=${type}`)

/**
 * Registers the search attributes that the namespace lacks.
 *
 * @returns the names that were added
 * @throws SopError `conflict` when one exists with another type; what the server throws when it does not permit it
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<readonly string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name, type]) => {
    const present: number | undefined = customAttributes[name]
    if (present !== undefined && present !== ATTRIBUTE_WIRE_TYPES[type]) throw clash(name, type, namespace)
    return present === undefined
  })
  if (missing.length === 0) return []
  const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, ATTRIBUTE_WIRE_TYPES[type]]))
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes })
  return missing.map(([name]) => name)
}

function clash(name: string, type: SearchAttributeType, namespace: string): SopError {
  return new SopError(
    'conflict',
    `Cannot use namespace "${namespace}": its search attribute "${name}" is not of type ${type}. ` +
      `Remove it (temporal operator search-attribute remove --name ${name}) or use another namespace with TEMPORAL_NAMESPACE`,
  )
}

/** The commands that an operator types where we may not register them ourselves. */
export const searchAttributeCommands = (namespace: string): readonly string[] =>
  Object.entries(SEARCH_ATTRIBUTES).map(
    ([name, type]) =>
      `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
  )

import type { Diagnostic, Place } from '../diagnostic.ts'
import { CODES, type DiagnosticCode } from '../dialect/codes.ts'
import { didYouMean } from '../nearest.ts'

// link-sops.ts: what can be said only of all SOPs of a directory together: whether those that their steps run are there,
// and whether they run each other in a circle.

/** A step that runs an SOP, with the place where it names it. */
export interface SopReference {
  readonly sop: string
  readonly step: { readonly number: number; readonly title: string }
  readonly place: Place
  /** The line of that place, where it is short enough to be shown. */
  readonly sourceLine?: string
}

/** One SOP of a directory, broken ones included. */
export interface LinkedSop {
  readonly name: string
  readonly runs: readonly SopReference[]
}

/** For each of the SOPs what is wrong with those that it runs, in the order of its steps. */
export const linkSops = (sops: readonly LinkedSop[]): readonly (readonly Diagnostic[])[] => {
  const graph = graphOf(sops)
  return sops.map(({ name, runs }) =>
    runs.flatMap((reference): readonly Diagnostic[] => {
      if (!graph.has(reference.sop)) return [unknownSop(reference, graph.keys())]
      const back = shortestWay(graph, reference.sop, name)
      return back === undefined ? [] : [circle(reference, [name, ...back])]
    }),
  )
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>

const graphOf = (sops: readonly LinkedSop[]): Graph => {
  const graph = new Map<string, Set<string>>()
  for (const { name, runs } of sops) {
    const known = graph.get(name) ?? new Set()
    for (const { sop } of runs) known.add(sop)
    graph.set(name, known)
  }
  return graph
}

/** The names on the shortest way, both ends among them. */
const shortestWay = (graph: Graph, from: string, to: string): readonly string[] | undefined => {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  // A map is walked in the order of its keys, those that are added meanwhile included.
  for (const [name] of cameFrom) {
    if (name === to) return wayTo(name, cameFrom)
    for (const next of graph.get(name) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, name)
  }
  return undefined
}

const wayTo = (end: string, cameFrom: ReadonlyMap<string, string | undefined>): readonly string[] => {
  const way: string[] = []
  for (let name: string | undefined = end; name !== undefined; name = cameFrom.get(name)) way.unshift(name)
  return way
}

const unknownSop = (reference: SopReference, names: Iterable<string>): Diagnostic =>
  diagnostic(
    'unknown-sop',
    reference,
    'there is no SOP of that name',
    didYouMean(reference.sop, names) ?? 'sop list shows the names',
  )

const circle = (reference: SopReference, chain: readonly string[]): Diagnostic =>
  diagnostic(
    'sop-cycle',
    reference,
    `SOPs run each other in a circle: ${shown(chain).join(' runs ')}`,
    'Take the step out of one of them',
  )

/** Names of a chain that one sentence holds. */
const NAMED = 12

const shown = (chain: readonly string[]): readonly string[] =>
  chain.length <= NAMED ? chain : [...chain.slice(0, NAMED - 2), '…', ...chain.slice(-1)]

const diagnostic = (
  code: DiagnosticCode,
  { sop, step, place, sourceLine }: SopReference,
  reason: string,
  help: string,
): Diagnostic => ({
  code,
  severity: CODES[code].severity,
  message: `Cannot run SOP "${sop}" as step ${step.number} "${step.title}": ${reason}`,
  place,
  ...(sourceLine !== undefined && { sourceLine }),
  help,
})

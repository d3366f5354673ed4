import type { Diagnostic, Place } from '../diagnostic.ts'
import { CODES, type DiagnosticCode } from '../dialect/codes.ts'
import { didYouMean } from '../nearest.ts'

// link-sops.ts: what can be said only of all SOPs of a directory together: whether those that they name are there, and whether
// they run each other, or start each other by their ends, in a circle.

/** A step that runs an SOP, or a trigger that waits for the end of one, with the place where it names it. */
export interface SopReference {
  readonly sop: string
  /** Absent: it is a trigger. */
  readonly step?: { readonly number: number; readonly title: string }
  readonly place: Place
  /** The line of that place, where it is short enough to be shown. */
  readonly sourceLine?: string
}

/** One SOP of a directory, broken ones included. */
export interface LinkedSop {
  readonly name: string
  readonly runs: readonly SopReference[]
}

/** For each of the SOPs what is wrong with those that it names, in the order in which it does. */
export const linkSops = (sops: readonly LinkedSop[]): readonly (readonly Diagnostic[])[] => {
  const graph = graphOf(sops, false)
  const withEnds = graphOf(sops, true)
  return sops.map(({ name, runs }) =>
    runs.flatMap((reference): readonly Diagnostic[] => {
      if (!graph.has(reference.sop)) return [unknownSop(reference, graph.keys())]
      if (reference.step === undefined) {
        // The end of the other one starts this one: does this one lead to the other?
        const on = shortestWay(withEnds, name, reference.sop)
        return on === undefined ? [] : [startCircle(reference, [reference.sop, ...on])]
      }
      const back = shortestWay(graph, reference.sop, name)
      return back === undefined ? [] : [circle(reference, [name, ...back])]
    }),
  )
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** From each SOP to those of which a run begins when one of its own does; by its end, too, if that is asked for. */
const graphOf = (sops: readonly LinkedSop[], withEnds: boolean): Graph => {
  const graph = new Map<string, Set<string>>(sops.map(({ name }) => [name, new Set<string>()]))
  for (const { name, runs } of sops) {
    for (const { sop, step } of runs) {
      if (step !== undefined) graph.get(name)?.add(sop)
      else if (withEnds) graph.get(sop)?.add(name)
    }
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
    reference.step === undefined ? 'unknown-trigger-sop' : 'unknown-sop',
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

const startCircle = (reference: SopReference, chain: readonly string[]): Diagnostic =>
  diagnostic(
    'trigger-cycle',
    reference,
    `SOPs would start each other without end: ${shown(chain).join(' starts ')}`,
    'Take the trigger out of one of them',
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
  message:
    step === undefined
      ? `Cannot wait for the end of SOP "${sop}": ${reason}`
      : `Cannot run SOP "${sop}" as step ${step.number} "${step.title}": ${reason}`,
  place,
  ...(sourceLine !== undefined && { sourceLine }),
  help,
})

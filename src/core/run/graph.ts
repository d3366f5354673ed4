import type { Step } from '../definition.ts'

/** What of a definition the order of its steps depends on. */
type Ordered = { readonly steps: readonly Pick<Step, 'number' | 'needs' | 'forEach'>[] }

// graph.ts: which steps wait for which. A step waits for its `needs`, else for the step before it in the document, so a
// definition without `needs` is one path and takes the same way that it always took.

/** Whether any step says what it needs: only then can several steps be under way at once. */
export const hasBranches = (definition: Ordered): boolean => graphOf(definition).hasBranches

/** Whether several executions can be under way at once, branches or items of one step. */
export const isWide = (definition: Ordered): boolean => graphOf(definition).isWide

/** Positions in `definition.steps` of the steps that each one waits for. */
export const needsOf = (definition: Ordered): readonly (readonly number[])[] => graphOf(definition).needs

interface Graph {
  readonly hasBranches: boolean
  readonly isWide: boolean
  readonly needs: readonly (readonly number[])[]
}

const graphs = new WeakMap<Ordered, Graph>()

const graphOf = (definition: Ordered): Graph => {
  const known = graphs.get(definition)
  if (known !== undefined) return known
  const { steps } = definition
  const at = new Map(steps.map(({ number }, index) => [number, index]))
  const branches = steps.some((step) => step.needs !== undefined)
  const graph: Graph = {
    hasBranches: branches,
    isWide: branches || steps.some((step) => step.forEach !== undefined),
    needs: steps.map((step, index) => positionsOf(step, index, at)),
  }
  graphs.set(definition, graph)
  return graph
}

const positionsOf = (
  { needs }: Pick<Step, 'needs'>,
  index: number,
  at: ReadonlyMap<number, number>,
): readonly number[] =>
  needs === undefined
    ? index === 0
      ? []
      : [index - 1]
    : needs.flatMap((number) => {
        const found = at.get(number)
        return found === undefined ? [] : [found]
      })

/** Positions of the steps that wait for the one at `start`, directly or through others; `start` is not among them. */
export const waitingFor = (definition: Ordered, start: number): ReadonlySet<number> => {
  const needs = needsOf(definition)
  const followers = needs.map((): number[] => [])
  for (const [index, before] of needs.entries()) for (const need of before) followers[need]?.push(index)
  return reachable(start, followers)
}

/** Positions of the steps that the one at `start` waits for, directly or through others. */
export const neededBy = (definition: Ordered, start: number): ReadonlySet<number> =>
  reachable(start, needsOf(definition))

/** For the step at that position: the numbers of those that it waits for, and of those that may run at the same time. */
export const branchesAt = (
  definition: Ordered,
  index: number,
): { readonly needs?: readonly number[]; readonly beside?: readonly number[] } => {
  if (!hasBranches(definition)) return {}
  const [before, after] = [neededBy(definition, index), waitingFor(definition, index)]
  const numberAt = (at: number): number => definition.steps[at]?.number ?? 0
  const beside = definition.steps.flatMap(({ number }, at) =>
    at === index || before.has(at) || after.has(at) ? [] : [number],
  )
  return { needs: (needsOf(definition)[index] ?? []).map(numberAt), ...(beside.length > 0 && { beside }) }
}

const reachable = (start: number, edges: readonly (readonly number[])[]): ReadonlySet<number> => {
  const found = new Set<number>()
  const open = [start]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const edge of edges[next] ?? []) {
      if (found.has(edge)) continue
      found.add(edge)
      open.push(edge)
    }
  }
  return found
}

/** The steps, by position, that a jump of one step to another goes over. */
export interface Jump {
  readonly direction: 'back' | 'forward'
  /** Back: those that are done again, both ends among them. Forward: those that are passed over, without the ends. */
  readonly between: readonly number[]
}

/**
 * What lies between two steps: on one path all that stands between them, with branches those on a way from one to the
 * other. Where no way leads from one to the other, only the two themselves; the compiler refuses such a jump.
 */
export const jumpBetween = (definition: Ordered, from: number, to: number): Jump => {
  if (!hasBranches(definition)) return linearJump(from, to)
  if (from === to) return { direction: 'back', between: [from] }
  const after = waitingFor(definition, from)
  if (after.has(to)) {
    const before = neededBy(definition, to)
    return { direction: 'forward', between: inOrder([...after].filter((index) => before.has(index))) }
  }
  const before = neededBy(definition, from)
  const between = [...waitingFor(definition, to)].filter((index) => before.has(index))
  return { direction: 'back', between: inOrder([...new Set([to, ...between, from])]) }
}

const linearJump = (from: number, to: number): Jump =>
  to > from
    ? { direction: 'forward', between: range(from + 1, to - 1) }
    : { direction: 'back', between: range(to, from) }

const inOrder = (positions: readonly number[]): readonly number[] => [...positions].sort((a, b) => a - b)

const range = (first: number, last: number): readonly number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)

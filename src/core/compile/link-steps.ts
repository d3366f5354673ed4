import type { OnFailure, Step } from '../definition.ts'
import type { Report } from '../dialect/report.ts'
import { didYouMean } from '../nearest.ts'
import type { DraftStep } from './build-step.ts'
import { neededBy, waitingFor } from '../run/graph.ts'
import { slugOf } from './names.ts'
import type { StepReference } from './step-readers.ts'

// link-steps.ts: what needs all steps: slugs, references, circles.

/** Finds the number of the step that a reference means; reports one that means none. */
export type Lookup = (reference: StepReference, what: string) => number | undefined

/** A slug for each step, unique in the SOP: a repeated one gets `_2` (rulings 6). */
export const slugsFor = (steps: readonly { readonly title: string; readonly number: number }[]): readonly string[] => {
  const counts = new Map<string, number>()
  const taken = new Set<string>()
  return steps.map(({ title, number }) => {
    const wanted = slugOf(title) || `step_${number}`
    let slug = wanted
    for (let count = counts.get(wanted) ?? 1; taken.has(slug); count++) {
      slug = `${wanted}_${count + 1}`
      counts.set(wanted, count + 1)
    }
    taken.add(slug)
    return slug
  })
}

/** A lookup by number, slug or title. */
export const createLookup = (
  steps: readonly { readonly number: number; readonly title: string }[],
  slugs: readonly string[],
  report: Report,
): Lookup => {
  const byNumber = new Set(steps.map(({ number }) => number))
  const byName = new Map<string, number>()
  for (const [index, { number, title }] of steps.entries()) {
    for (const name of [slugs[index] ?? '', title.toLowerCase()]) if (!byName.has(name)) byName.set(name, number)
  }
  return ({ text, place }, what) => {
    const wanted = text.trim()
    const number = /^(?:step[\s_]*)?#?(\d{1,9})$/i.exec(wanted)?.[1]
    if (number !== undefined && byNumber.has(Number(number))) return Number(number)
    const named = byName.get(wanted.toLowerCase()) ?? byName.get(slugOf(wanted))
    if (named !== undefined) return named
    if (report.isFull) return undefined
    const help = number === undefined ? didYouMean(slugOf(wanted), slugs) : rangeOf([...byNumber])
    report.add('unknown-step', place, `${what}: there is no step "${wanted.slice(0, 60)}"`, help)
    return undefined
  }
}

const rangeOf = (numbers: readonly number[]): string =>
  numbers.length === 0 ? 'There are no steps' : `Steps are numbered ${Math.min(...numbers)} to ${Math.max(...numbers)}`

/** The steps with slugs and with their references looked up. */
export const linkSteps = (
  drafts: readonly DraftStep[],
  slugs: readonly string[],
  find: Lookup,
  report: Report,
): readonly Step[] => {
  const steps = drafts.map(({ step, needs, failure }, index): Step => {
    const what = `Cannot compile step ${step.number} "${step.title}"`
    const found = needs?.flatMap((reference) => find(reference, `${what}, which needs another`) ?? [])
    const { number, ...rest } = step
    return {
      number,
      slug: slugs[index] ?? '',
      ...rest,
      ...(found === undefined || (found.length === 0 && needs?.length !== 0) ? {} : { needs: [...new Set(found)] }),
      ...failureOf(failure, (reference) => find(reference, `${what}, which goes on elsewhere`)),
    }
  })
  reportCircles(drafts, steps, report)
  reportStrayJumps(drafts, steps, report)
  return steps
}

/** Once a step says what it needs, one that says nothing needs the step above it. */
const needsOfAll = (steps: readonly Step[]): ReadonlyMap<number, readonly number[]> => {
  const isLinear = steps.every(({ needs }) => needs === undefined)
  return new Map(
    steps.map(({ number, needs }, index): [number, readonly number[]] => {
      const above = steps[index - 1]?.number
      return [number, needs ?? (isLinear || above === undefined ? [] : [above])]
    }),
  )
}

/** With branches a jump leads along them: to a step that this one needs, or to one that needs it. */
const reportStrayJumps = (drafts: readonly DraftStep[], steps: readonly Step[], report: Report): void => {
  if (report.hasErrors || steps.every(({ needs }) => needs === undefined)) return
  const at = new Map(steps.map(({ number }, index) => [number, index]))
  for (const [index, { number, title, onFailure }] of steps.entries()) {
    const fields = drafts[index]?.fields
    if (onFailure?.kind !== 'goto' || onFailure.step === number || fields?.has('on_failure') !== true) continue
    const target = at.get(onFailure.step) ?? 0
    if (waitingFor({ steps }, index).has(target) || neededBy({ steps }, index).has(target)) continue
    report.add(
      'stray-jump',
      fields.valuePlace('on_failure'),
      `Cannot go from step ${number} "${title}" to step ${onFailure.step}: they are on different branches`,
      'Go to a step that this one needs, or to one that needs it',
    )
  }
}

const failureOf = (
  failure: DraftStep['failure'],
  find: (reference: StepReference) => number | undefined,
): { readonly onFailure?: OnFailure } => {
  if (failure === undefined) return {}
  if (failure.kind !== 'goto') return { onFailure: failure }
  const step = find(failure.to)
  return step === undefined ? {} : { onFailure: { kind: 'goto', step } }
}

/** Reports one step of each circle of needs. */
const reportCircles = (drafts: readonly DraftStep[], steps: readonly Step[], report: Report): void => {
  const needs = needsOfAll(steps)
  const done = new Set<number>()
  for (const start of steps) {
    const circle = findCircle(start.number, needs, done)
    if (circle === undefined) continue
    const draft = drafts[steps.findIndex((step) => circle.includes(step.number) && step.needs !== undefined)]
    if (draft === undefined) continue
    const way = circle.length > 12 ? [...circle.slice(0, 11), '…'] : circle
    const isTold = circle.every((number) => steps.find((step) => step.number === number)?.needs !== undefined)
    report.add(
      'cycle',
      draft.fields.keyPlace('needs'),
      `Cannot order the steps: ${way.join(' needs ')}, in a circle`,
      isTold
        ? 'Delete one of the needs'
        : 'A step without needs waits for the step above it; write needs: [] where it does not',
    )
  }
}

/** A circle that is reached from a step, as numbers; steps that were looked at are passed over. */
const findCircle = (
  start: number,
  needs: ReadonlyMap<number, readonly number[]>,
  done: Set<number>,
): readonly number[] | undefined => {
  const path: number[] = []
  const onPath = new Set<number>()
  // By hand instead of by recursion: a thousand steps may need each other in a row.
  const stack: { readonly number: number; readonly needs: readonly number[]; next: number }[] = []
  const enter = (number: number): void => {
    stack.push({ number, needs: needs.get(number) ?? [], next: 0 })
    path.push(number)
    onPath.add(number)
  }
  if (!done.has(start)) enter(start)
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const need = top.needs[top.next++]
    if (need === undefined) {
      done.add(top.number)
      onPath.delete(top.number)
      path.pop()
      stack.pop()
    } else if (onPath.has(need)) {
      for (const number of path) done.add(number)
      return [...path.slice(path.indexOf(need)), need]
    } else if (!done.has(need)) enter(need)
  }
  return undefined
}

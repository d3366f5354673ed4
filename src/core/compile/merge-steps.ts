import type { Place } from '../diagnostic.ts'
import { MAX_STEPS } from '../dialect/find-steps.ts'
import { describe, type Located, type LocatedEntry, type LocatedTable } from '../dialect/located.ts'
import type { RawStep } from '../dialect/raw-step.ts'
import type { Report } from '../dialect/report.ts'
import { normalizeKey } from '../settings.ts'
import { didYouMean } from '../nearest.ts'
import type { StepSource } from './build-step.ts'
import { slugsFor } from './link-steps.ts'
import { slugOf } from './names.ts'

// merge-steps.ts: which steps there are, by number: those of the Markdown, those of the manifest, and what both describe.

export interface StepLists {
  readonly markdown: readonly RawStep[]
  /** The manifest's `steps`. */
  readonly manifest: Located | undefined
  /** Dialect Z counts by position, and its SOP.md wins over its `[[steps]]`. */
  readonly isZeroclaw: boolean
}

export const mergeSteps = ({ markdown, manifest, isZeroclaw }: StepLists, report: Report): readonly StepSource[] => {
  const tables = manifest === undefined ? [] : manifestSteps(manifest, report)
  if (isZeroclaw && markdown.length > 0 && tables.length > 0) {
    const place = tables[0]?.table.place ?? { file: '', line: 1, column: 1 }
    report.add('unread-steps', place, 'These steps are not read, since the Markdown has steps', 'Delete one of the two')
  }
  const described = isZeroclaw && markdown.length > 0 ? [] : tables
  const steps = new Map<number, StepSource>()
  for (const [index, number] of numbersFor(markdown, isZeroclaw, report).entries()) {
    const step = markdown[index]
    if (step !== undefined) steps.set(number, { number, markdown: step })
  }
  const numbers = numbersByName(steps)
  for (const [index, each] of described.entries()) addDescribed(steps, each, { index, numbers, report })
  return [...steps.values()].sort((a, b) => a.number - b.number)
}

/** What the manifest says about a step; `name` is its key in a table of steps. */
interface Described {
  readonly table: LocatedTable
  readonly name?: string
}

interface Around {
  readonly index: number
  readonly numbers: ReadonlyMap<string, number>
  readonly report: Report
}

/** The steps of the Markdown by their slugs. */
const numbersByName = (steps: ReadonlyMap<number, StepSource>): ReadonlyMap<string, number> => {
  const listed = [...steps.values()].map(({ number, markdown }) => ({ number, title: markdown?.title ?? '' }))
  return new Map(slugsFor(listed).map((slug, index) => [slug, listed[index]?.number ?? 0]))
}

const addDescribed = (steps: Map<number, StepSource>, described: Described, around: Around): void => {
  const { report } = around
  const number = numberFor(described, around)
  if (number === undefined) return
  const table = titled(described, around)
  const known = steps.get(number)
  if (known?.manifest !== undefined) {
    report.add(
      'duplicate-number',
      table.place,
      `Cannot read step ${number}: another one has that number`,
      'Give each step a number of its own',
    )
    return
  }
  steps.set(number, { ...known, number, manifest: table })
}

/** The step that a table means: by its number, else by its key, else by its place in the list. */
const numberFor = ({ table, name }: Described, { index, numbers, report }: Around): number | undefined => {
  const entry = table.entries.find(({ key }) => ['number', 'step', 'no'].includes(normalizeKey(key)))
  if (entry !== undefined) {
    const value = entry.value.kind === 'scalar' ? entry.value.value : undefined
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    const message = `Cannot tell which step is meant: expected its number, found ${describe(entry.value)}`
    const help = typeof value === 'string' && /^\d+$/.test(value) ? 'Write the number without quotes' : undefined
    report.add('bad-value', entry.value.place, message, help)
    return undefined
  }
  if (name === undefined || numbers.size === 0) return index + 1
  const meant = numbers.get(slugOf(name))
  if (meant !== undefined) return meant
  const message = `Cannot tell which step is meant: there is no step "${name.slice(0, 60)}"`
  if (!report.isFull) report.add('unknown-step', table.place, message, didYouMean(slugOf(name), numbers.keys()))
  return undefined
}

/** A step that has no Markdown is called by its key. */
const titled = ({ table, name }: Described, { numbers }: Around): LocatedTable => {
  if (name === undefined || numbers.size > 0 || table.entries.some(({ key }) => normalizeKey(key) === 'title'))
    return table
  const value: Located = { kind: 'scalar', value: name, raw: name, untyped: false, place: table.place }
  return { ...table, entries: [{ key: 'title', keyPlace: table.place, value }, ...table.entries] }
}

/** `[[steps]]`, or a table by number or name. */
const manifestSteps = (value: Located, report: Report): readonly Described[] => {
  const items =
    value.kind === 'table' ? value.entries.map(byKey) : (value.kind === 'list' ? value.items : [value]).map(unnamed)
  if (items.length > MAX_STEPS) {
    const place: Place = items[MAX_STEPS]?.item.place ?? value.place
    report.add(
      'too-many-steps',
      place,
      `Cannot read ${items.length} steps: an SOP has at most ${MAX_STEPS}`,
      'Divide it into several SOPs, and run them as steps',
    )
  }
  return items.slice(0, MAX_STEPS).flatMap(({ item, ...named }): readonly Described[] => {
    if (item.kind === 'table') return [{ table: item, ...named }]
    if (item.kind === 'scalar' && typeof item.value === 'string') {
      const entries = [{ key: 'title', keyPlace: item.place, value: item }]
      return [{ table: { kind: 'table', place: item.place, entries }, ...named }]
    }
    report.add('wrong-type', item.place, `Cannot read the step: expected a table, found ${describe(item)}`)
    return []
  })
}

interface Item {
  readonly item: Located
  readonly name?: string
}

const unnamed = (item: Located): Item => ({ item })

/** `[steps.3]`: the key is the number. `[steps.build]`: it is the slug. */
const byKey = ({ key, keyPlace, value }: LocatedEntry): Item => {
  if (value.kind !== 'table') return { item: value }
  if (!/^\d{1,6}$/.test(key)) return { item: { ...value, place: keyPlace }, name: key }
  const number: Located = { kind: 'scalar', value: Number(key), raw: key, untyped: false, place: keyPlace }
  return {
    item: { ...value, place: keyPlace, entries: [{ key: 'number', keyPlace, value: number }, ...value.entries] },
  }
}

/** The numbers of the Markdown's steps: as printed where they go up, else by position. */
const numbersFor = (steps: readonly RawStep[], isZeroclaw: boolean, report: Report): readonly number[] => {
  const positions = steps.map((_, index) => index + 1)
  const printed = steps.map(({ number }, index) => number ?? index + 1)
  const isInOrder = printed.every((number, index) => number === index + 1)
  // Markdown counts "1. 1. 1." by itself.
  const isLazy = steps.every(({ isItem }, index) => isItem && printed[index] === printed[0])
  if (isInOrder || (isLazy && steps.length > 1 && printed[0] === 1)) return positions
  const firstOdd = printed.findIndex((number, index) => number <= (printed[index - 1] ?? 0))
  const odd = steps[firstOdd]
  if (odd !== undefined) {
    report.add(
      'numbering',
      odd.place,
      `${firstOdd === 0 ? 'Steps begin at 1' : `Step ${printed[firstOdd]} comes after step ${printed[firstOdd - 1]}`}: steps are counted by position, so this is step ${firstOdd + 1}`,
      'Number the steps 1, 2, 3 and so on',
    )
    return positions
  }
  const gap = printed.findIndex((number, index) => number !== (printed[index - 1] ?? 0) + 1)
  const from = (printed[gap - 1] ?? 0) + 1
  const to = (printed[gap] ?? 0) - 1
  const missing = from === to ? `There is no step ${from}` : `There are no steps ${from} to ${to}`
  const after = isZeroclaw ? ': steps are counted by position' : ''
  report.add(
    'gap',
    steps[gap]?.place ?? { file: '', line: 1, column: 1 },
    `${missing} before step ${printed[gap]}${after}`,
    'Number the steps 1, 2, 3 and so on',
  )
  return isZeroclaw ? positions : printed
}

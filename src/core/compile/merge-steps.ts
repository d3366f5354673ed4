import type { Place } from '../diagnostic.ts'
import { MAX_STEPS } from '../dialect/find-steps.ts'
import { describe, type Located, type LocatedTable } from '../dialect/located.ts'
import type { RawStep } from '../dialect/raw-step.ts'
import type { Report } from '../dialect/report.ts'
import { normalizeKey } from '../settings.ts'
import type { StepSource } from './build-step.ts'

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
    const place = tables[0]?.place ?? { file: '', line: 1, column: 1 }
    report.add('unread-steps', place, 'These steps are not read, since the Markdown has steps', 'Delete one of the two')
  }
  const described = isZeroclaw && markdown.length > 0 ? [] : tables
  const steps = new Map<number, StepSource>()
  for (const [index, number] of numbersFor(markdown, isZeroclaw, report).entries()) {
    const step = markdown[index]
    if (step !== undefined) steps.set(number, { number, markdown: step })
  }
  for (const [index, table] of described.entries()) addDescribed(steps, table, index, report)
  return [...steps.values()].sort((a, b) => a.number - b.number)
}

const addDescribed = (steps: Map<number, StepSource>, table: LocatedTable, index: number, report: Report): void => {
  const number = numberOf(table) ?? index + 1
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

const numberOf = (table: LocatedTable): number | undefined => {
  const entry = table.entries.find(({ key }) => ['number', 'step', 'no'].includes(normalizeKey(key)))
  const value = entry?.value.kind === 'scalar' ? entry.value.value : undefined
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

/** `[[steps]]`, or a table by number or name. */
const manifestSteps = (value: Located, report: Report): readonly LocatedTable[] => {
  const items = value.kind === 'list' ? value.items : value.kind === 'table' ? value.entries.map(byNumber) : [value]
  if (items.length > MAX_STEPS) {
    const place: Place = items[MAX_STEPS]?.place ?? value.place
    report.add(
      'too-many-steps',
      place,
      `Cannot read ${items.length} steps: an SOP has at most ${MAX_STEPS}`,
      'Divide it into several SOPs, and run them as steps',
    )
  }
  return items.slice(0, MAX_STEPS).flatMap((item) => {
    if (item.kind === 'table') return [item]
    if (item.kind === 'scalar' && typeof item.value === 'string') {
      return [
        { kind: 'table', place: item.place, entries: [{ key: 'title', keyPlace: item.place, value: item }] } as const,
      ]
    }
    report.add('wrong-type', item.place, `Cannot read the step: expected a table, found ${describe(item)}`)
    return []
  })
}

/** `[steps.3]`: the key is the number. */
const byNumber = ({ key, keyPlace, value }: { key: string; keyPlace: Place; value: Located }): Located => {
  if (value.kind !== 'table' || !/^\d{1,6}$/.test(key)) return value
  const number: Located = { kind: 'scalar', value: Number(key), raw: key, untyped: false, place: keyPlace }
  return { ...value, place: keyPlace, entries: [{ key: 'number', keyPlace, value: number }, ...value.entries] }
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

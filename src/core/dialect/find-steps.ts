import type { Block, Heading, ListItem, TextLine } from './markdown.ts'
import { readRawStep, type RawStep } from './raw-step.ts'
import { isRunnable } from './step-fence.ts'
import type { Report } from './report.ts'
import type { SourceText } from './source-text.ts'

// find-steps.ts: where the steps of a document are. The syntax of the steps tells the dialect (rulings 1): headings
// "Step 1: Title" (B, C, D), or a numbered list under "Steps" (A, Z).

/** Steps beyond these are not read. */
export const MAX_STEPS = 1_000

export type StepSyntax = 'headings' | 'list'

export interface FoundSteps {
  readonly syntax: StepSyntax
  /** Level of the headings. */
  readonly level: number
  readonly steps: readonly RawStep[]
  /** What stands above the first step. */
  readonly head: readonly Block[]
}

interface Start {
  readonly index: number
  readonly number?: number
  readonly title: TextLine
  readonly level: number
}

// "Step 3", and also "Step 3a", "Step 3.1" and "Step 3 of 5", of which the first number counts.
const STEP =
  /^\s*step\s+(\d{1,9})(?:[a-z](?![a-z])|(?:\.\d{1,9}){1,9})?(?:\s{0,9}(?:of|\/)\s{0,9}\d{1,9})?(?!\w)\s*(?:[:.)–—-]\s*)?/i
const NUMBERED = /^\s*(\d{1,6})[.):]\s+/
const LIKE_A_STEP = /^\s*step(?![\w-])/i

/** Finds the steps of a document; undefined when it has none. */
export const findSteps = (blocks: readonly Block[], source: SourceText, report: Report): FoundSteps | undefined => {
  const list = findList(blocks)
  const starts = headingStarts(blocks, STEP)
  const first = starts[0]
  // Below "### Step 1" a numbered list belongs to the step, also under a heading "Steps".
  if (list !== undefined && (first === undefined || first.index > list.index)) {
    reportBesideList(blocks, list, starts, report)
    return listSteps(list, report)
  }
  if (first !== undefined) return headingSteps(blocks, starts, source, report)
  const numbered = numberedStarts(blocks)
  return numbered.length > 0 ? headingSteps(blocks, numbered, source, report) : undefined
}

const isStepsHeading = (block: Block): block is Heading =>
  block.kind === 'heading' && /^(?:the\s+)?steps:?$/i.test(block.line.text.replace(/[*_`]/g, '').trim())

/** The blocks of the section that a heading opens. */
const sectionEnd = (blocks: readonly Block[], start: number, level: number): number => {
  const next = blocks.findIndex((block, index) => index > start && block.kind === 'heading' && block.level <= level)
  return next === -1 ? blocks.length : next
}

interface FoundList {
  /** Of the first list among the blocks. */
  readonly index: number
  /** Behind the section that the lists stand in. */
  readonly end: number
  readonly level: number
  readonly items: readonly ListItem[]
  readonly head: readonly Block[]
  /** Code in the section that belongs to no step. */
  readonly strays: readonly Block[]
}

/**
 * The numbered lists under the heading "Steps". What stands between them at the margin belongs to the step above it, as
 * every reader takes it: Markdown ends a list at a fence or a bullet that is not indented.
 */
const findList = (blocks: readonly Block[]): FoundList | undefined => {
  const heading = blocks.findIndex(isStepsHeading)
  const found = blocks[heading]
  if (found?.kind !== 'heading') return undefined
  const end = sectionEnd(blocks, heading, found.level)
  const items: { readonly item: ListItem; readonly blocks: Block[] }[] = []
  const strays: Block[] = []
  let index = -1
  let isOpen = false
  for (const [offset, block] of blocks.slice(heading + 1, end).entries()) {
    if (block.kind === 'list' && block.isOrdered) {
      if (index === -1) index = heading + 1 + offset
      isOpen = true
      for (const item of block.items) items.push({ item, blocks: [...item.blocks] })
    } else if (block.kind === 'heading') isOpen = false
    else if (!isOpen) strays.push(block)
    else if (block.kind !== 'html' || !block.content.startsWith('<!--')) items.at(-1)?.blocks.push(block)
  }
  if (index === -1) return undefined
  const whole = items.map(({ item, blocks: own }): ListItem => ({ ...item, blocks: own }))
  return { index, end, level: found.level, items: whole, head: blocks.slice(0, heading), strays }
}

/** Nothing that looks like a step or its commands is passed over without a word. */
const reportBesideList = (
  blocks: readonly Block[],
  { index, end, strays }: FoundList,
  starts: readonly Start[],
  report: Report,
): void => {
  const help = 'Write all steps in the numbered list, or all as headings'
  for (const { index: at, title } of starts) {
    if (at > index)
      report.add('unread-steps', title.place, 'This step is not read: the steps are a numbered list', help)
  }
  const second = blocks.findIndex((block, at) => at >= end && isStepsHeading(block))
  const heading = blocks[second]
  if (heading?.kind === 'heading' && findList(blocks.slice(second)) !== undefined) {
    const message = 'These steps are not read: there are steps under an earlier heading "Steps"'
    report.add('unread-steps', heading.line.place, message, 'Write all steps under one heading')
  }
  for (const block of strays) {
    if (block.kind !== 'code' || !isRunnable(block)) continue
    const message = 'These commands belong to no step, so nothing runs them'
    report.add('stray-commands', block.place, message, 'Move them below the step that they belong to')
  }
}

const listSteps = ({ items, level, head }: FoundList, report: Report): FoundSteps => {
  reportLimit(items.length, items[MAX_STEPS]?.place, report)
  const steps = items.slice(0, MAX_STEPS).map(({ number, place, blocks: inner }) => {
    const [first, ...others] = inner
    const isText = first?.kind === 'paragraph'
    const [title, ...lines] = isText ? first.lines : []
    const empty: TextLine = { text: '', place, indent: 0 }
    const numbered = number === undefined ? {} : { number }
    const blocks = isText ? others : inner
    return readRawStep({ ...numbered, place, title: title ?? empty, hasBoldTitle: true, lines, blocks }, report)
  })
  return { syntax: 'list', level, steps, head }
}

const headingStarts = (blocks: readonly Block[], pattern: RegExp): readonly Start[] =>
  blocks.flatMap((block, index) => {
    if (block.kind !== 'heading') return []
    const text = withoutBold(block.line.text)
    const found = pattern.exec(text)
    return found === null ? [] : [startOf({ heading: block, text, index, found })]
  })

/** A heading that begins in bold, with blanks for the marks: columns stay. */
const withoutBold = (text: string): string =>
  text.replace(/^(\*\*|__)([^*_]{1,2000})\1/, (_, _marks: string, bold: string) => `  ${bold}  `)

/** `### 1. Title` below a heading "Steps". */
const numberedStarts = (blocks: readonly Block[]): readonly Start[] => {
  const heading = blocks.findIndex(isStepsHeading)
  const found = blocks[heading]
  if (found?.kind !== 'heading') return []
  const end = sectionEnd(blocks, heading, found.level)
  return headingStarts(blocks, NUMBERED).filter(({ index }) => index > heading && index < end)
}

interface Match {
  readonly heading: Heading
  readonly text: string
  readonly index: number
  readonly found: RegExpExecArray
}

const startOf = ({ heading: { line, level }, text: whole, index, found }: Match): Start => {
  const text = whole.slice(found[0].length)
  const place = { ...line.place, column: line.place.column + found[0].length, length: Math.max(1, text.length) }
  return { index, number: Number(found[1]), level, title: { text, place, indent: 0 } }
}

const headingSteps = (
  blocks: readonly Block[],
  starts: readonly Start[],
  source: SourceText,
  report: Report,
): FoundSteps => {
  const [first] = starts
  reportLimit(starts.length, starts[MAX_STEPS]?.title.place, report)
  reportUnread(blocks, starts, report)
  const steps = starts.slice(0, MAX_STEPS).map((start, index) => {
    const following = starts[index + 1]?.index ?? blocks.length
    const end = Math.min(following, sectionEnd(blocks, start.index, start.level))
    const heading = blocks[start.index]
    const place =
      heading?.kind === 'heading'
        ? source.on(heading.line.place.line, 1, source.lines[heading.line.place.line - 1]?.length)
        : start.title.place
    const inner = blocks.slice(start.index + 1, end)
    return readRawStep(
      {
        ...(start.number === undefined ? {} : { number: start.number }),
        place,
        title: start.title,
        hasBoldTitle: false,
        lines: [],
        blocks: inner,
      },
      report,
    )
  })
  return { syntax: 'headings', level: first?.level ?? 2, steps, head: blocks.slice(0, first?.index ?? 0) }
}

/** Headings among the steps that begin with "Step" and have no number: they would be lost. */
const reportUnread = (blocks: readonly Block[], starts: readonly Start[], report: Report): void => {
  const read = new Set(starts.map(({ index }) => index))
  const levels = new Set(starts.map(({ level }) => level))
  for (const [index, block] of blocks.entries()) {
    if (block.kind !== 'heading' || read.has(index) || !levels.has(block.level)) continue
    if (!LIKE_A_STEP.test(withoutBold(block.line.text))) continue
    const help = `Write it as "${'#'.repeat(block.level)} Step 2: Title", with its number`
    report.add(
      'unread-steps',
      block.line.place,
      'This heading looks like a step and is not read: it has no number',
      help,
    )
  }
}

const reportLimit = (count: number, place: TextLine['place'] | undefined, report: Report): void => {
  if (count <= MAX_STEPS || place === undefined) return
  report.add(
    'too-many-steps',
    place,
    `Cannot read ${count} steps: an SOP has at most ${MAX_STEPS}`,
    'Divide it into several SOPs, and run them as steps',
  )
}

import type { Block, Heading, List, TextLine } from './markdown.ts'
import { readRawStep, type RawStep } from './raw-step.ts'
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

const STEP = /^(?:\*\*|__)?step\s+(\d{1,6})\b(?:\*\*|__)?\s*(?:[:.)–—-]\s*)?/i
const NUMBERED = /^(\d{1,6})[.):]\s+/

/** Finds the steps of a document; undefined when it has none. */
export const findSteps = (blocks: readonly Block[], source: SourceText, report: Report): FoundSteps | undefined => {
  const list = findList(blocks)
  const starts = headingStarts(blocks, STEP)
  const first = starts[0]
  // Below "### Step 1" a numbered list belongs to the step, also under a heading "Steps".
  if (list !== undefined && (first === undefined || first.index > list.index)) return listSteps(list, report)
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
  readonly level: number
  readonly items: List['items']
  readonly head: readonly Block[]
}

/** The numbered lists under the heading "Steps". */
const findList = (blocks: readonly Block[]): FoundList | undefined => {
  const heading = blocks.findIndex(isStepsHeading)
  const found = blocks[heading]
  if (found?.kind !== 'heading') return undefined
  const end = sectionEnd(blocks, heading, found.level)
  const lists = blocks
    .slice(heading + 1, end)
    .filter((block): block is List => block.kind === 'list' && block.isOrdered)
  const [first] = lists
  if (first === undefined) return undefined
  const items = lists.flatMap(({ items: each }) => each)
  return { index: blocks.indexOf(first), level: found.level, items, head: blocks.slice(0, heading) }
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
    const found = block.kind === 'heading' ? pattern.exec(block.line.text) : null
    return block.kind === 'heading' && found !== null ? [startOf(block, index, found)] : []
  })

/** `### 1. Title` below a heading "Steps". */
const numberedStarts = (blocks: readonly Block[]): readonly Start[] => {
  const heading = blocks.findIndex(isStepsHeading)
  const found = blocks[heading]
  if (found?.kind !== 'heading') return []
  const end = sectionEnd(blocks, heading, found.level)
  return headingStarts(blocks, NUMBERED).filter(({ index }) => index > heading && index < end)
}

const startOf = ({ line, level }: Heading, index: number, found: RegExpExecArray): Start => {
  const text = line.text.slice(found[0].length)
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

const reportLimit = (count: number, place: TextLine['place'] | undefined, report: Report): void => {
  if (count <= MAX_STEPS || place === undefined) return
  report.add(
    'too-many-steps',
    place,
    `Cannot read ${count} steps: an SOP has at most ${MAX_STEPS}`,
    'Divide it into several SOPs, and run them as steps',
  )
}

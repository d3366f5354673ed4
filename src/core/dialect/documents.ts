import type { Dialect } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { findSetting, normalizeKey, type SettingType, spellingsOf } from '../settings.ts'
import { nearest } from '../nearest.ts'
import { findSteps, type FoundSteps } from './find-steps.ts'
import { plainText, readField } from './inline.ts'
import { readJson } from './json.ts'
import { type Located, type LocatedEntry, type LocatedTable, looseText, unsoundPlaces } from './located.ts'
import { type Block, findFrontMatter, readMarkdown } from './markdown.ts'
import { placeOn } from './place-on.ts'
import type { RawStep } from './raw-step.ts'
import type { Report } from './report.ts'
import type { SourceText } from './source-text.ts'
import { readToml } from './toml.ts'
import { readYaml } from './yaml.ts'
import { isZeroclawSopKey } from './zeroclaw-keys.ts'

// documents.ts: the files of an SOP as one document: its settings by origin, its steps, its dialect.

export interface SopDocument {
  readonly dialect: Dialect
  /** Settings of the manifest; of front matter where there is no manifest. */
  readonly manifest: readonly LocatedEntry[]
  /** Settings of the Markdown: front matter beside a manifest, and bold lines above the steps. */
  readonly markdown: readonly LocatedEntry[]
  readonly steps: readonly RawStep[]
  /** The first heading, and the first sentence below it. */
  readonly title?: string
  readonly description?: string
  /** Where the document as a whole stands. */
  readonly place: Place
  /** There is Markdown, or a manifest that could not be read: what is missing is then no surprise. */
  readonly hasMarkdown: boolean
  /** A file could not be read as what it is, so that nothing more is to be said about what it lacks. */
  readonly isBroken: boolean
}

/** Reads the files of an SOP. */
export const readDocuments = (sources: readonly SourceText[], report: Report): SopDocument => {
  const toml = sources.find(({ path }) => /\.toml$/i.test(path))
  const json = sources.find(({ path }) => /\.json$/i.test(path))
  const markdown = sources.find(({ path }) => /\.(?:md|markdown)$/i.test(path))
  if (toml !== undefined && json !== undefined) {
    report.add(
      'two-manifests',
      json.on(1),
      `"${json.path}" is not read, since "${toml.path}" stands beside it`,
      'Delete one of the two',
    )
  }
  for (const source of sources) {
    if (isEmpty(source)) report.add('empty-file', source.on(1), `Cannot read "${source.path}": it is empty`)
  }
  const manifest = readManifest(toml ?? json, report)
  const page = markdown === undefined || markdown.text.trim() === '' ? undefined : readPage(markdown, report)
  const main = markdown ?? toml ?? json ?? sources[0]
  const isBroken = manifest === 'broken' || page?.isBroken === true || sources.some(isEmpty)
  const entries = manifest === 'broken' || manifest === undefined ? [] : manifest
  const hasManifest = manifest !== undefined
  return {
    dialect: dialectOf({
      entries,
      found: page?.found,
      hasToml: toml !== undefined,
      hasJson: json !== undefined,
      hasPage: page !== undefined,
    }),
    manifest: hasManifest ? entries : (page?.front ?? []),
    markdown: [...(hasManifest ? (page?.front ?? []) : []), ...(page?.bold ?? [])],
    steps: page?.found?.steps ?? [],
    place: main?.on(1) ?? { file: '', line: 1, column: 1 },
    hasMarkdown: markdown !== undefined,
    isBroken,
    ...(page?.title === undefined ? {} : { title: page.title }),
    ...(page?.description === undefined ? {} : { description: page.description }),
  }
}

/** TOML may hold nothing: everything has a default. */
const isEmpty = ({ path, text }: SourceText): boolean => text.trim() === '' && !/\.toml$/i.test(path)

const readManifest = (
  source: SourceText | undefined,
  report: Report,
): readonly LocatedEntry[] | 'broken' | undefined => {
  if (source === undefined) return undefined
  if (isEmpty(source)) return 'broken'
  const isToml = /\.toml$/i.test(source.path)
  const root = isToml ? readToml(source, report) : readJson(source, report)
  if (root === undefined) return 'broken'
  if (root.kind !== 'table') {
    report.add('wrong-type', root.place, `Cannot read "${source.path}": expected an object of settings`)
    return 'broken'
  }
  reportUnsound(root, report)
  return flattened(root)
}

const reportUnsound = (root: Located, report: Report): void => {
  for (const place of unsoundPlaces(root)) {
    const message = 'Cannot use this text: an escape in it stands for a character that no command or file can hold'
    report.add('bad-value', place, message, 'Delete the escape')
  }
}

/** `[sop]` and the tables beside it are one level to us. */
const flattened = (root: LocatedTable): readonly LocatedEntry[] =>
  root.entries.flatMap((entry) =>
    normalizeKey(entry.key) === 'sop' && entry.value.kind === 'table' ? entry.value.entries : [entry],
  )

interface Page {
  readonly front: readonly LocatedEntry[] | undefined
  readonly bold: readonly LocatedEntry[]
  readonly found: FoundSteps | undefined
  readonly title: string | undefined
  readonly description: string | undefined
  readonly isBroken: boolean
}

const readPage = (source: SourceText, report: Report): Page => {
  const before = report.errorCount
  const matter = findFrontMatter(source, report)
  const yaml = matter === undefined ? undefined : readYaml({ source, start: matter.start, end: matter.end }, report)
  if (yaml !== undefined) reportUnsound(yaml, report)
  const blocks = readMarkdown(source, matter?.lines ?? 0, report)
  const isBroken = report.errorCount > before
  const found = findSteps(blocks, source, report)
  const head = found?.head ?? blocks
  return {
    front: matter === undefined ? undefined : yaml === undefined ? [] : flattened(yaml),
    bold: boldSettings(head, report),
    found,
    title: titleOf(head),
    description: descriptionOf(head),
    isBroken,
  }
}

const titleOf = (head: readonly Block[]): string | undefined => {
  const heading = head.find((block) => block.kind === 'heading' && block.level === 1)
  const text = heading?.kind === 'heading' ? plainText(heading.line.text) : ''
  return text === '' ? undefined : text
}

/** The first sentence below the first heading, or of its Overview (rulings 1). */
const descriptionOf = (head: readonly Block[]): string | undefined => {
  const start = head.findIndex((block) => block.kind === 'heading' && block.level === 1)
  for (const block of head.slice(start + 1)) {
    if (block.kind === 'heading' && !/^overview$/i.test(block.line.text.trim())) return undefined
    if (block.kind !== 'paragraph') continue
    const lines = block.lines.filter(({ text }) => readField(text) === undefined)
    const text = plainText(lines.map((line) => line.text.trim()).join(' '))
    const sentence = /^.*?[.!?](?=\s|$)/s.exec(text.slice(0, 500))?.[0] ?? text.slice(0, 500)
    if (sentence !== '') return sentence
  }
  return undefined
}

const SCALARS: readonly SettingType[] = ['text', 'boolean', 'integer', 'duration', 'word', 'list']

/** Bold lines above the steps: `**Priority**: high`. Lines that look like prose are prose. */
const boldSettings = (head: readonly Block[], report: Report): readonly LocatedEntry[] => {
  const known = spellingsOf('sop')
  return head.flatMap((block) => {
    if (block.kind !== 'paragraph') return []
    return block.lines.flatMap((line) => {
      const field = readField(line.text.replace(/\\$/, '').trimEnd())
      if (field === undefined) return []
      const keyPlace = placeOn(line, field.keyOffset, field.key.length)
      const setting = findSetting('sop', field.key)?.setting
      if (setting !== undefined && SCALARS.includes(setting.type)) {
        const value = looseText(field.value, placeOn(line, field.valueOffset, field.value.length))
        return [{ key: field.key, keyPlace, value }]
      }
      const meant =
        setting === undefined && field.key.length >= 5 && !report.isFull
          ? nearest(normalizeKey(field.key), known)
          : undefined
      if (meant !== undefined)
        report.add(
          'unknown-key',
          keyPlace,
          `Cannot use "${field.key}": an SOP knows no such setting`,
          `Did you mean "${meant}"?`,
        )
      return []
    })
  })
}

interface Signs {
  readonly entries: readonly LocatedEntry[]
  readonly found: FoundSteps | undefined
  readonly hasToml: boolean
  readonly hasJson: boolean
  readonly hasPage: boolean
}

const ZEROCLAW_TRIGGERS = ['filesystem', 'channel']

/** The dialect by the syntax of the steps (rulings 1). */
const dialectOf = ({ entries, found, hasToml, hasJson, hasPage }: Signs): Dialect => {
  if (found?.syntax === 'headings') {
    if (hasJson && !hasToml) return 'B'
    if (hasToml) return 'C'
    return found.level >= 3 ? 'B' : 'D'
  }
  const hasZeroclawKeys = entries.some(
    ({ key, value }) => isZeroclawSopKey(normalizeKey(key)) || isZeroclawValue(key, value),
  )
  const isZeroclaw = hasToml && (hasZeroclawKeys || found?.steps.some(({ isZ }) => isZ) === true)
  if (found !== undefined) return isZeroclaw ? 'Z' : 'A'
  if (hasJson && !hasToml) return 'B'
  const hasSteps = !hasPage && entries.some(({ key }) => normalizeKey(key) === 'steps')
  return hasToml && (hasSteps || isZeroclaw) ? 'Z' : hasToml ? 'A' : 'D'
}

const isZeroclawValue = (key: string, value: Located): boolean => {
  if (normalizeKey(key) === 'execution_mode') return value.kind === 'scalar' && value.value === 'deterministic'
  if (normalizeKey(key) !== 'triggers' || value.kind !== 'list') return false
  return value.items.some(
    (item) =>
      item.kind === 'table' &&
      item.entries.some(
        (entry) =>
          entry.key === 'type' &&
          entry.value.kind === 'scalar' &&
          ZEROCLAW_TRIGGERS.includes(String(entry.value.value)),
      ),
  )
}

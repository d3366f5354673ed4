import type { Place } from '../diagnostic.ts'
import { findSetting, normalizeKey } from '../settings.ts'
import { type KeyValue, plainText, readBullet, readField } from './inline.ts'
import { type Located, type LocatedEntry, looseText } from './located.ts'
import type { Block, Code, List, ListItem, TextLine } from './markdown.ts'
import { placeOn } from './place-on.ts'
import { indentBy, rawBlock, rawLines } from './raw-markdown.ts'
import type { Report } from './report.ts'
import { type FenceUse, fenceUse, interpreterOf, isRunnable } from './step-fence.ts'
import { isBullet, isField, LISTS } from './step-keys.ts'
import { StepSettings } from './step-settings.ts'
import { TitleReader } from './step-title.ts'
import { isStepKey } from './zeroclaw-keys.ts'

// raw-step.ts: a step as its Markdown says it, before anything has a type. The same reader serves all dialects.

/** A fence that is run, rolled back with, or verified by. */
export interface RawCommand {
  readonly use: FenceUse
  readonly interpreter: string
  readonly script: string
  /** Where the script begins, for findings inside it. */
  readonly code: Code
}

export interface RawStep {
  /** As printed. */
  readonly number?: number
  readonly place: Place
  readonly title: string
  readonly titlePlace: Place
  /** An item of a numbered list, which Markdown counts by itself. */
  readonly isItem: boolean
  readonly settings: readonly LocatedEntry[]
  readonly commands: readonly RawCommand[]
  /** Prose and bullets in document order. The bullets of a manual step are its checklist. */
  readonly parts: readonly RawPart[]
  /** What only dialect Z writes: settings such as `kind`, or a text behind the title. */
  readonly isZ: boolean
}
export type RawPart =
  | { readonly kind: 'prose'; readonly text: string }
  | { readonly kind: 'bullets'; readonly items: readonly string[]; readonly text: string }

export interface StepSource {
  readonly number?: number
  readonly place: Place
  /** The line that holds the title. */
  readonly title: TextLine
  /** Numbered list: a bold title may be followed by text. */
  readonly hasBoldTitle: boolean
  /** Lines that follow the title in its own paragraph. */
  readonly lines: readonly TextLine[]
  readonly blocks: readonly Block[]
}

/** Reads a step from its title line and the blocks below it. */
export const readRawStep = (source: StepSource, report: Report): RawStep => new StepReader(report).read(source)

class StepReader {
  private readonly settings: StepSettings
  private readonly commands: RawCommand[] = []
  private readonly parts: RawPart[] = []
  private isZ = false
  /** What fences are for where the reader stands: below a heading "Rollback", and below "rollback:" without a value. */
  private sectionUse: FenceUse = 'run'
  private fieldUse: FenceUse | undefined
  private readonly report: Report

  constructor(report: Report) {
    this.report = report
    this.settings = new StepSettings(report)
  }

  read({ number, place, title: line, hasBoldTitle, lines, blocks }: StepSource): RawStep {
    const titles = new TitleReader(this.report, this.settings)
    const { title, rest } = titles.read(line, hasBoldTitle)
    if (rest !== undefined) this.isZ = true
    const opening = this.fieldLines([...(rest === undefined ? [] : [rest]), ...lines])
    if (opening.length > 0) this.parts.push({ kind: 'prose', text: rawLines(opening) })
    this.blocks(blocks)
    titles.reportLikeApproval(line)
    const { commands, isZ } = this
    const step = {
      place,
      title,
      titlePlace: line.place,
      isItem: hasBoldTitle,
      settings: this.settings.entries,
      commands,
      parts: withoutRules(this.parts),
      isZ,
    }
    return number === undefined ? step : { number, ...step }
  }

  private blocks(blocks: readonly Block[]): void {
    for (let at = 0; at < blocks.length; at++) {
      const block = blocks[at] as Block
      if (block.kind !== 'code') this.fieldUse = undefined
      if (block.kind === 'code') this.code(block)
      else if (block.kind === 'paragraph') at += this.paragraph(block.lines, blocks[at + 1])
      else if (block.kind === 'list') this.list(block)
      else {
        if (block.kind === 'heading')
          this.sectionUse = /^\W*(?:rollback|roll back|undo)\b/i.test(block.line.text) ? 'rollback' : 'run'
        this.parts.push({ kind: 'prose', text: rawBlock(block) })
      }
    }
    this.fieldUse = undefined
  }

  /** How many of the blocks behind it the paragraph takes: a field without a value has it below. */
  private paragraph(lines: readonly TextLine[], next: Block | undefined): number {
    const last = lines.at(-1)
    const field = last === undefined ? undefined : readField(last.text.trimEnd())
    const isOpen = last !== undefined && field?.value === '' && isField(field)
    const taken =
      isOpen && next !== undefined && this.valueBelow(field, placeOn(last, field.keyOffset, field.key.length), next)
    const rest = this.fieldLines(isOpen && taken !== false ? lines.slice(0, -1) : lines)
    if (rest.length > 0) this.parts.push({ kind: 'prose', text: rawLines(rest) })
    return taken === 'list' ? 1 : 0
  }

  /**
   * Takes the value of a setting from the block below its key: the bullets of a list, or the fences of `rollback` and
   * `verify`, which `code` then reads. False when the block is no value.
   */
  private valueBelow({ key }: KeyValue, keyPlace: Place, block: Block): 'list' | 'fences' | false {
    const setting = findSetting('step', key)?.setting
    if (setting?.type === 'commands' && block.kind === 'code' && isRunnable(block)) {
      this.fieldUse = setting.key === 'rollback' ? 'rollback' : 'verify'
      return 'fences'
    }
    if (!LISTS.includes(setting?.type ?? 'text') || block.kind !== 'list' || block.isOrdered) return false
    const items = block.items.flatMap(({ blocks: [first, ...others] }): readonly Located[] => {
      const line = first?.kind === 'paragraph' && first.lines.length === 1 ? first.lines[0] : undefined
      return line === undefined || others.length > 0 ? [] : [looseText(line.text.trim(), line.place)]
    })
    if (items.length < block.items.length) return false
    this.settings.entries.push({ key, keyPlace, value: { kind: 'list', items, place: block.place } })
    return 'list'
  }

  /** Takes the lines that are fields (`**Timeout**: 5m`) and gives back the others. */
  private fieldLines(lines: readonly TextLine[]): readonly TextLine[] {
    return lines.filter((line) => {
      const field = readField(line.text.replace(/\\$/, '').trimEnd())
      return field === undefined || !this.field(field, line)
    })
  }

  private field(field: KeyValue, line: TextLine): boolean {
    const keyPlace = placeOn(line, field.keyOffset, field.key.length)
    if (!isField(field)) {
      if (this.settings.looksMeant(field.key, 'field')) this.settings.unknown(field.key, keyPlace)
      return false
    }
    if (!this.settings.isSafeCommand(field, keyPlace)) return false
    this.settings.set(field, keyPlace, placeOn(line, field.valueOffset, field.value.length))
    return true
  }

  private list(list: List): void {
    const kept = list.items.filter((item) => !this.settingItem(item))
    const items: string[] = []
    const texts: string[] = []
    for (const item of kept) {
      const { plain, raw } = this.item(item, list)
      if (raw !== '') texts.push(raw)
      items.push(...plain)
    }
    if (texts.length > 0) this.parts.push({ kind: 'bullets', items, text: texts.join(list.isTight ? '\n' : '\n\n') })
  }

  /** Takes an item that is a setting (`timeout: 5m`); its further lines belong to the value. */
  private settingItem({ blocks }: ListItem): boolean {
    const [first, ...others] = blocks
    if (first?.kind !== 'paragraph') return false
    const [line, ...more] = first.lines
    if (line === undefined) return false
    const text = line.text.trimEnd()
    const bullet = readBullet(text)
    const pair = bullet ?? readField(text)
    if (pair === undefined) return this.settings.lookAlike(line)
    if (others.length > 0) return this.settingAbove(pair, line, others)
    const keyPlace = placeOn(line, pair.keyOffset, pair.key.length)
    if (bullet === undefined ? !isField(pair) : !isBullet(pair.key)) {
      if (this.settings.looksMeant(pair.key, bullet === undefined ? 'field' : 'bullet'))
        this.settings.unknown(pair.key, keyPlace)
      return false
    }
    const value = [pair.value, ...more.map((each) => each.text.trim())].join(' ').trim()
    const whole = { ...pair, value }
    if (!this.settings.isSafeCommand(whole, keyPlace)) return false
    if (bullet !== undefined && isStepKey(normalizeKey(pair.key))) this.isZ = true
    this.settings.set(whole, keyPlace, placeOn(line, pair.valueOffset, Math.max(1, pair.value.length)))
    return true
  }

  /** Takes an item that is a setting with its value below it, as YAML would write it. */
  private settingAbove(pair: KeyValue, line: TextLine, below: readonly Block[]): boolean {
    if (!isBullet(pair.key)) return false
    const keyPlace = placeOn(line, pair.keyOffset, pair.key.length)
    const [block, ...others] = below
    const taken = pair.value === '' && block !== undefined && this.valueBelow(pair, keyPlace, block)
    if (taken === 'list' && others.length === 0) return true
    if (taken === 'fences' && below.every((each) => each.kind === 'code' && this.command(each))) {
      this.fieldUse = undefined
      return true
    }
    // Prose below "Rollback:" stays prose, as it does behind it.
    if (!hasRunnable(below) && !this.settings.isSafeCommand(pair, keyPlace)) return false
    const message = `Cannot read setting "${pair.key}": what stands below it is no value`
    this.report.add('bad-value', keyPlace, message, `Write "${pair.key}: " and its value on one line`)
    return true
  }

  /** A bullet as checklist items in plain text, nested ones behind it, and as Markdown; its fences are commands. */
  private item(
    { blocks, number }: ListItem,
    { isTight }: List,
  ): { readonly plain: readonly string[]; readonly raw: string } {
    const marker = number === undefined ? '- ' : `${number}. `
    const plain: string[] = []
    const raw: string[] = []
    for (const block of blocks) {
      if (block.kind === 'code' && this.command(block)) continue
      if (block.kind === 'list') {
        for (const item of block.items) this.reportNested(item)
        const inner = block.items.map((item) => this.item(item, block))
        plain.push(...inner.flatMap((item) => item.plain))
        raw.push(inner.map((item) => item.raw).join(block.isTight ? '\n' : '\n\n'))
        continue
      }
      if (block.kind === 'paragraph') plain.push(checklistText(block.lines))
      raw.push(rawBlock(block))
    }
    const text = raw.filter((part) => part !== '').join(isTight ? '\n' : '\n\n')
    return {
      plain: plain.filter((item) => item !== ''),
      raw: text === '' ? '' : marker + indentBy(text, marker.length),
    }
  }

  private reportNested({ blocks: [first] }: ListItem): void {
    const line = first?.kind === 'paragraph' ? first.lines[0] : undefined
    const bullet = line === undefined ? undefined : readBullet(line.text.trimEnd())
    if (line === undefined || bullet === undefined || bullet.value === '' || !isBullet(bullet.key)) return
    const place = placeOn(line, bullet.keyOffset, bullet.key.length)
    const message = `Setting "${bullet.key}" has no effect in a bullet inside a bullet`
    this.report.add('ignored-setting', place, message, 'Move it to the bullets of the step')
  }

  private code(code: Code): void {
    if (this.command(code)) return
    this.parts.push({ kind: 'prose', text: rawBlock(code) })
    if (code.fence?.isClosed === false) {
      this.report.add(
        'unclosed-text-fence',
        code.place,
        'This fence is never closed, so all that follows is text',
        `Write ${code.fence.markup} behind the text`,
      )
    }
  }

  /** Whether the block is a command; then it is taken. */
  private command(code: Code): boolean {
    const [language = '', ...words] = (code.fence?.info ?? '').split(/\s+/)
    const interpreter = interpreterOf(language)
    if (code.fence === undefined || interpreter === undefined) return false
    if (!code.fence.isClosed) {
      this.report.add(
        'unclosed-fence',
        code.place,
        'Cannot read the commands: their fence is never closed, so all that follows would be run',
        `Write ${code.fence.markup} behind the last command`,
      )
    }
    const use = fenceUse(words, code, this.fieldUse ?? this.sectionUse, this.report)
    if (code.content.trim() !== '')
      this.commands.push({ use, interpreter, script: code.content.replace(/\n+$/, ''), code })
    return true
  }
}

const hasRunnable = (blocks: readonly Block[]): boolean =>
  blocks.some(
    (block) =>
      (block.kind === 'code' && isRunnable(block)) ||
      (block.kind === 'list' && block.items.some((item) => hasRunnable(item.blocks))),
  )

const checklistText = (lines: readonly TextLine[]): string =>
  plainText(
    lines
      .map(({ text }) => text.trim())
      .join(' ')
      .replace(/^\[[ xX]\]\s+/, ''),
  )

/** Rules between steps divide, they say nothing. */
const withoutRules = (parts: readonly RawPart[]): readonly RawPart[] => {
  const isRule = (part: RawPart | undefined): boolean => part?.kind === 'prose' && part.text === '---'
  let end = parts.length
  while (end > 0 && isRule(parts[end - 1])) end -= 1
  let start = 0
  while (start < end && isRule(parts[start])) start += 1
  return parts.slice(start, end)
}

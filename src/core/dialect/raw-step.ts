import type { Place } from '../diagnostic.ts'
import { didYouMean, nearest } from '../nearest.ts'
import { HIDDEN } from '../printable.ts'
import { findSetting, normalizeKey } from '../settings.ts'
import {
  findGroups,
  type KeyValue,
  type Piece,
  plainText,
  readBold,
  readBullet,
  readField,
  readPair,
  splitAtCommas,
  unwrap,
} from './inline.ts'
import { type Located, type LocatedEntry, looseText } from './located.ts'
import type { Block, Code, List, ListItem, TextLine } from './markdown.ts'
import { indentBy, rawBlock, rawLines } from './raw-markdown.ts'
import type { Report } from './report.ts'
import { flag, isBullet, isField, isKnown, joinLists, KNOWN, LISTS, looksMeant } from './step-keys.ts'
import { isStepKey } from './zeroclaw-keys.ts'

// raw-step.ts: a step as its Markdown says it, before anything has a type. The same reader serves all dialects.

export type FenceUse = 'run' | 'rollback' | 'verify'

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

const INTERPRETERS: Readonly<Record<string, string>> = {
  bash: 'bash',
  shell: 'bash',
  sh: 'sh',
  dash: 'dash',
  zsh: 'zsh',
  ksh: 'ksh',
  fish: 'fish',
  python: 'python',
  python3: 'python',
  py: 'python',
  node: 'node',
  js: 'node',
  javascript: 'node',
  mjs: 'node',
  ruby: 'ruby',
  rb: 'ruby',
  perl: 'perl',
  php: 'php',
  lua: 'lua',
  pwsh: 'pwsh',
  powershell: 'pwsh',
  ps1: 'pwsh',
}

/** The interpreter of a fence's language; undefined when the fence is documentation. */
export const interpreterOf = (language: string): string | undefined => {
  const name = language.toLowerCase()
  return Object.hasOwn(INTERPRETERS, name) ? INTERPRETERS[name] : undefined
}

/** Whether a block of code is a fence that is run. */
export const isRunnable = ({ fence }: Code): boolean =>
  fence !== undefined && interpreterOf(fence.info.split(/\s+/)[0] ?? '') !== undefined

/** Reads a step from its title line and the blocks below it. */
export const readRawStep = (source: StepSource, report: Report): RawStep => new StepReader(report).read(source)

const APPROVAL =
  /[(（]\s{0,9}(?:requires?\s{1,9}approval|approval\s{1,9}required|requires?\s{1,9}confirmation)\s{0,9}[)）]/i
// What may have been meant for it: "(needs approval)", "(requires aproval)".
const LIKE_APPROVAL = /[(（][^()（）]{0,60}\b(?:app?ro{1,2}v|confirm)[^()（）]{0,60}[)）]/i

class StepReader {
  private readonly settings: LocatedEntry[] = []
  private readonly commands: RawCommand[] = []
  private readonly parts: RawPart[] = []
  private isZ = false
  /** What fences are for where the reader stands: below a heading "Rollback", and below "rollback:" without a value. */
  private sectionUse: FenceUse = 'run'
  private fieldUse: FenceUse | undefined
  private likeApproval: Place | undefined
  private readonly report: Report

  constructor(report: Report) {
    this.report = report
  }

  read({ number, place, title: line, hasBoldTitle, lines, blocks }: StepSource): RawStep {
    const { title, rest } = this.title(line, hasBoldTitle)
    const opening = this.fieldLines([...(rest === undefined ? [] : [rest]), ...lines])
    if (opening.length > 0) this.parts.push({ kind: 'prose', text: rawLines(opening) })
    this.blocks(blocks)
    this.reportLikeApproval(line)
    const { settings, commands, isZ } = this
    const step = {
      place,
      title,
      titlePlace: line.place,
      isItem: hasBoldTitle,
      settings,
      commands,
      parts: withoutRules(this.parts),
      isZ,
    }
    return number === undefined ? step : { number, ...step }
  }

  private title(line: TextLine, hasBoldTitle: boolean): { readonly title: string; readonly rest?: TextLine } {
    const bold = hasBoldTitle ? readBold(line.text) : undefined
    // Brackets of a bold title and those behind it are looked for on their own: neither closes the other's.
    const text =
      bold === undefined
        ? this.takeSettings(line.text.trimEnd(), 0, line)
        : `**${this.takeSettings(bold.bold, 2, line)}**${this.takeSettings(bold.rest.trimEnd(), bold.restOffset, line)}`
    const left = bold === undefined ? undefined : readBold(text)
    const dash = left === undefined ? null : /^\s*(?:[—–]|--?|:)(?=\s|$)\s*/.exec(left.rest)
    if (left === undefined || (dash === null && left.rest.trim() !== '')) return { title: titleText(text) }
    const body = dash === null ? '' : left.rest.slice(dash[0].length).trim()
    if (body === '') return { title: titleText(left.bold) }
    this.isZ = true
    const rest = { text: body, place: placeOn(line, Math.max(0, text.lastIndexOf(body)), body.length), indent: 0 }
    return { title: titleText(left.bold), rest }
  }

  /** Takes bracket lists and "(requires approval)" out of a part of the title line, leaving blanks in their place. */
  private takeSettings(part: string, offset: number, line: TextLine): string {
    const kept: string[] = []
    let from = 0
    for (const { start, end } of findGroups(part)) {
      if (!this.bracketList(part.slice(start + 1, end - 1), line, offset + start + 1)) continue
      kept.push(part.slice(from, start), ' '.repeat(end - start))
      from = end
    }
    const text = kept.join('') + part.slice(from)
    const open = text.lastIndexOf('[')
    const isOpen = open !== -1 && !text.includes(']', open)
    const first = isOpen ? readPair({ text: text.slice(open + 1).trimStart(), offset: 0 }) : undefined
    if (first !== undefined && isKnown(first.key)) {
      const message = 'Cannot read the bracket list: it is never closed'
      this.report.add('bad-value', placeOn(line, offset + open, 1), message, 'Write ] behind the last setting')
    }
    const approval = APPROVAL.exec(text)
    if (approval === null) {
      const like = LIKE_APPROVAL.exec(text)
      if (like !== null) this.likeApproval = placeOn(line, offset + like.index, like[0].length)
      return text
    }
    const place = placeOn(line, offset + approval.index, approval[0].length)
    this.settings.push({ key: 'requires_approval', keyPlace: place, value: looseText('true', place) })
    return blank(text, approval.index, approval.index + approval[0].length)
  }

  /** Words about approval in the title that mean nothing here, in a step that says nothing else about it. */
  private reportLikeApproval({ text, place: { column } }: TextLine): void {
    const place = this.likeApproval
    const isAsked = this.settings.some(({ key }) =>
      ['requires_approval', 'approve_if'].includes(findSetting('step', key)?.setting.key ?? ''),
    )
    if (place === undefined || isAsked) return
    const words = text.slice(place.column - column, place.column - column + (place.length ?? 1))
    const message = `"${words}" is part of the title and asks for no approval`
    const help = /\b(?:no|not|without)\b/i.test(words)
      ? 'To waive the approval of the mode, write [requires_approval: false]'
      : 'Write (requires approval), or [requires_approval: true]'
    this.report.add('ignored-setting', place, message, help)
  }

  private bracketList(inner: string, line: TextLine, start: number): boolean {
    const pieces = splitAtCommas(inner)
    const pairs = joinLists(
      pieces.map((piece) => readPair(piece) ?? flag(piece) ?? piece),
      inner,
    )
    const isList = pairs.some((pair) => 'key' in pair && isKnown(pair.key))
    for (const pair of pairs) {
      if (!('key' in pair)) {
        if (isList) this.stray(pair, placeOn(line, start + pair.offset, pair.text.length))
        continue
      }
      const keyPlace = placeOn(line, start + pair.keyOffset, pair.key.length)
      if (isList) this.set(pair, keyPlace, placeOn(line, start + pair.valueOffset, pair.value.length))
      else if (this.looksMeant(pair.key, pair.value === '' ? 'flag' : 'pair')) this.unknown(pair.key, keyPlace)
    }
    return isList
  }

  /** A piece of a bracket list without a value. */
  private stray({ text }: Piece, place: Place): void {
    if (!isKnown(text)) return this.unknown(text, place)
    this.report.add(
      'bad-value',
      place,
      `Cannot read setting "${text}": it has no value`,
      `Write ${text}: and its value`,
    )
  }

  private looksMeant(key: string, form: 'pair' | 'flag' | 'field' | 'bullet'): boolean {
    // Looking for what was meant is costly, and pointless when nothing more is listed.
    return !this.report.isFull && looksMeant(key, form)
  }

  private unknown(key: string, place: Place): void {
    if (this.report.isFull) return
    const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key
    const help = didYouMean(normalizeKey(key), KNOWN)
    this.report.add('unknown-key', place, `Cannot use "${shown}": a step knows no such setting`, help)
  }

  private set({ key, value }: KeyValue, keyPlace: Place, valuePlace: Place): void {
    this.settings.push({ key, keyPlace, value: looseText(value, valuePlace) })
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
    this.settings.push({ key, keyPlace, value: { kind: 'list', items, place: block.place } })
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
      if (this.looksMeant(field.key, 'field')) this.unknown(field.key, keyPlace)
      return false
    }
    if (!this.isSafeCommand(field, keyPlace)) return false
    this.set(field, keyPlace, placeOn(line, field.valueOffset, field.value.length))
    return true
  }

  /** Prose is never run by accident: a command in a field or bullet stands in backticks. */
  private isSafeCommand({ key, value }: KeyValue, place: Place): boolean {
    const isCommand = findSetting('step', key)?.setting.type === 'commands'
    if (!isCommand || unwrap(value).isCode) return true
    const help = `Put the command in backticks, or in a fence marked ${normalizeKey(key)}`
    this.report.add(
      'ignored-setting',
      place,
      `Cannot take "${key}" for a command: it is not in backticks, so it is read as prose`,
      help,
    )
    return false
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
    if (pair === undefined) return this.lookAlike(line)
    if (others.length > 0) return this.settingAbove(pair, line, others)
    const keyPlace = placeOn(line, pair.keyOffset, pair.key.length)
    if (bullet === undefined ? !isField(pair) : !isBullet(pair.key)) {
      if (this.looksMeant(pair.key, bullet === undefined ? 'field' : 'bullet')) this.unknown(pair.key, keyPlace)
      return false
    }
    const value = [pair.value, ...more.map((each) => each.text.trim())].join(' ').trim()
    const whole = { ...pair, value }
    if (!this.isSafeCommand(whole, keyPlace)) return false
    if (bullet !== undefined && isStepKey(normalizeKey(pair.key))) this.isZ = true
    this.set(whole, keyPlace, placeOn(line, pair.valueOffset, Math.max(1, pair.value.length)))
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
    if (!hasRunnable(below) && !this.isSafeCommand(pair, keyPlace)) return false
    const message = `Cannot read setting "${pair.key}": what stands below it is no value`
    this.report.add('bad-value', keyPlace, message, `Write "${pair.key}: " and its value on one line`)
    return true
  }

  /** Says of a bullet that looks like a setting and is none why it is none. */
  private lookAlike(line: TextLine): false {
    const found = LOOK_ALIKE.exec(line.text.replace(HIDDEN_ALL, ''))
    const [, key = '', value = ''] = found ?? []
    // Prose begins with a capital, and "http://" is no setting.
    const isMeant = /^[a-z]/.test(key) || /[\s_-]/.test(key)
    if (found === null || !isMeant || value.startsWith('//') || !isBullet(key) || this.report.isFull) return false
    const message = `"${line.text.slice(0, 60)}" looks like a setting and is read as text`
    const help = `Write it as "${normalizeKey(key)}: ${value.slice(0, 40).trim()}"`
    this.report.add('ignored-setting', placeOn(line, 0, line.text.length), message, help)
    return false
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
    const use = this.useOf(words, code)
    if (code.content.trim() !== '')
      this.commands.push({ use, interpreter, script: code.content.replace(/\n+$/, ''), code })
    return true
  }

  private useOf(words: readonly string[], { place, fence }: Code): FenceUse {
    let use: FenceUse = this.fieldUse ?? this.sectionUse
    for (const word of words) {
      const known = word.toLowerCase()
      if (known === 'rollback' || known === 'verify') use = known
      else if (/^[A-Za-z-]+$/.test(word)) {
        const offset = (fence?.markup.length ?? 0) + (fence?.info.indexOf(word) ?? 0)
        const at = { ...place, column: place.column + offset, length: word.length }
        const meant = nearest(word, ['rollback', 'verify', 'undo'])
        const message = `Cannot tell what "${word}" means behind the language of a fence`
        if (meant === undefined) this.report.add('unknown-word', at, message, 'Known words are rollback and verify')
        else
          this.report.add(
            'misspelt-fence-word',
            at,
            message,
            `Did you mean "${meant === 'undo' ? 'rollback' : meant}"?`,
          )
      }
    }
    return use
  }
}

const hasRunnable = (blocks: readonly Block[]): boolean =>
  blocks.some(
    (block) =>
      (block.kind === 'code' && isRunnable(block)) ||
      (block.kind === 'list' && block.items.some((item) => hasRunnable(item.blocks))),
  )

const HIDDEN_ALL = new RegExp(HIDDEN, 'gu')
const LOOK_ALIKE = /^\**([A-Za-z][\w -]{0,40}?)\**\s{0,9}[:：=](?!=)\**\s{0,9}(.*)$/

const blank = (text: string, start: number, end: number): string =>
  text.slice(0, start) + ' '.repeat(end - start) + text.slice(end)

const titleText = (text: string): string => plainText(text.replace(/\s+/g, ' '))

/** The place of a span inside a line of text. */
export const placeOn = ({ place }: TextLine, offset: number, length: number): Place => ({
  file: place.file,
  line: place.line,
  column: place.column + offset,
  length: Math.max(1, length),
})

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

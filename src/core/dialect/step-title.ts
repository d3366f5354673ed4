import type { Place } from '../diagnostic.ts'
import { findSetting } from '../settings.ts'
import { findGroups, type Piece, plainText, readBold, readPair, splitAtCommas } from './inline.ts'
import { looseText } from './located.ts'
import type { TextLine } from './markdown.ts'
import { placeOn } from './place-on.ts'
import type { Report } from './report.ts'
import { flag, isKnown, joinLists } from './step-keys.ts'
import type { StepSettings } from './step-settings.ts'

// step-title.ts: the line that a step begins with: its title, bracket lists, "(requires approval)", and text behind it.

export interface StepTitle {
  readonly title: string
  /** Text behind a bold title, which only dialect Z writes. */
  readonly rest?: TextLine
}

const APPROVAL =
  /[(（]\s{0,9}(?:requires?\s{1,9}approval|approval\s{1,9}required|requires?\s{1,9}confirmation)\s{0,9}[)）]/i
// What may have been meant for it: "(needs approval)", "(requires aproval)".
const LIKE_APPROVAL = /[(（][^()（）]{0,60}\b(?:app?ro{1,2}v|confirm)[^()（）]{0,60}[)）]/i

export class TitleReader {
  private readonly report: Report
  private readonly settings: StepSettings
  private likeApproval: Place | undefined

  constructor(report: Report, settings: StepSettings) {
    this.report = report
    this.settings = settings
  }

  read(line: TextLine, hasBoldTitle: boolean): StepTitle {
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
    this.settings.entries.push({ key: 'requires_approval', keyPlace: place, value: looseText('true', place) })
    return blank(text, approval.index, approval.index + approval[0].length)
  }

  /** Words about approval in the title that mean nothing here, in a step that says nothing else about it. */
  reportLikeApproval({ text, place: { column } }: TextLine): void {
    const place = this.likeApproval
    const isAsked = this.settings.entries.some(({ key }) =>
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
      if (isList) this.settings.set(pair, keyPlace, placeOn(line, start + pair.valueOffset, pair.value.length))
      else if (this.settings.looksMeant(pair.key, pair.value === '' ? 'flag' : 'pair'))
        this.settings.unknown(pair.key, keyPlace)
    }
    return isList
  }

  /** A piece of a bracket list without a value. */
  private stray({ text }: Piece, place: Place): void {
    if (!isKnown(text)) return this.settings.unknown(text, place)
    this.report.add(
      'bad-value',
      place,
      `Cannot read setting "${text}": it has no value`,
      `Write ${text}: and its value`,
    )
  }
}

const blank = (text: string, start: number, end: number): string =>
  text.slice(0, start) + ' '.repeat(end - start) + text.slice(end)

const titleText = (text: string): string => plainText(text.replace(/\s+/g, ' '))

import type { Place } from '../diagnostic.ts'
import { didYouMean } from '../nearest.ts'
import { HIDDEN } from '../printable.ts'
import { findSetting, normalizeKey } from '../settings.ts'
import { type KeyValue, unwrap } from './inline.ts'
import { type LocatedEntry, looseText } from './located.ts'
import type { TextLine } from './markdown.ts'
import { placeOn } from './place-on.ts'
import type { Report } from './report.ts'
import { isBullet, KNOWN, looksMeant } from './step-keys.ts'

// step-settings.ts: the settings of a step as they are found, and what is said of words that only look like one.

const HIDDEN_ALL = new RegExp(HIDDEN, 'gu')
const LOOK_ALIKE = /^\**([A-Za-z][\w -]{0,40}?)\**\s{0,9}[:：=](?!=)\**\s{0,9}(.*)$/

export class StepSettings {
  readonly entries: LocatedEntry[] = []
  private readonly report: Report

  constructor(report: Report) {
    this.report = report
  }

  /** Whether somebody may have meant a setting by a key that is none. */
  looksMeant(key: string, form: 'pair' | 'flag' | 'field' | 'bullet'): boolean {
    // Looking for what was meant is costly, and pointless when nothing more is listed.
    return !this.report.isFull && looksMeant(key, form)
  }

  /** Says of a key that no setting has it. */
  unknown(key: string, place: Place): void {
    if (this.report.isFull) return
    const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key
    const help = didYouMean(normalizeKey(key), KNOWN)
    this.report.add('unknown-key', place, `Cannot use "${shown}": a step knows no such setting`, help)
  }

  /** Takes a setting as it is written. */
  set({ key, value }: KeyValue, keyPlace: Place, valuePlace: Place): void {
    this.entries.push({ key, keyPlace, value: looseText(value, valuePlace) })
  }

  /** Prose is never run by accident: a command in a field or bullet stands in backticks. */
  isSafeCommand({ key, value }: KeyValue, place: Place): boolean {
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

  /** Says of a bullet that looks like a setting and is none why it is none. */
  lookAlike(line: TextLine): false {
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
}

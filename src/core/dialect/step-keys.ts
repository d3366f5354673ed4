import { nearest } from '../nearest.ts'
import { findSetting, normalizeKey, type SettingType, spellingsOf } from '../settings.ts'
import type { KeyValue, Piece } from './inline.ts'
import { isStepKey, STEP_KEYS } from './zeroclaw-keys.ts'

// step-keys.ts: which words of a step are settings, which were meant to be, and which are prose.

/** All names that a step knows, those of dialect Z included. */
export const KNOWN = [...spellingsOf('step'), ...STEP_KEYS]

/** Whether the key is one that a step knows. */
export const isKnown = (key: string): boolean => findSetting('step', key) !== undefined || isStepKey(normalizeKey(key))

/** Settings that make no sense inside the step's own text. */
const MANIFEST_ONLY = ['number', 'title', 'description', 'commands', 'checklist']

/** A bullet's key: a setting's own name, or a synonym of several words; single words such as "check" begin many a bullet. */
export const isBullet = (key: string): boolean => {
  const normalized = normalizeKey(key)
  const setting = findSetting('step', key)?.setting
  if (setting === undefined) return isStepKey(normalized)
  if (isStepKey(normalized)) return true
  return !MANIFEST_ONLY.includes(setting.key) && (setting.key === normalized || normalized.includes('_'))
}

/** Whether a field line is a setting: `**Timeout**: 5m`. */
export const isField = ({ key }: KeyValue): boolean => {
  const setting = findSetting('step', key)?.setting
  return isBullet(key) || setting?.type === 'boolean'
}

/** Whether an unknown key was most likely meant as a setting. Prose such as `**Note**: …` is not. */
export const looksMeant = (key: string, form: 'pair' | 'flag' | 'field' | 'bullet'): boolean => {
  if (isKnown(key)) return false
  const meant = nearest(normalizeKey(key), KNOWN)
  const isIdentifier = /^[a-z]+(?:[_-][a-z]+)*$/.test(key)
  if (form === 'pair') return isIdentifier
  if (form === 'bullet') return isIdentifier && (meant !== undefined || /[_-]/.test(key))
  return meant !== undefined && key.length >= 6
}

/** A piece of a bracket list that is a boolean setting by itself: `[idempotent]`. */
export const flag = ({ text, offset }: Piece): KeyValue | undefined => {
  const key = normalizeKey(text)
  const found = findSetting('step', key)?.setting
  if (!/^[a-z_]+$/.test(key) || (found !== undefined && found.type !== 'boolean')) return undefined
  return { key: text, keyOffset: offset, value: found === undefined ? '' : 'true', valueOffset: offset }
}

/** Types whose value is a list. */
export const LISTS: readonly SettingType[] = ['list', 'steps', 'each', 'map', 'quorum', 'pool']

/** `[needs: 1, 2, timeout: 5m]`: a piece without a key belongs to the list before it. */
export const joinLists = (pieces: readonly (KeyValue | Piece)[], inner: string): readonly (KeyValue | Piece)[] => {
  const joined: (KeyValue | Piece)[] = []
  for (const piece of pieces) {
    const last = joined.at(-1)
    // `group:dba` looks like a setting and is an item: who may decide.
    const isPart = !('key' in piece) || (!isKnown(piece.key) && (piece.value === '' || piece.key === 'group'))
    const isList =
      last !== undefined && 'key' in last && LISTS.includes(findSetting('step', last.key)?.setting.type ?? 'text')
    if (!isPart || !isList || last.value === '' || /^[[{]/.test(last.value)) joined.push(piece)
    else {
      const end = endOf(piece)
      joined[joined.length - 1] = { ...last, value: inner.slice(last.valueOffset, end) }
    }
  }
  return joined
}

const endOf = (piece: KeyValue | Piece): number => {
  if (!('key' in piece)) return piece.offset + piece.text.length
  return piece.value === '' ? piece.keyOffset + piece.key.length : piece.valueOffset + piece.value.length
}

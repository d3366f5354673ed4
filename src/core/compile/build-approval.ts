import type { ApprovalSettings, OnReject, OnTimeout } from '../definition.ts'
import type { Fields, Stricter } from '../dialect/fields.ts'
import type { Located } from '../dialect/located.ts'
import { type Asked, readInteger, readMap, readTable, refuseType, refuseValue } from '../dialect/values.ts'
import type { SettingKey } from '../settings.ts'
import { compact } from './compact.ts'

/** `null` is no limit, and so the longest. */
export const longer: Stricter<number | null> = (a, b) => (a === null || b === null ? null : Math.max(a, b))

const STRICTNESS: Readonly<Record<OnTimeout, number>> = { approve: 0, escalate: 1, reject: 2, fail: 3 }
const stricterTimeout: Stricter<OnTimeout> = (a, b) => (STRICTNESS[a] >= STRICTNESS[b] ? a : b)

/** The settings that steps and gates say in the same words; `timeoutKey` is what a gate calls its deadline. */
export const buildApproval = (fields: Fields, timeoutKey: SettingKey = 'approval_timeout'): ApprovalSettings => {
  const approvers = texts(fields, 'approvers')
  const quorum = fields.read('quorum', readQuorum)
  const persons = new Set(approvers)
  const isReachable = approvers?.some((name) => name.includes(':')) === true || approvers === undefined
  if (typeof quorum === 'number' && !isReachable && quorum > persons.size) {
    const why = `${quorum} must approve, and approvers names only ${persons.size}`
    refuseValue(fields.valuePlace('quorum'), fields.asked('quorum'), why)
  }
  return compact({
    approvalTimeoutMs: fields.duration(timeoutKey, longer),
    onTimeout: fields.word<OnTimeout>('on_timeout', stricterTimeout),
    approvers,
    quorum,
    exclude: texts(fields, 'exclude'),
    onReject: fields.word<OnReject>('on_reject'),
    remindMs: readRemind(fields),
    escalateTo: texts(fields, 'escalate_to'),
  })
}

/** Each reminder is an event on record, for as long as the gate stands open. */
const LEAST_REMIND_MS = 60_000

const readRemind = (fields: Fields): number | undefined => {
  const remindMs = fields.duration('remind') ?? undefined
  return remindMs !== undefined && remindMs < LEAST_REMIND_MS
    ? refuseValue(fields.valuePlace('remind'), fields.asked('remind'), 'reminders are at least 1 minute apart')
    : remindMs
}

/** A list of texts without its places; an empty list is no list. */
export const texts = (fields: Fields, key: SettingKey): readonly string[] | undefined => {
  const list = fields.list(key)?.map(({ text }) => text)
  return list === undefined || list.length === 0 ? undefined : list
}

/** A number, or a number per group. */
const readQuorum = (value: Located, asked: Asked): number | Record<string, number> | undefined => {
  const least = { ...asked, setting: { ...asked.setting, least: 1 } }
  const isLooseMap = value.kind === 'scalar' && value.untyped && /[=:{]/.test(value.raw)
  if (value.kind === 'scalar' && !isLooseMap) return readInteger(value, least)
  const entries = value.kind === 'scalar' ? readMap(value, asked) : readTable(value, asked) && readMap(value, asked)
  if (entries === undefined) return undefined
  if (entries.length === 0) return refuseType(value, asked)
  const quorum: Record<string, number> = {}
  for (const { name, text, place } of entries) {
    const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
    if (count < 1) return refuseValue(place, asked, `group "${name}" needs a whole number of at least 1`)
    quorum[name] = count
  }
  return quorum
}

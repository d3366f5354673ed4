import type { Action, Hint, Json } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { nearest } from '../nearest.ts'
import { paramNameProblem } from '../param-names.ts'
import { normalizeKey } from '../settings.ts'
import type { Fields } from './fields.ts'
import { type Located, type LocatedEntry, toJson } from './located.ts'
import type { Report } from './report.ts'
import { fromText, readJsonValue } from './values.ts'
import { withoutNulls } from './without-nulls.ts'
import { docOf } from './zeroclaw-keys.ts'

// zeroclaw.ts: what becomes of the keys that only dialect Z has (rulings 10), one of: carried out, kept as a hint, refused
// at start. The table is `zeroclaw-keys.ts`.

/** What a step's ZeroClaw keys make of it. */
export interface ZeroclawStep {
  readonly hints: readonly Hint[]
  /** Sentences that keep every run from starting. */
  readonly refusals: readonly string[]
  readonly requiresApproval?: true
  readonly outputs?: readonly string[]
  /** A checkpoint is a gate with nothing behind it. */
  readonly action?: Action
}

export interface ZeroclawContext {
  readonly number: number
  readonly title: string
  readonly isLast: boolean
  readonly isManual: boolean
  /** The step names its approvers itself. */
  readonly hasApprovers: boolean
}

const NOTHING: Action = { kind: 'wait', durationMs: 0 }

/** Reads the ZeroClaw keys of a step. Undefined when it has none. */
export const readZeroclawStep = (fields: Fields, context: ZeroclawContext): ZeroclawStep | undefined =>
  fields.foreignEntries().length === 0 ? undefined : new StepReader(fields, context).read()

class StepReader {
  private readonly hints: Hint[] = []
  private readonly refusals: string[] = []
  private readonly fields: Fields
  private readonly context: ZeroclawContext
  private readonly kind: string

  constructor(fields: Fields, context: ZeroclawContext) {
    this.fields = fields
    this.context = context
    this.kind = this.readKind()
  }

  read(): ZeroclawStep {
    for (const entry of this.fields.foreignEntries()) this.entry(normalizeKey(entry.key), entry)
    const isCheckpoint = this.kind === 'checkpoint'
    const outputs = this.outputs()
    return {
      hints: this.hints,
      refusals: this.refusals,
      ...(isCheckpoint ? { requiresApproval: true as const } : {}),
      ...(isCheckpoint && this.context.isManual ? { action: NOTHING } : {}),
      ...(outputs === undefined ? {} : { outputs }),
    }
  }

  private readKind(): string {
    const entry = this.fields.foreignEntry('kind')
    if (entry === undefined) return 'execute'
    const kind = normalizeKey(textOf(entry.value))
    if (kind === 'approval') return 'checkpoint'
    if (['execute', 'checkpoint', 'capability'].includes(kind)) return kind
    const meant = nearest(kind, ['execute', 'checkpoint', 'approval', 'capability'])
    const help = meant === undefined ? undefined : `Did you mean "${meant}"?`
    this.fields.report.add(
      'bad-value',
      entry.value.place,
      `Cannot read setting "kind": "${kind.slice(0, 60)}" is not one of execute, checkpoint, capability`,
      help,
    )
    return 'execute'
  }

  private entry(key: string, entry: LocatedEntry): void {
    switch (key) {
      case 'kind':
        if (this.kind === 'capability') this.refuse(entry, `runs the capability "${this.nameOf('capability')}"`)
        return
      case 'capability':
        return this.keep(key, entry)
      case 'with':
        return this.kind === 'capability' ? this.keep(key, entry) : undefined
      case 'output':
        return this.keep(key, entry, false)
      case 'next':
        return this.next(entry)
      case 'terminal':
        return this.terminal(entry)
      case 'switch':
        return this.refuse(entry, 'branches by "switch"')
      case 'when':
        return this.when(entry)
      case 'policy':
        return this.policy(entry)
      default:
        return this.hint(key, entry)
    }
  }

  private nameOf(key: string): string {
    const entry = this.fields.foreignEntry(key)
    return entry === undefined ? '?' : textOf(entry.value).slice(0, 80)
  }

  private next(entry: LocatedEntry): void {
    const target = textOf(entry.value).trim()
    if (target !== String(this.context.number + 1)) this.refuse(entry, `jumps to step ${target.slice(0, 20)} by "next"`)
  }

  private terminal(entry: LocatedEntry): void {
    const value = textOf(entry.value).trim().toLowerCase()
    if (value !== 'true' && value !== 'false') {
      this.fields.report.add('wrong-type', entry.value.place, 'Cannot read setting "terminal": expected true or false')
    } else if (value === 'true' && !this.context.isLast) this.refuse(entry, 'ends the run in the middle by "terminal"')
  }

  private when(entry: LocatedEntry): void {
    const jumps = ['next', 'switch'].some((key) => this.fields.foreignEntry(key) !== undefined)
    if (jumps) return this.refuse(entry, 'guards its jump by "when"')
    this.fields.report.add(
      'zeroclaw-hint',
      entry.keyPlace,
      'Setting "when" guards a jump, and this step has none',
      'Write if to skip the step',
    )
    this.keep('when', entry)
  }

  private policy(entry: LocatedEntry): void {
    if (this.context.hasApprovers) return this.hint('policy', entry)
    const name = textOf(entry.value).slice(0, 60)
    this.refuse(entry, `asks for approval by the policy "${name}"`)
  }

  private hint(key: string, entry: LocatedEntry): void {
    this.fields.report.add(
      'zeroclaw-hint',
      entry.keyPlace,
      `Setting "${key}" changes nothing here: ${docOf('step', key)}`,
    )
    this.keep(key, entry)
  }

  private keep(key: string, { value }: LocatedEntry, isText = true): void {
    const json = withoutNulls(isText ? jsonOf(value) : readJsonValue(value))
    this.hints.push({ key, value: json, step: this.context.number })
  }

  private refuse(entry: LocatedEntry, what: string): void {
    const key = normalizeKey(entry.key)
    const doc = docOf('step', key === 'kind' ? 'capability' : key)
    const sentence = `Step ${this.context.number} "${this.context.title}" ${what}, which this engine does not carry out`
    this.fields.report.add('zeroclaw-refused', entry.keyPlace, `${sentence}: no run can start`, doc)
    this.refusals.push(sentence)
    if (key !== 'kind') this.keep(key, entry)
  }

  /** The names of the properties that the step's output schema has. */
  private outputs(): readonly string[] | undefined {
    const entry = this.fields.foreignEntry('output')
    const schema = entry === undefined ? undefined : fromText(entry.value)
    if (schema?.kind !== 'table') return undefined
    const properties = schema.entries.find(({ key }) => key === 'properties')?.value
    if (properties?.kind !== 'table') return undefined
    const names = properties.entries.map(({ key }) => key).filter((name) => paramNameProblem(name) === undefined)
    return names.length === 0 ? undefined : names
  }
}

const textOf = (value: Located): string => (value.kind === 'scalar' ? value.raw : JSON.stringify(toJson(value)))

const jsonOf = (value: Located): Json => {
  const found = fromText(value)
  return found.kind === 'scalar' && typeof found.value === 'string' ? found.value : readJsonValue(found)
}

/** Hints of the SOP's own ZeroClaw keys. */
export const readZeroclawSop = (fields: Fields, report: Report): readonly Hint[] =>
  fields.foreignEntries().flatMap(({ key, keyPlace, value }) => {
    const normalized = normalizeKey(key)
    if (normalized === 'deterministic') return []
    const doc = docOf('sop', normalized)
    const where = doc === '' ? `it belongs to ZeroClaw's config; ${docOf('config', normalized)}` : doc
    report.add('zeroclaw-hint', keyPlace, `Setting "${key}" changes nothing here: ${where}`)
    return [{ key: normalized, value: withoutNulls(toJson(value)) }]
  })

/** `deterministic = true`: mode auto, whatever `execution_mode` says. */
export const isDeterministic = (fields: Fields): { readonly value: boolean; readonly place: Place } | undefined => {
  const entry = fields.foreignEntry('deterministic')
  if (entry === undefined) return undefined
  const value = entry.value.kind === 'scalar' ? entry.value.value : undefined
  if (typeof value === 'boolean') return { value, place: entry.keyPlace }
  fields.report.add('wrong-type', entry.value.place, 'Cannot read setting "deterministic": expected true or false')
  return undefined
}

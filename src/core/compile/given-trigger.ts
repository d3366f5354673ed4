import type { Hint, Json, Param, Trigger } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { Fields } from '../dialect/fields.ts'
import { type LocatedTable, toJson } from '../dialect/located.ts'
import type { Report } from '../dialect/report.ts'
import { readTable, refuseValue } from '../dialect/values.ts'
import { withoutNulls } from '../dialect/without-nulls.ts'
import { isForeignTriggerKey } from '../dialect/zeroclaw-keys.ts'
import { spell } from '../dialect/spell.ts'
import { didYouMean } from '../nearest.ts'
import { checkParams, type FieldProblem } from '../params.ts'
import { mappingProblem } from '../trigger/params.ts'

// given-trigger.ts: one trigger as it is written, with what its readers need besides; and its params, which stand in all of them.

export interface TriggerContext {
  /** In dialect Z a cron without zone fires in UTC. */
  readonly isZeroclaw: boolean
  readonly timezone: string | undefined
  readonly secrets: readonly string[]
  /** What the SOP declares. */
  readonly params: readonly Param[] | undefined
  /** Takes the settings that are kept and change nothing. */
  keepHint(hint: Hint): void
  /** Takes the SOPs whose end is waited for, with their places. */
  keepSop(sop: string, place: Place): void
}

/** A trigger as it is written. */
export class GivenTrigger {
  readonly fields: Fields
  readonly table: LocatedTable
  readonly report: Report
  readonly context: TriggerContext

  constructor(table: LocatedTable, report: Report, context: TriggerContext) {
    this.table = table
    this.report = report
    this.context = context
    this.fields = Fields.of('trigger', table, report, isForeignTriggerKey)
  }

  /** The trigger by a setting that it cannot do without. */
  required(
    key: 'topic' | 'routing_key' | 'path' | 'pattern' | 'expression' | 'sop',
    build: (text: string) => Trigger | undefined,
  ): Trigger | undefined {
    const text = this.fields.text(key)
    if (text !== undefined && text.trim() !== '') return build(text.trim())
    if (text !== undefined) return refuseValue(this.fields.valuePlace(key), this.fields.asked(key), 'it is empty')
    if (!this.fields.has(key))
      this.report.add(
        'missing-setting',
        this.table.place,
        `Cannot read the trigger: it has no ${key}`,
        `Write ${spell(this.table.place, key, '…')}`,
      )
    return undefined
  }

  /** Words of a list, each by the table of their spellings; what is none of them is refused. */
  words<T extends string>(key: 'event' | 'on', spellings: Readonly<Record<string, T>>): readonly T[] {
    const found = new Set<T>()
    for (const { text, place } of this.fields.list(key) ?? []) {
      const word = text.trim().toLowerCase()
      const meant = Object.hasOwn(spellings, word) ? spellings[word] : undefined
      if (meant !== undefined) found.add(meant)
      else
        refuseValue(
          place,
          this.fields.asked(key),
          `"${text.slice(0, 30)}" is not one of ${[...new Set(Object.values(spellings))].join(', ')}`,
          didYouMean(text, Object.keys(spellings)),
        )
    }
    return [...found]
  }

  /** Params that are worked out from what came. */
  mapping(): Readonly<Record<string, Json>> | undefined {
    const table = this.fields.read('params', readTable)
    for (const { value } of table?.entries ?? []) {
      const reason = value.kind === 'scalar' ? mappingProblem(withoutNulls(toJson(value)) ?? null) : undefined
      if (reason !== undefined) this.report.add('bad-expression', value.place, reason)
    }
    const params = this.params()
    this.warnOfUndeclared(params)
    return params
  }

  /** Params of a cron trigger stand as they are, so what a run would be refused for is known now. */
  values(): Readonly<Record<string, Json>> | undefined {
    const params = this.params()
    const checked = checkParams(this.context.params, params ?? {}, 'trigger')
    for (const problem of checked.ok ? [] : checked.fields) this.warnOfParam(problem, 'Its runs would be refused')
    this.warnOfUndeclared(params)
    return params
  }

  private params(): Readonly<Record<string, Json>> | undefined {
    const table = this.fields.read('params', readTable)
    return table === undefined || table.entries.length === 0
      ? undefined
      : (withoutNulls(toJson(table)) as Readonly<Record<string, Json>>)
  }

  /** What a trigger gives besides the declared params reaches no step. */
  private warnOfUndeclared(params: Readonly<Record<string, Json>> = {}): void {
    const declared = (this.context.params ?? []).map(({ name }) => name)
    if (declared.length === 0) return
    for (const name of Object.keys(params)) {
      if (declared.includes(name)) continue
      this.warnOfParam({ name, reason: 'this SOP has no such param' }, 'It has no effect', didYouMean(name, declared))
    }
  }

  private warnOfParam({ name, reason }: FieldProblem, then: string, help?: string): void {
    const located = this.fields.located('params')
    const entry = located?.kind === 'table' ? located.entries.find(({ key }) => key === name) : undefined
    const message = `Param "${name.slice(0, 60)}" of this trigger: ${reason}. ${then}`
    this.report.add('trigger-params', entry?.keyPlace ?? this.table.place, message, help)
  }
}

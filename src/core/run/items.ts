import { stepOf, stepRunOf } from './steps.ts'
import type { Json } from '../definition.ts'
import type { AfterFailure } from './event.ts'
import type { Run, StepRun } from './run.ts'

// items.ts: the items of a `for_each` step. They begin in the order of the list, so those that were begun are a prefix of
// it: `runs[0]` is item 1. An item that succeeded is kept small, since a step may have a thousand.

/** Items that a `for_each` step may have, and the size of its list as JSON in bytes. */
export const MAX_ITEMS = 1_000
export const MAX_LIST_BYTES = 256 * 1024

/** Outputs of all items of a step together, as JSON in bytes. */
const MAX_ITEM_OUTPUT_BYTES = 256 * 1024

/** Characters of an item's error that the state keeps; the record holds all of it. */
export const ITEM_ERROR_CHARS = 200

export const ITEM_STATES = ['pending', 'running', 'success', 'failed', 'skipped', 'unknown', 'rolled_back'] as const
export type ItemState = (typeof ITEM_STATES)[number]

/** One item of a step; its executions are counted like those of a step. */
export interface ItemRun {
  readonly state: ItemState
  readonly attempt: number
  readonly failures: number
  readonly verification?: 'running' | 'passed'
  /** How often the worker of its verify commands was lost. */
  readonly lost?: number
  readonly startedAt?: string
  readonly durationMs?: number
  readonly exitCode?: number
  readonly outputs?: Readonly<Record<string, Json>>
  readonly error?: string
  readonly reason?: string
  readonly then?: AfterFailure
  readonly retryAt?: string
  /** Run id of the SOP that it runs. */
  readonly child?: string
  /** That run took too long and was told to end: why. */
  readonly timedOut?: string
  /** Its commands ran to their end, though it is no success: its verification failed. What they handed on, for the undo. */
  readonly ran?: { readonly outputs?: Readonly<Record<string, Json>> }
  /** How often its undo was begun. */
  readonly undos?: number
  /** A walk back passed it over, since somebody said so. */
  readonly isLeft?: true
}

export interface ItemsRun {
  readonly list: readonly Json[]
  /** The items that were begun. */
  readonly runs: readonly ItemRun[]
  /** Attempts of earlier visits, so that no execution of an item has the name of another. */
  readonly base: number
  /** Size of the outputs of all items so far, as JSON. */
  readonly outputBytes: number
  /** Carried over from before the run was opened again; the step is yet to begin with what is left. */
  readonly isKept?: true
}

/** What is common to an execution of a step and one of its items. */
export type Execution = Pick<
  StepRun,
  | 'attempt'
  | 'failures'
  | 'verification'
  | 'lost'
  | 'timedOut'
  | 'startedAt'
  | 'durationMs'
  | 'exitCode'
  | 'output'
  | 'outputs'
> & { readonly state: string; readonly then?: AfterFailure }

/** The execution that a work or an event means: the step's, or that of its item, which counts from 1. */
export const executionOf = (state: StepRun, item: number | undefined): Execution | undefined =>
  item === undefined ? state : state.items?.runs[item - 1]

/** `3`, or `3[5]` for an item: the part of the ids of works and timers that names the execution. */
export const executionName = (step: number, item: number | undefined): string =>
  item === undefined ? String(step) : `${step}[${item}]`

/** The execution of a step, or of one of its items, by number. */
export const findExecution = (run: Run, number: number, item?: number) => {
  const step = stepOf(run, number)
  const state = stepRunOf(run, number)
  return { step, state: state === undefined ? undefined : executionOf(state, item) }
}

/** The key of an event that is about an item. */
export const ofItem = (item: number | undefined): { readonly item?: number } => (item === undefined ? {} : { item })

/** The reverse of `executionName`. */
export const readExecutionName = (name: string): { readonly step: number; readonly item?: number } => {
  const [, step, item] = /^(\d+)(?:\[(\d+)\])?$/.exec(name) ?? []
  return { step: Number(step), ...(item !== undefined && { item: Number(item) }) }
}

/** Which execution a work such as `child:3[5]#1` runs a child for. */
export const readChildWork = (
  workId: string,
): { readonly step: number; readonly item?: number; readonly attempt: number } | undefined => {
  const [, name, attempt] = /^child:([^#]+)#(\d+)$/.exec(workId) ?? []
  return name === undefined ? undefined : { ...readExecutionName(name), attempt: Number(attempt) }
}

/** `item 5 (web5) of `, for sentences. */
export const itemWords = (state: StepRun | undefined, item: number | undefined): string =>
  item === undefined ? '' : `item ${item}${shown(state?.items?.list[item - 1])} of `

const shown = (value: Json | undefined): string => (value === undefined ? '' : ` (${itemText(value, 40)})`)

/** An item as people read it in one line. */
export const itemText = (value: Json, most: number): string => {
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\s+/g, ' ')
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

export type ItemCounts = Readonly<Record<Exclude<ItemState, 'rolled_back'>, number>> & {
  /** Only where items were rolled back. */
  readonly rolled_back?: number
}

/** How many items are in which state. */
export const countItems = ({ list, runs }: ItemsRun): ItemCounts => {
  const counts = { pending: list.length - runs.length, running: 0, success: 0, failed: 0, skipped: 0, unknown: 0 }
  let undone = 0
  for (const { state } of runs) {
    if (state === 'rolled_back') undone += 1
    else counts[state] += 1
  }
  return { ...counts, ...(undone > 0 && { rolled_back: undone }) }
}

/** Done, or passed over: what a retry of a closed run leaves as it is. */
export const isFinished = ({ state }: ItemRun): boolean => state === 'success' || state === 'skipped'

/** Highest attempt that any item of the step had: what the items of its next visit count on from. */
export const highestAttempt = ({ items, itemBase }: StepRun): number =>
  (items?.runs ?? []).reduce((most, { attempt }) => Math.max(most, attempt), items?.base ?? itemBase ?? 0)

/** Outputs of the items as lists: one place for each item, `null` where it set nothing. */
export const gatherOutputs = ({ list, runs }: ItemsRun): Readonly<Record<string, Json>> => {
  const names = new Set(runs.flatMap(({ outputs }) => Object.keys(outputs ?? {})))
  return Object.fromEntries(
    [...names].map((name) => [name, list.map((_, index) => runs[index]?.outputs?.[name] ?? null)]),
  )
}

/** Why an item may not hand on what it set: all items of a step share one limit. */
export const outputExcess = (
  items: ItemsRun | undefined,
  outputs: Readonly<Record<string, Json>>,
): string | undefined =>
  (items?.outputBytes ?? 0) + JSON.stringify(outputs).length <= MAX_ITEM_OUTPUT_BYTES
    ? undefined
    : `the outputs of all items together are larger than ${MAX_ITEM_OUTPUT_BYTES} bytes: hand large values on as files`

/** Numbers of the items in a state, in order. */
export const itemsIn = (items: ItemsRun, state: ItemState): readonly number[] =>
  items.runs.flatMap((item, index) => (item.state === state ? [index + 1] : []))

import type { SopDefinition, Trigger } from '../core/definition.ts'

// source.ts: what all long-lived sources of triggers have in common. They are started and stopped together, by one process
// of an installation (engine/leader.ts), and follow the catalog.

/** What lives as long as the engine beside the API: begun after the worker, and ended before it. */
export interface Source {
  start(): void
  /** Fulfilled when nothing of it is under way any more. */
  close(): Promise<void>
}

/** What a source says of itself. `detail` is a sentence; where something is wrong it says what, and since when. */
export interface SourceHealth {
  readonly ok: boolean
  readonly detail?: string
}

export interface TriggerSource {
  /** Takes the triggers as they are now: called once at the start and whenever the catalog changed. Never throws. */
  follow(triggers: readonly SourceTrigger[]): Promise<void>
  /** Undefined while there is nothing to do. */
  health(): SourceHealth | undefined
  /** Takes nothing more; fulfilled when nothing of it is under way. What was not told yet is told after the next start. */
  close(): Promise<void>
}

/** A trigger, and whose it is. */
export interface SourceTrigger<T extends Trigger = Trigger> {
  readonly sop: string
  readonly trigger: T
  readonly definition: SopDefinition
}

export type TriggerOf<T extends Trigger['type']> = Extract<Trigger, { readonly type: T }>

/** Those of one type. */
export const triggersOf = <T extends Trigger['type']>(
  all: readonly SourceTrigger[],
  type: T,
): readonly SourceTrigger<TriggerOf<T>>[] =>
  all.filter((each): each is SourceTrigger<TriggerOf<T>> => each.trigger.type === type)

import type { Run } from '../../core/run/run.ts'
import type { RunEvent } from '../../core/run/event.ts'
import { fold } from '../../core/run/evolve.ts'
import { viewOf } from '../../core/run/view.ts'
import type { Observed } from '../../workflows/observed.ts'
import { type Difference, differencesOf } from './differences.ts'
import { onQueueOf, type Replayed } from './replay.ts'
import { type Told, toldByCommand, toldByEvent } from './told.ts'

/** What breaks, or only differs, when an execution goes on under this build. */
export interface Finding {
  /**
   * `nondeterminism`: the order or kind of what it does is another; Temporal would stop it there. `argument`: it does the
   * same with other arguments. `view`: it stands elsewhere, or shows something else. `record`: the record read by this
   * build gives another run.
   */
  readonly kind: 'nondeterminism' | 'argument' | 'view' | 'record'
  /** A sentence without a full stop. */
  readonly message: string
  /** Number of the event of the history. */
  readonly eventId?: number
  readonly differences?: readonly Difference[]
}

export interface Findings {
  readonly breaks: readonly Finding[]
  /** What this build says more than the one that wrote the history. No break. */
  readonly notes: readonly Finding[]
}

export const NOTHING: Findings = { breaks: [], notes: [] }

export const join = (...all: readonly Findings[]): Findings => ({
  breaks: all.flatMap(({ breaks }) => breaks),
  notes: all.flatMap(({ notes }) => notes),
})

/** Compares what the replay did with what the history says was done. */
export const compareReplay = ({ history, commands, error }: Replayed<unknown>): Findings => {
  const told = new Pairs(commands.map(toldByCommand).filter((each) => each !== undefined))
  const found: Findings[] = []
  for (const event of history.events ?? []) {
    const was = toldByEvent(event)
    const would = was && told.next(was)
    if (was === undefined || would === undefined) continue
    found.push(
      inValue(
        'argument',
        was.value,
        onQueueOf(history, would.value),
        `${was.what}${was.id ? ` ${was.id}` : ''}`,
        Number(event.eventId),
      ),
    )
  }
  if (error !== undefined) found.push({ breaks: [{ kind: 'nondeterminism', message: reasonOf(error) }], notes: [] })
  return join(...found)
}

/** Commands by what they ask for, each given out once and in order. */
class Pairs {
  private readonly waiting = new Map<string, Told[]>()

  constructor(all: readonly Told[]) {
    for (const told of all) {
      const list = this.waiting.get(keyOf(told)) ?? []
      this.waiting.set(keyOf(told), list)
      list.push(told)
    }
  }

  /** What answers to that of the history; a command that never came is Temporal's to find. */
  next(told: Told): Told | undefined {
    return this.waiting.get(keyOf(told))?.shift()
  }
}

const keyOf = ({ what, id = '' }: Told): string => `${what}:${id}`

/** Temporal's sentence about what it expected; the rest is the same for every failure. */
const reasonOf = ({ message }: Error): string => (/Details: (.*)$/s.exec(message)?.[1] ?? message).slice(0, 500)

/** Compares the state that the replay came to with what the run itself says of its state. */
export const compareView = (state: Observed, live: unknown): Findings =>
  inValue('view', live, state.of === 'run' ? viewOf(state.run) : state.state, 'the view')

/**
 * Compares the state that the replay came to with the one that this build reads in the record. A record that lacks events
 * which the run still holds is read together with them; one that lacks others cannot be compared.
 */
export const compareRecord = (
  { run, tail }: { run: Run; tail: readonly RunEvent[] },
  recorded: readonly RunEvent[],
): Findings => {
  const known = recorded.filter(({ sequence }) => sequence <= run.sequence)
  const last = known.at(-1)?.sequence ?? 0
  const events = [...known, ...tail.filter(({ sequence }) => sequence > last)]
  if (events.length !== run.sequence) return NOTHING
  return inValue('record', viewOf(fold(run.seed, events)), viewOf(run), 'the run that the record gives')
}

const inValue = (kind: Finding['kind'], was: unknown, would: unknown, what: string, eventId?: number): Findings => {
  const { changed, added } = differencesOf(was, would)
  const tell = (differences: readonly Difference[], says: string): readonly Finding[] =>
    differences.length === 0
      ? []
      : [{ kind, message: `${what} ${says}`, ...(eventId !== undefined && { eventId }), differences }]
  return { breaks: tell(changed, 'would be another'), notes: tell(added, 'would say more') }
}

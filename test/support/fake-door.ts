import { setTimeout as sleep } from 'node:timers/promises'
import type { DeliverOptions, TriggerDoor } from '../../src/client/trigger-door.ts'
import type { Delivery } from '../../src/core/trigger/delivery.ts'
import type { Occurrence } from '../../src/core/trigger/occurrence.ts'
import type { SourceTrigger } from '../../src/triggers/source.ts'

/** A door that keeps what came, and starts nothing. */
export interface FakeDoor extends Pick<TriggerDoor, 'deliver'> {
  /** What came so far, in its order, also what was not taken. */
  readonly came: readonly Came[]
  /** Waits until so many came, and gives them. */
  until(count: number, withinMs?: number): Promise<readonly Came[]>
  /** Called before the answer: it may throw, or wait. */
  onDeliver: (occurrence: Occurrence) => Promise<void> | void
}

export interface Came {
  readonly occurrence: Occurrence
  readonly options: DeliverOptions | undefined
}

export const createFakeDoor = (): FakeDoor => {
  const came: Came[] = []
  const door: FakeDoor = {
    came,
    onDeliver: () => {},
    until: async (count, withinMs = 20_000) => {
      const end = Date.now() + withinMs
      while (came.length < count) {
        if (Date.now() > end) throw new Error(`${came.length} of ${count} came: ${JSON.stringify(came, null, 1)}`)
        await sleep(10)
      }
      return came
    },
    deliver: async (occurrence, options) => {
      came.push({ occurrence, options })
      await door.onDeliver(occurrence)
      return [startedBy(occurrence)]
    },
  }
  return door
}

const startedBy = ({ source, subject, at }: Occurrence): Delivery => ({
  id: 'del_1',
  at,
  source,
  subject,
  verdict: 'started',
  principal: 'test',
})

/** A trigger of an SOP, as sources take it. */
export const triggerOf = <T extends SourceTrigger['trigger']>(trigger: T, sop = 'x'): SourceTrigger<T> => ({
  sop,
  trigger,
  definition: { name: sop } as SourceTrigger['definition'],
})

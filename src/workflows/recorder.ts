import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow'
import type { RunEvent } from '../core/run/event.ts'
import type { RunInput } from '../core/run/input.ts'
import type { RecordResult } from '../core/run/task.ts'

// recorder.ts — sees to it that the record gets every event, in order and off the way of the steps. On one path events
// ride along with the next command (engine.md 2). Where several commands run at once one of them at a time carries events:
// if all did, each would bring along what happened to all others. What happens meanwhile follows within a second.
// A store that is down is waited for inside an activity, whose tries leave nothing in the history; the rules are told how much
// is missing, and decide how far the run goes on (core/run/record-hold.ts). Runs of older rules wait by timers.

/** Pause between two attempts to write a record whose store is down. */
const STORE_DOWN_MS = 5_000

/** Bytes of events that are written, or ride along, at once: Temporal takes 2 MiB, and a command has more to carry. */
const MAX_BATCH_BYTES = 512 * 1024

/** How long events of a wide run may wait for others before they are written together. */
const GATHER_MS = 1_000

export interface RecorderPorts {
  /** Keeps the writing alive whatever is cancelled. */
  readonly host: CancellationScope
  /** Several executions can be under way at once. */
  isWide(): boolean
  /** The run is over: what is left is written before it closes. */
  isSettled(): boolean
  /** A command is under way, which can bring events along. */
  isCarrying(): boolean
  /** The next execution is about to take over, and takes what waits along: a write that begins now only keeps it waiting. */
  isHandingOver(): boolean
  /** `patiently`: it does not come back before the store has taken some of it. */
  write(events: readonly RunEvent[], patiently: boolean): Promise<RecordResult>
  /** The rules decide how far the run goes on while its record cannot be written. */
  isPatient(): boolean
  /** How much is not on record. */
  tell(news: RecordNews): void
  /** How old an event may get that is not on record, in milliseconds. */
  ageLimitMs(): number
}

export type RecordNews = Omit<Extract<RunInput, { kind: 'record_news' }>, 'kind'>

export interface Ride {
  readonly events: readonly RunEvent[]
  /** It brings along all that waits. */
  readonly isCarrier: boolean
}

export class Recorder {
  /** Events that the record has not confirmed, in order. */
  tail: readonly RunEvent[] = []
  isFlushing = false
  /** Batches that were written, or could not be. */
  private batches = 0
  /** Highest sequence that a command under way brings along; 0 for none. Only where the run is wide. */
  private carriedTo = 0
  private isGathering = false
  /** When a write first failed; undefined while they work. */
  private downSince: string | undefined
  private age: CancellationScope | undefined
  private readonly sizes = new WeakMap<RunEvent, number>()
  private readonly ports: RecorderPorts

  constructor(ports: RecorderPorts) {
    this.ports = ports
  }

  add(events: readonly RunEvent[]): void {
    if (events.length > 0) this.tail = [...this.tail, ...events]
  }

  /** The events that a command takes along. */
  ride(): Ride {
    if (!this.ports.isWide()) return { events: this.batch(), isCarrier: true }
    if (this.carriedTo > 0 || this.isFlushing || this.tail.length === 0) return { events: [], isCarrier: false }
    const events = this.batch()
    this.carriedTo = events.at(-1)?.sequence ?? 0
    return { events, isCarrier: true }
  }

  /** The command that carried events has ended. */
  landed(): void {
    this.carriedTo = 0
  }

  acknowledge(sequence: number): void {
    this.tail = this.tail.filter((event) => event.sequence > sequence)
  }

  /** What a write or a command that carried `events` has achieved; `sequence` is what the record holds since. */
  wrote(events: readonly RunEvent[], sequence: number): void {
    this.acknowledge(sequence)
    const [first] = events
    if (first === undefined || !this.ports.isPatient()) return
    const isDown = sequence < first.sequence && this.tail.some((event) => event.sequence === first.sequence)
    if (!isDown) {
      this.downSince = undefined
      this.age?.cancel()
    } else if (this.downSince === undefined) {
      this.downSince = now()
      void this.watchAge(this.downSince)
    }
    this.news()
  }

  /** Tells the rules; nothing while all is well. */
  news(): void {
    if (!this.ports.isPatient() || this.ports.isSettled()) return
    const [oldest] = this.tail
    this.ports.tell({
      unrecorded: this.tail.length,
      bytes: this.tail.reduce((sum, event) => sum + this.sizeOf(event), 0),
      ...(oldest !== undefined && { oldestAt: oldest.timestamp }),
      ...(this.downSince !== undefined && { since: this.downSince }),
    })
  }

  /** A write has failed, and none has succeeded since. */
  get isDown(): boolean {
    return this.downSince !== undefined
  }

  /** Writes in the background what no command takes along; one batch at a time. */
  async flush(): Promise<void> {
    if (this.ports.isHandingOver()) return
    if (this.ports.isWide()) return this.flushGathered()
    if (this.isFlushing) return
    this.isFlushing = true
    await this.flushOnce()
    this.isFlushing = false
    this.batches += 1
    if (this.tail.length > 0 && !this.ports.isSettled() && !this.ports.isCarrying()) void this.flush()
  }

  /** One try, with a batch that has all events up to that one. */
  async upTo(sequence: number): Promise<void> {
    // What waits for the store holds up no command: that is for the rules to say.
    if (this.isDown) return
    const isMissing = (): boolean => (this.tail[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence
    for (let waited = 0; waited < 2 && isMissing(); waited += 1) {
      const before = this.batches
      if (!this.isFlushing) return this.flushBatch()
      // The batch that is under way began before; the one after it has everything.
      await condition(() => this.batches > before)
    }
  }

  async flushAll(): Promise<void> {
    while (this.tail.length > 0) await this.flushOnce()
  }

  /** At once where the run stands still, since nobody knows for how long; else when a second's events are together. */
  private async flushGathered(): Promise<void> {
    if (this.isFlushing || !this.hasUnsent()) return
    if (this.ports.isCarrying()) {
      if (this.isGathering) return
      this.isGathering = true
      await this.ports.host.run(() => sleep(GATHER_MS, { summary: 'Until the next batch for the record' }))
      this.isGathering = false
    }
    if (this.isFlushing || this.ports.isSettled() || !this.hasUnsent()) return
    await this.flushBatch()
    if (!this.ports.isSettled() && !this.ports.isHandingOver()) void this.flushGathered()
  }

  /** Not a part of `flush`: one await more there would put its commands in another order than histories have them. */
  private async flushBatch(): Promise<void> {
    this.isFlushing = true
    await this.flushOnce()
    this.isFlushing = false
    this.batches += 1
  }

  private hasUnsent(): boolean {
    return this.lastSequence() > this.carriedTo
  }

  private lastSequence(): number {
    return this.tail.at(-1)?.sequence ?? 0
  }

  private async flushOnce(): Promise<void> {
    const batch = this.batch()
    const first = batch[0]?.sequence ?? 0
    const { ackedSeq } = await this.ports.host.run(() => this.ports.write(batch, this.isDown))
    this.wrote(batch, ackedSeq)
    if (ackedSeq < first && !this.ports.isPatient())
      await this.ports.host.run(() => sleep(STORE_DOWN_MS, { summary: 'The audit store is down' }))
  }

  /** The first events, as many as may travel together; one that is larger travels alone. */
  private batch(): readonly RunEvent[] {
    let bytes = 0
    const end = this.tail.findIndex((event, index) => {
      bytes += this.sizeOf(event)
      return index > 0 && bytes > MAX_BATCH_BYTES
    })
    return end < 0 ? this.tail : this.tail.slice(0, end)
  }

  private sizeOf(event: RunEvent): number {
    const known = this.sizes.get(event)
    if (known !== undefined) return known
    const size = JSON.stringify(event).length
    this.sizes.set(event, size)
    return size
  }

  /** Nothing may happen for long in a run whose oldest event grows too old. */
  private async watchAge(downSince: string): Promise<void> {
    const oldest = this.tail[0]?.timestamp ?? downSince
    const dueMs = Date.parse(oldest) + this.ports.ageLimitMs() - Date.now()
    const scope = new CancellationScope({ cancellable: true, parent: this.ports.host })
    this.age = scope
    try {
      await scope.run(() => sleep(Math.max(1, dueMs), { summary: 'How long the record may be behind' }))
    } catch (error) {
      if (!isCancellation(error)) throw error
    }
    if (this.downSince === downSince) this.news()
  }
}

const now = (): string => new Date(Date.now()).toISOString()

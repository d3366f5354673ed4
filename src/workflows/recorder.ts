import { type CancellationScope, condition, sleep } from '@temporalio/workflow'
import type { RunEvent } from '../core/run/event.ts'
import type { RecordResult } from '../core/run/task.ts'

// recorder.ts — sees to it that the record gets every event, in order and off the way of the steps. On one path events
// ride along with the next command (engine.md 2). Where several commands run at once one of them at a time carries events:
// if all did, each would bring along what happened to all others. What happens meanwhile follows within a second.

/** Pause between two attempts to write a record whose store is down. */
const STORE_DOWN_MS = 5_000

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
  write(events: readonly RunEvent[]): Promise<RecordResult>
}

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
  private readonly ports: RecorderPorts

  constructor(ports: RecorderPorts) {
    this.ports = ports
  }

  add(events: readonly RunEvent[]): void {
    if (events.length > 0) this.tail = [...this.tail, ...events]
  }

  /** The events that a command takes along. */
  ride(): Ride {
    if (!this.ports.isWide()) return { events: this.tail, isCarrier: true }
    if (this.carriedTo > 0 || this.isFlushing || this.tail.length === 0) return { events: [], isCarrier: false }
    this.carriedTo = this.lastSequence()
    return { events: this.tail, isCarrier: true }
  }

  /** The command that carried events has ended. */
  landed(): void {
    this.carriedTo = 0
  }

  acknowledge(sequence: number): void {
    this.tail = this.tail.filter((event) => event.sequence > sequence)
  }

  /** Writes in the background what no command takes along; one batch at a time. */
  async flush(): Promise<void> {
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
    if (!this.ports.isSettled()) void this.flushGathered()
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
    const first = this.tail[0]?.sequence ?? 0
    const { ackedSeq } = await this.ports.host.run(() => this.ports.write(this.tail))
    this.acknowledge(ackedSeq)
    if (ackedSeq < first) await this.ports.host.run(() => sleep(STORE_DOWN_MS, { summary: 'The audit store is down' }))
  }
}

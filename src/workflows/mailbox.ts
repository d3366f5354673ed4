import { condition, patched } from '@temporalio/workflow'
import type { DecisionKind, DecisionReply } from '../core/run/decision.ts'
import { type Inbox, remember, seenReply } from '../core/run/inbox.ts'
import type { RunInput } from '../core/run/input.ts'
import { type Received, receive } from '../core/run/receive.ts'
import type { Run } from '../core/run/run.ts'
import { unreadableReason } from './converter.ts'

/** A signal that came before the run was there. One that nobody knows has its name alone. */
type Early = { readonly kind: DecisionKind; readonly argument: unknown } | { readonly unknown: string }

/** Marks histories in which what reached a next execution before its run was received like what came later. Wire format. */
const EARLY_IS_RECEIVED = 'early-is-received'

const TOO_EARLY = 'it came before the run was created'

/** The run that messages are for, once it is there. */
export interface Addressee {
  readonly runId: string
  readonly run: () => Run | undefined
  readonly apply: (input: RunInput) => DecisionReply | undefined
}

/** Where decisions come in, by signal and by update: each is answered once, however often it is sent. */
export class Mailbox {
  /** Answers that were given; they are handed on from one execution to the next. */
  inbox: Inbox = []
  private early: readonly Early[] = []
  private readonly of: Addressee

  constructor(addressee: Addressee) {
    this.of = addressee
  }

  /** A message by signal; its answer goes nowhere, its event does. */
  receive(kind: DecisionKind, argument: unknown, door: 'signal' | 'update'): DecisionReply | undefined {
    const run = this.of.run()
    if (run === undefined) {
      this.early = [...this.early, { kind, argument }]
      return undefined
    }
    const received = this.read(kind, argument, door, run)
    if (!received.ok) return this.of.apply({ kind: 'unreadable', name: kind, reason: received.reason, via: door })
    const { decisionId } = received.decision
    const seen = seenReply(this.inbox, decisionId)
    if (seen !== undefined) return seen
    const reply = this.of.apply({ kind: 'decision', decision: received.decision })
    this.remember(decisionId, reply)
    return reply
  }

  remember(decisionId: string | undefined, reply: DecisionReply | undefined): void {
    if (reply !== undefined) this.inbox = remember(this.inbox, decisionId, reply)
  }

  async receiveUpdate(kind: DecisionKind, argument: unknown): Promise<DecisionReply> {
    await condition(() => this.of.run() !== undefined)
    return this.receive(kind, argument, 'update') ?? this.noAnswer()
  }

  receiveUnknown(name: string, door: 'signal' | 'update'): DecisionReply | undefined {
    if (this.of.run() === undefined) {
      this.early = [...this.early, { unknown: name }]
      return undefined
    }
    return this.of.apply({ kind: 'unreadable', name: name.slice(0, 100), reason: 'no such message', via: door })
  }

  async receiveUnknownUpdate(name: string): Promise<DecisionReply> {
    await condition(() => this.of.run() !== undefined)
    return this.receiveUnknown(name, 'update') ?? this.noAnswer()
  }

  /** Takes what came before there was a run: it is refused, never stored up; only a cancel is honoured. */
  takeTooEarly(): void {
    this.takeEarly((early) => this.receiveTooEarly(early))
  }

  /** Takes what came while one execution handed the run over to the next, or opened it again: it is as good as any other. */
  takeWaiting(): void {
    this.takeEarly((early) => this.receiveEarly(early))
  }

  private takeEarly(take: (early: Early) => void): void {
    const early = this.early
    this.early = []
    if (early.length === 0) return
    const isReceived = patched(EARLY_IS_RECEIVED)
    for (const each of early) {
      if (isReceived) take(each)
      else if (!('unknown' in each)) this.receiveTooEarly(each)
    }
  }

  private receiveTooEarly(early: Early): void {
    if ('unknown' in early || early.kind === 'cancel') this.receiveEarly(early)
    else this.of.apply({ kind: 'unreadable', name: early.kind, reason: TOO_EARLY, via: 'signal' })
  }

  private receiveEarly(early: Early): void {
    if ('unknown' in early) this.receiveUnknown(early.unknown, 'signal')
    else this.receive(early.kind, early.argument, 'signal')
  }

  /** A message may hold anything, also what makes a reader stumble: then it is one that cannot be read. */
  private read(kind: DecisionKind, argument: unknown, door: 'signal' | 'update', { seed }: Run): Received {
    const bad = unreadableReason(argument)
    if (bad !== undefined) return { ok: false, reason: bad }
    try {
      const { pinned, rulesVersion, runId } = seed
      return receive(kind, argument, door, { runId, authority: pinned.authority, rulesVersion })
    } catch {
      return { ok: false, reason: 'its argument is too deep or too large' }
    }
  }

  private noAnswer(): DecisionReply {
    return {
      accepted: false,
      runId: this.of.runId,
      status: 'pending',
      code: 'conflict',
      reason: 'the run is not created yet',
    }
  }
}

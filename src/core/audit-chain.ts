import { canonicalJson } from './canonical.ts'
import type { RecordedEvent, RunEvent } from './run/event.ts'

// audit-chain.ts: how a record's events hang together. The hash function comes from outside, since the store has a
// faster one than the core. docs/decisions/0005-audit-files.md.

/** What stands as `previousHash` in a run's first event: 64 zeros. */
export const GENESIS_HASH = '0'.repeat(64)

/** SHA-256 of a text's UTF-8 bytes, in hex. */
export type Sha256Hex = (text: string) => string

/**
 * The event as the record holds it, with its keys in the order of rulings 34.
 * `hash` is SHA-256 over the canonical JSON of the event with `previousHash` and without `hash`.
 */
export const chainEvent = (event: RunEvent, previousHash: string, sha256Hex: Sha256Hex): RecordedEvent => {
  const unsealed = {
    sequence: event.sequence,
    timestamp: event.timestamp,
    eventType: event.eventType,
    runId: event.runId,
    ...(event.stepNumber === undefined ? {} : { stepNumber: event.stepNumber }),
    principal: event.principal,
    via: event.via,
    details: event.details,
    previousHash,
  }
  return { ...unsealed, hash: sha256Hex(canonicalJson(unsealed)) } as unknown as RecordedEvent
}

export type ChainProblemKind = 'edited' | 'missing' | 'reordered' | 'cut_off' | 'foreign'

/** One thing that is wrong with a record; `sequence` names the first event that shows it. */
export interface ChainProblem {
  readonly kind: ChainProblemKind
  readonly sequence: number
  readonly message: string
}

export interface ChainExpectation {
  readonly runId?: string
  /** The last sequence that another witness has seen (list of runs, workflow history). */
  readonly lastSequence?: number
  /** The hash that another witness has seen at `lastSequence`. */
  readonly lastHash?: string
}

/**
 * Checks a run's record, in the order in which it stands in the file. An intact record gives an empty list.
 *
 * A record that was cut off at its end is whole in itself: that shows only against a witness (`expected`).
 */
export const verifyChain = (
  events: readonly RecordedEvent[],
  sha256Hex: Sha256Hex,
  expected: ChainExpectation = {},
): readonly ChainProblem[] => {
  const problems: ChainProblem[] = []
  let [sequence, hash] = [0, GENESIS_HASH]
  for (const event of events) {
    problems.push(...problemsOf(event, sequence, hash, expected.runId, sha256Hex))
    sequence = event.sequence
    hash = event.hash
  }
  return [...problems, ...cutOff(events.at(-1), expected)]
}

const problemsOf = (
  event: RecordedEvent,
  before: number,
  hash: string,
  runId: string | undefined,
  sha256Hex: Sha256Hex,
): readonly ChainProblem[] => {
  const problem = (kind: ChainProblemKind, message: string): ChainProblem => ({
    kind,
    sequence: event.sequence,
    message,
  })
  const found: ChainProblem[] = []
  const { sequence } = event
  if (sequence <= before) found.push(problem('reordered', `event ${sequence} stands after event ${before}`))
  else if (sequence > before + 1) found.push(problem('missing', `${range(before + 1, sequence - 1)} missing`))
  if (chainEvent(event, event.previousHash, sha256Hex).hash !== event.hash) {
    found.push(problem('edited', `event ${sequence} was changed: its hash does not fit its content`))
  } else if (sequence === before + 1 && event.previousHash !== hash) {
    found.push(
      problem('edited', `event ${sequence} does not follow from the event before it: one of them was replaced`),
    )
  }
  if (runId !== undefined && event.runId !== runId) {
    found.push(problem('foreign', `event ${sequence} belongs to run "${event.runId}"`))
  }
  return found
}

const range = (from: number, to: number): string => (from === to ? `event ${from} is` : `events ${from} to ${to} are`)

const cutOff = (last: RecordedEvent | undefined, expected: ChainExpectation): readonly ChainProblem[] => {
  const { lastSequence, lastHash } = expected
  if (lastSequence === undefined) return []
  const have = last?.sequence ?? 0
  if (have < lastSequence) {
    return [
      {
        kind: 'cut_off',
        sequence: have + 1,
        message: `the record ends at event ${have}, though event ${lastSequence} was recorded`,
      },
    ]
  }
  if (lastHash !== undefined && have === lastSequence && last?.hash !== lastHash) {
    return [{ kind: 'edited', sequence: have, message: `event ${have} is not the one that was recorded` }]
  }
  return []
}

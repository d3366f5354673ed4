import { GENESIS_HASH, type Sha256Hex } from '../audit-chain.ts'
import { canonicalJson } from '../canonical.ts'
import type { RecordedEvent } from '../run/event.ts'
import { type Finding, type FindingAt, type FindingPlace, problem } from './finding.ts'
import type { StoredLine, StoredRecord } from './stored-record.ts'

// lines.ts: what the lines of one record say of themselves, without any other witness.

/** What became of the lines. */
export interface LinesCheck {
  readonly findings: readonly Finding[]
  /** The events by their sequences, the first of those with the same one. */
  readonly events: ReadonlyMap<number, RecordedEvent>
  /** Highest sequence; 0 where nothing can be read. */
  readonly last: number
  /** Where each event stands. */
  placeOf(sequence: number): FindingPlace
  /** It is the record of another run. */
  readonly isForeign: boolean
}

interface Standing {
  readonly event: RecordedEvent
  readonly at: number
  readonly place: FindingPlace
}

/** Reads the lines of the record as what they are, and tells everything that is wrong with them. */
export const checkLines = (runId: string, record: StoredRecord, sha256Hex: Sha256Hex): LinesCheck => {
  const { file, lines } = record
  const placeAt = ({ line }: StoredLine): FindingPlace => ({ file, ...(line !== undefined && { line }) })
  const found: Finding[] = []
  const standing = new Map<number, Standing>()
  const unreadable: { readonly at: number; readonly place: FindingPlace }[] = []
  const foreign = new Set<string>()
  let highest = 0

  for (const [at, line] of lines.entries()) {
    const place = placeAt(line)
    const event = asEvent(line.event)
    if (event === undefined) {
      unreadable.push({ at, place })
      continue
    }
    const { sequence } = event
    const where: FindingAt = { ...place, runId, sequence }
    if (event.runId !== runId) foreign.add(event.runId)
    found.push(...contentOf(runId, event, line, where, sha256Hex))
    const before = standing.get(sequence)
    if (before !== undefined) {
      found.push(
        before.event.hash === event.hash
          ? problem('duplicated', `event ${sequence} stands there twice${lineOf(before.place, ', first')}`, where)
          : problem(
              'inserted',
              `a second event ${sequence} was put in${lineOf(before.place, '; another stands')}`,
              where,
            ),
      )
      continue
    }
    if (sequence < highest) found.push(problem('reordered', `event ${sequence} stands after event ${highest}`, where))
    standing.set(sequence, { event, at, place })
    highest = Math.max(highest, sequence)
  }

  const [stranger] = foreign
  const isForeign = stranger !== undefined && foreign.size === 1 && [...standing.values()].every(isOf(stranger))
  if (isForeign) {
    found.length = 0
    found.push(
      problem('foreign', `the record of run "${stranger}" lies where that of this run should`, { file, runId }),
    )
  } else {
    found.push(...gaps(runId, file, standing, unreadable, highest))
    found.push(...links(runId, standing))
  }
  return {
    findings: inOrder(found),
    events: new Map([...standing].sort(([a], [b]) => a - b).map(([sequence, { event }]) => [sequence, event])),
    last: highest,
    placeOf: (sequence) => standing.get(sequence)?.place ?? { file },
    isForeign,
  }
}

const isOf =
  (runId: string) =>
  ({ event }: Standing): boolean =>
    event.runId === runId

const lineOf = ({ line }: FindingPlace, words: string): string => (line === undefined ? '' : `${words} in line ${line}`)

/** What one event says of itself. */
const contentOf = (
  runId: string,
  event: RecordedEvent,
  { isRewritten, columns }: StoredLine,
  where: FindingAt,
  sha256Hex: Sha256Hex,
): readonly Finding[] => {
  const { sequence } = event
  const found: Finding[] = []
  if (event.runId !== runId) found.push(problem('foreign', `event ${sequence} belongs to run "${event.runId}"`, where))
  if (hashOf(event, sha256Hex) !== event.hash) {
    found.push(
      problem('edited', `event ${sequence} (${event.eventType}) was changed: its hash does not fit its content`, where),
    )
  } else if (isRewritten === true) {
    found.push(
      problem(
        'edited',
        `event ${sequence} (${event.eventType}) was written anew: no engine writes it like that`,
        where,
      ),
    )
  }
  if (columns !== undefined && (columns.sequence !== sequence || columns.hash !== event.hash)) {
    found.push(problem('edited', `the row of event ${columns.sequence} says other than the event in it`, where))
  }
  return found
}

/** What the hash has to be, over all that stands there; undefined where no hash can be made of it. */
const hashOf = ({ hash: _, ...content }: RecordedEvent, sha256Hex: Sha256Hex): string | undefined => {
  try {
    return sha256Hex(canonicalJson(content))
  } catch {
    return undefined
  }
}

/** Sequences that no line has; a line that cannot be read stands for one of them. */
const gaps = (
  runId: string,
  file: string,
  standing: ReadonlyMap<number, Standing>,
  unreadable: readonly { readonly at: number; readonly place: FindingPlace }[],
  highest: number,
): readonly Finding[] => {
  const found: Finding[] = []
  const left = [...unreadable]
  for (let from = 1; from <= highest; from++) {
    if (standing.has(from)) continue
    let to = from
    while (to < highest && !standing.has(to + 1)) to++
    const [after, before] = [standing.get(from - 1)?.at ?? -1, standing.get(to + 1)?.at ?? Number.POSITIVE_INFINITY]
    for (let sequence = from; sequence <= to; sequence++) {
      const at = left.findIndex((line) => line.at > after && line.at < before)
      const line = at === -1 ? undefined : left.splice(at, 1)[0]
      if (line === undefined) {
        const place = { ...(standing.get(to + 1)?.place ?? { file }), runId, sequence }
        found.push(problem('missing', `${range(sequence, to)} missing`, place))
        break
      }
      found.push(
        problem('unreadable', `event ${sequence} cannot be read: its line is damaged`, {
          ...line.place,
          runId,
          sequence,
        }),
      )
    }
    from = to
  }
  for (const { place } of left) found.push(problem('unreadable', 'a line is no event', { ...place, runId }))
  return found
}

const range = (from: number, to: number): string => (from === to ? `event ${from} is` : `events ${from} to ${to} are`)

/** Whether each event was chained to the one that stands before it. */
const links = (runId: string, standing: ReadonlyMap<number, Standing>): readonly Finding[] => {
  const found: Finding[] = []
  for (const [sequence, { event, place }] of standing) {
    if (sequence === 1) {
      if (event.previousHash !== GENESIS_HASH)
        found.push(
          problem('replaced', 'event 1 was chained to another event: it was not the first', {
            ...place,
            runId,
            sequence,
          }),
        )
      continue
    }
    const before = standing.get(sequence - 1)
    if (before === undefined || before.event.hash === event.previousHash) continue
    const message = `event ${sequence - 1} is not the one that event ${sequence} was chained to: it was replaced and hashed anew`
    found.push(problem('replaced', message, { ...before.place, runId, sequence: sequence - 1 }))
  }
  return found
}

const inOrder = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort((a, b) => (a.line ?? a.sequence ?? 0) - (b.line ?? b.sequence ?? 0))

type Table = Readonly<Record<string, unknown>>
const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is at least shaped like an event of a record. */
const asEvent = (value: unknown): RecordedEvent | undefined => {
  if (!isTable(value)) return undefined
  const texts = ['timestamp', 'eventType', 'runId', 'previousHash', 'hash'].every(
    (key) => typeof value[key] === 'string',
  )
  const { sequence, details, principal } = value
  const isEvent =
    texts && Number.isSafeInteger(sequence) && (sequence as number) >= 1 && isTable(details) && isTable(principal)
  return isEvent ? (value as unknown as RecordedEvent) : undefined
}

import type { Sha256Hex } from '../audit-chain.ts'
import { type Head, type HeadMark, hashOfHead, headText, NO_HEADS } from '../heads.ts'
import { type Finding, type FindingAt, problem } from './finding.ts'

// chain.ts: the check of the chain of heads, entry by entry as they are read, so that its length costs no memory.

/** An entry where it stands; without `head` the line cannot be read. */
export interface StoredHead {
  readonly file: string
  readonly line: number
  readonly head?: Head
  /** The text is not how an engine writes the entry: white space, other order of keys, a key twice. */
  readonly isRewritten?: true
}

/** An entry, and whether it may speak for its run. */
export interface Witness {
  readonly head: Head
  readonly file: string
  readonly line: number
  /** Its hash and its signature are good. */
  readonly isGood: boolean
}

export interface ChainCheckOptions {
  readonly sha256Hex: Sha256Hex
  /** Public keys whose signatures count, base64. */
  readonly keys: readonly string[]
  /** Whether the signature of the text is the key's. Never throws. */
  readonly verify: (key: string, text: string, signature: string) => boolean
  /** Whether the signature of the entry is looked at. Default: of each. */
  readonly looksAt?: (head: Head) => boolean
  /** A head that was noted elsewhere: the chain has to have it. */
  readonly noted?: HeadMark
}

export interface ChainCheck {
  /** The next entry in the order of the store. Undefined for a line that is none. */
  take(line: StoredHead): Witness | undefined
  /** What was found, once all are taken. */
  end(): ChainResult
}
export interface ChainResult {
  readonly findings: readonly Finding[]
  /** Those of them that say that the chain has not the head that was noted elsewhere. */
  readonly noted?: readonly Finding[]
  readonly entries: number
  readonly end: HeadMark
  /** When the last entry was written. */
  readonly endAt?: string
}

/** Of what is wrong with very many entries the first ones are told. */
const MAX_FINDINGS = 1_000

/** A check of one chain. */
export const createChainCheck = (options: ChainCheckOptions): ChainCheck => {
  const { sha256Hex, keys, verify, looksAt = () => true, noted } = options
  const found: Finding[] = []
  let more = 0
  let entries = 0
  let before: HeadMark = NO_HEADS
  let unreadable = 0
  let endAt: string | undefined
  let isNotedSeen = noted === undefined || noted.index === 0
  const missed: Finding[] = []
  const tell = (finding: Finding): void => {
    if (found.length < MAX_FINDINGS) found.push(finding)
    else more++
  }

  const take = ({ file, line, head, isRewritten }: StoredHead): Witness | undefined => {
    entries++
    const at: FindingAt = { file, line }
    if (head === undefined) {
      unreadable++
      tell(problem('head_unreadable', 'a line of the chain of heads is no entry', at))
      return undefined
    }
    const where: FindingAt = { ...at, runId: head.runId }
    const name = `head ${head.index} (run "${head.runId}" ${head.kind} with event ${head.sequence})`
    for (const finding of orderOf(head, before, unreadable, name, where)) tell(finding)
    const isWhole = hashes(head, sha256Hex)
    if (!isWhole) tell(problem('head_edited', `${name} was changed: its hash does not fit its content`, where))
    else if (isRewritten === true)
      tell(problem('head_edited', `${name} was written anew: no engine writes it like that`, where))
    const isSigned = isWhole && (!looksAt(head) || checkSignature(head, name, where))
    if (noted !== undefined && head.index === noted.index) {
      isNotedSeen = true
      if (head.hash !== noted.hash)
        missed.push(
          problem(
            'head_replaced',
            `head ${head.index} is not the one that was noted: the chain was written anew`,
            where,
          ),
        )
    }
    if (head.index >= before.index) before = { index: head.index, hash: head.hash }
    unreadable = 0
    endAt = head.at
    return { head, file, line, isGood: isSigned }
  }

  const checkSignature = (head: Head, name: string, where: FindingAt): boolean => {
    if (!keys.includes(head.key)) {
      const wayOut = 'If the key of the installation was replaced on purpose, name the old one with --key'
      tell(
        problem(
          'head_forged',
          `${name} is signed with a key that is not the installation's, ${head.key}. ${wayOut}`,
          where,
        ),
      )
      return false
    }
    if (verify(head.key, headText(head.hash), head.signature)) return true
    tell(problem('head_forged', `${name} was forged: its signature is not that of the installation's key`, where))
    return false
  }

  return {
    take,
    end: () => {
      if (!isNotedSeen && noted !== undefined)
        missed.push(
          problem('heads_cut_off', `the chain of heads ends at ${before.index}, though head ${noted.index} was noted`),
        )
      const rest = more === 0 ? [] : [problem('head_edited', `and ${more} more findings in the chain of heads`)]
      return {
        findings: [...found, ...missed, ...rest],
        noted: missed,
        entries,
        end: before,
        ...(endAt !== undefined && { endAt }),
      }
    },
  }
}

/** An entry that no hash can be made of is none of ours. */
const hashes = (head: Head, sha256Hex: Sha256Hex): boolean => {
  try {
    return hashOfHead(head, sha256Hex) === head.hash
  } catch {
    return false
  }
}

const orderOf = (
  head: Head,
  before: HeadMark,
  unreadable: number,
  name: string,
  where: FindingAt,
): readonly Finding[] => {
  if (head.index <= before.index) {
    return head.hash === before.hash
      ? [problem('head_duplicated', `${name} stands there twice`, where)]
      : [problem('head_reordered', `${name} stands after head ${before.index}`, where)]
  }
  const missing = head.index - before.index - 1
  if (missing > unreadable) {
    const range = missing === 1 ? `head ${head.index - 1} is` : `heads ${before.index + 1} to ${head.index - 1} are`
    return [problem('head_missing', `${range} missing before ${name}`, where)]
  }
  if (missing > 0 || unreadable > 0 || head.previousHash === before.hash) return []
  return [problem('head_replaced', `head ${before.index} is not the one that ${name} was chained to`, where)]
}

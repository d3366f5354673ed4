import { createChainCheck, type Witness } from './chain.ts'
import { checkDefinition } from './definition.ts'
import type { ExportCheckOptions, ExportLine } from './export.ts'
import { type Finding, notice } from './finding.ts'
import type { Head } from '../heads.ts'
import type { StoredDefinition } from './stored-record.ts'

// export-parts.ts: what single lines of an exported file are held against.

/** What is wrong with the definition of a line. */
export const definitionOf = (
  { digest, definition, isMasked }: Extract<ExportLine, { type: 'definition' }>,
  file: string,
  line: number,
): readonly Finding[] => {
  if (isMasked === true)
    return [
      notice(
        'definition_masked',
        `definition ${digest} spells secrets out, which were left out: its digest cannot be checked`,
        { file, line },
      ),
    ]
  const stored: StoredDefinition = { file, pinned: { definition } }
  return checkDefinition(digest, stored).map((finding) => ({ ...finding, line }))
}

/** Of a chain of which a file has only the entries about one run, each is checked for itself. */
export const witnessesOf = (
  heads: readonly { readonly line: number; readonly head: Head }[],
  options: Pick<ExportCheckOptions, 'sha256Hex' | 'keys' | 'verify'>,
  found: Finding[],
): readonly Witness[] =>
  heads.flatMap(({ line, head }) => {
    const check = createChainCheck(options)
    const witness = check.take({ file: 'heads of the export', line, head })
    const { findings } = check.end()
    // What stands between two of them belongs to other runs.
    found.push(...findings.filter(({ kind }) => kind !== 'head_missing' && kind !== 'head_replaced'))
    return witness === undefined ? [] : [witness]
  })

/** Undefined for a line that is none. */
export const lineOf = (text: string): ExportLine | undefined => {
  try {
    const line = JSON.parse(text) as { readonly type?: unknown } | null
    return typeof line?.type === 'string' ? (line as ExportLine) : undefined
  } catch {
    return undefined
  }
}

import { canonicalJson, sha256Hex } from '../canonical.ts'
import { executablesFor } from './command-task.ts'
import type { Run } from './run.ts'
import type { ExecutableId } from './task.ts'

// covers.ts: what an approval is about, as a digest. An approval is bound to what was shown (product.md 6).

/**
 * SHA-256 (hex) over the digest of the definition, the params, and for a gate of a step the commands behind it with the
 * outputs that they name. A gate before the whole run (step 0) covers the whole definition.
 */
export const coverOf = (run: Run, stepNumber: number): string => {
  const { pinned, params } = run.seed
  return sha256Hex(
    canonicalJson({
      definition: pinned.digest,
      params,
      ...(stepNumber > 0 && commandsOf(run, stepNumber)),
      ...childrenOf(run, stepNumber),
    }),
  )
}

/** The SOPs that run behind the gate, by their digests: they are pinned with the run, and approved with it. */
const childrenOf = (run: Run, stepNumber: number) => {
  const { definition, children } = run.seed.pinned
  if (children === undefined) return {}
  const all = Object.entries(children).map(([name, { digest }]) => [name, digest] as const)
  if (stepNumber === 0) return { children: Object.fromEntries(all) }
  const action = definition.steps.find(({ number }) => number === stepNumber)?.action
  if (action?.kind !== 'sop') return {}
  return { runs: action.sop, with: action.with ?? {}, children: Object.fromEntries(all) }
}

const commandsOf = (run: Run, stepNumber: number) => {
  const executables = executablesFor(run.seed.pinned.definition)
  const ids = (['step', 'verify', 'rollback'] as const).map((kind): ExecutableId => `${kind}:${stepNumber}`)
  const commands = Object.fromEntries(
    ids.flatMap((id) => (executables[id] === undefined ? [] : [[id, executables[id]]])),
  )
  const text = JSON.stringify(commands)
  const outputs = Object.fromEntries(
    Object.entries(run.outputs).filter(([name]) => text.includes(`$${name}`) || text.includes(`\${${name}`)),
  )
  return { step: stepNumber, commands, outputs }
}

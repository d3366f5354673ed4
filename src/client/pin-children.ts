import { MAX_BYTES } from '../core/compile.ts'
import type { SopDefinition } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { MAX_DEPTH, runsSops } from '../core/run/child.ts'
import type { PinnedChild, PinnedSop } from '../core/run/run.ts'

/** Pins one SOP by name, without those that it runs. */
export type PinOne = (name: string) => Promise<PinnedSop>

/**
 * The SOP with all that it runs as its steps, pinned together: its approval covers them, and an edit of one of them does
 * not bend the run.
 *
 * @throws SopError `invalid` for SOPs that run each other in a circle or too deep, for one that cannot start, and where
 * all together are larger than a run carries
 */
export const pinWhole = async (pinned: PinnedSop, pinOne: PinOne): Promise<PinnedSop> => {
  const { definition } = pinned
  if (runsSops(definition).length === 0) return pinned
  const children = new Map<string, PinnedChild>()
  await collect(definition, [definition.name], { children, pinOne })
  const definitions = [definition, ...[...children.values()].map((child) => child.definition)]
  const bytes = Buffer.byteLength(JSON.stringify(definitions))
  if (bytes > MAX_BYTES) {
    throw refusal(
      definition.name,
      `with the SOPs that it runs it has ${bytes} bytes of JSON, and a run carries at most ${MAX_BYTES}`,
    )
  }
  return { ...pinned, children: Object.fromEntries(children) }
}

interface Collection {
  readonly children: Map<string, PinnedChild>
  readonly pinOne: PinOne
}

const collect = async (definition: SopDefinition, path: readonly string[], all: Collection): Promise<void> => {
  const [top = ''] = path
  for (const name of runsSops(definition)) {
    if (path.includes(name)) throw refusal(top, `SOPs run each other in a circle: ${[...path, name].join(' runs ')}`)
    if (path.length >= MAX_DEPTH) {
      throw refusal(top, `SOPs run each other more than ${MAX_DEPTH} deep: ${[...path, name].join(' runs ')}`)
    }
    const known = all.children.get(name)
    const child = known ?? childOf(await orRefusal(top, name, all.pinOne))
    all.children.set(name, child)
    await collect(child.definition, [...path, name], all)
  }
}

const childOf = ({ definition, digest, warrants, warnings }: PinnedSop): PinnedChild => ({
  definition,
  digest,
  warrants,
  ...(warnings && { warnings }),
})

const orRefusal = async (top: string, name: string, pinOne: PinOne): Promise<PinnedSop> => {
  try {
    return await pinOne(name)
  } catch (error) {
    if (!(error instanceof SopError)) throw error
    throw new SopError(
      'invalid',
      `Cannot start SOP "${top}", which runs SOP "${name}": ${error.message}`,
      error.details,
    )
  }
}

const refusal = (top: string, reason: string): SopError =>
  new SopError('invalid', `Cannot start SOP "${top}": ${reason}`)

import { unsupported } from '../core/run/supported.ts'
import { digestOf } from '../core/canonical.ts'
import type { SopDefinition } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { type PinnedSop, RULES_VERSION, type RunPolicy } from '../core/run/run.ts'
import { pinWhole } from './pin-children.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import type { InstallationKey } from './signing.ts'

export interface PinDeps {
  readonly catalog: Catalog
  readonly key: InstallationKey
  readonly policy: RunPolicy
}

/** Finds the SOP of that name as it stands in its file now. @throws SopError `not_found` with the names that come near. */
export const findEntry = async (catalog: Catalog, name: string): Promise<CatalogEntry> => {
  const entry = await catalog.get(name)
  if (entry !== undefined) return entry
  const names = (await catalog.list()).map((each) => each.name)
  const near = names.find((each) => each.toLowerCase() === name.toLowerCase() || each.startsWith(name))
  const hint = near === undefined ? 'sop list shows the names' : `did you mean "${near}"?`
  throw new SopError('not_found', `Cannot find SOP "${name}": ${hint}`)
}

/** Definitions whose text is at hand; the stores keep it for good once one of them runs. */
const MAX_SOURCES = 1000

/** Pinning signs every command of a definition, so the result is kept by definition for as long as the file stands. */
export const createPin = ({ catalog, key, policy }: PinDeps) => {
  const pins = new WeakMap<SopDefinition, PinnedSop>()
  const sources = new Map<string, CatalogEntry['files']>()
  const pinEntry = (entry: CatalogEntry): PinnedSop => {
    const { definition, diagnostics } = entry.compiled
    const [error] = diagnostics.filter((each) => each.severity === 'error')
    if (definition === undefined || error !== undefined) {
      const where = error
        ? `${error.place.file}:${error.place.line}:${error.place.column}: ${error.message}`
        : 'it does not compile'
      throw new SopError('invalid', `Cannot start SOP "${entry.name}": ${where}`, { diagnostics })
    }
    const warnings = diagnostics.filter((each) => each.severity === 'warning').map((each) => each.message)
    const known = pins.get(definition)
    // Some warnings come and go while the file stands as it is.
    if (known !== undefined && (known.warnings ?? []).join('\n') === warnings.join('\n')) return known
    const digest = digestOf(definition)
    const pinned: PinnedSop = {
      definition,
      digest,
      warrants: key.warrantsFor(definition, digest),
      authority: key.authority,
      policy,
      rulesVersion: RULES_VERSION,
      ...(warnings.length > 0 && { warnings }),
    }
    pins.set(definition, pinned)
    sources.set(digest, entry.files)
    for (const oldest of sources.keys()) {
      if (sources.size <= MAX_SOURCES) break
      sources.delete(oldest)
    }
    return pinned
  }
  const pinOne = async (name: string): Promise<PinnedSop> => {
    const pinned = pinEntry(await findEntry(catalog, name))
    const [blocker] = unsupported(pinned.definition)
    if (blocker !== undefined) throw new SopError('invalid', `Cannot start SOP "${name}": ${blocker}`)
    return pinned
  }
  return {
    policy,
    pinEntry,
    /** The text of a definition that was pinned here, by path. */
    sourceOf: (digest: string): Readonly<Record<string, string>> | undefined => {
      const files = sources.get(digest)
      return files === undefined ? undefined : Object.fromEntries(files.map(({ path, text }) => [path, text]))
    },
    /** With the SOPs that it runs. @throws SopError as `pin` does. */
    pinChildren: (pinned: PinnedSop): Promise<PinnedSop> => pinWhole(pinned, pinOne),
    /** @throws SopError `not_found`, or `invalid` with the first error or the setting that is not carried out yet. */
    pin: async (name: string): Promise<PinnedSop> => pinWhole(await pinOne(name), pinOne),
  }
}
export type Pin = ReturnType<typeof createPin>

import { digestOf } from '../core/canonical.ts'
import type { SopDefinition } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import type { SopVersion, SopVersionDetail } from './client.ts'
import { findEntry } from './pin.ts'
import type { Records } from './records.ts'

// sop-versions.ts: the definitions of an SOP: those that its runs ran by, and the one of its file now.

export interface VersionDeps {
  readonly catalog: Catalog
  readonly records: Records
}

interface Now {
  readonly definition: SopDefinition
  readonly digest: string
  readonly files: CatalogEntry['files']
}

/** What the file says now; undefined where there is none that compiles. */
const nowOf = async ({ catalog }: VersionDeps, name: string): Promise<Now | undefined> => {
  const entry = await catalog.get(name)
  const definition = entry?.compiled.definition
  return entry === undefined || definition === undefined
    ? undefined
    : { definition, digest: digestOf(definition), files: entry.files }
}

/** Newest first; the one of the file begins the list. @throws SopError `not_found` where neither file nor run is known */
export const listVersions = async (deps: VersionDeps, name: string): Promise<readonly SopVersion[]> => {
  const [now, ran] = await Promise.all([nowOf(deps, name), deps.records.index.versions(name)])
  // An SOP whose file is gone, or broken, is known by its runs.
  if (now === undefined && ran.length === 0) await findEntry(deps.catalog, name)
  const known = ran.find(({ digest }) => digest === now?.digest)
  const current: readonly SopVersion[] =
    now === undefined
      ? []
      : [{ ...(known ?? { digest: now.digest, version: now.definition.version, runs: 0 }), current: true }]
  return [...current, ...ran.filter((version) => version !== known)]
}

/** @throws SopError `not_found` with the way to those there are */
export const readVersion = async (deps: VersionDeps, name: string, digest: string): Promise<SopVersionDetail> => {
  const versions = await listVersions(deps, name)
  const version = versions.find((each) => each.digest === digest)
  const now = await nowOf(deps, name)
  const isNow = now?.digest === digest
  const definition = isNow ? now.definition : (await deps.records.audit.readDefinition(digest))?.definition
  if (version === undefined || definition === undefined) {
    const reason = version === undefined ? 'no run ran by it' : 'its definition is not on record'
    throw new SopError(
      'not_found',
      `Cannot find definition "${digest.slice(0, 100)}" of SOP "${name}": ${reason}. sop show ${name} --versions lists those there are`,
    )
  }
  const source = isNow
    ? Object.fromEntries(now.files.map(({ path, text }) => [path, text]))
    : await deps.records.audit.readSource(digest)
  return { ...version, sop: name, definition, ...(source !== undefined && { source }) }
}

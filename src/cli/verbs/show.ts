import type { SopClient, SopSummary, SopVersionDetail } from '../../client/client.ts'
import { SopError } from '../../core/errors.ts'
import type { Verb } from '../command.ts'
import { UsageError } from '../exit-codes.ts'
import { renderSop } from '../render/sop.ts'
import { renderVersions } from '../render/versions.ts'

export interface ShowOptions {
  readonly source?: boolean
  readonly versions?: boolean
  readonly digest?: string
}

export const show: Verb<ShowOptions> = async (context, [name = ''], { source, versions, digest }) => {
  const client = await context.client()
  if (versions === true) {
    if (source === true || digest !== undefined)
      throw new UsageError('--versions lists them. Give --digest without it to see one of them')
    context.show(await client.listSopVersions(name), (clean) =>
      renderVersions(clean, { colours: context.colours, now: context.io.now(), long: true }),
    )
    return undefined
  }
  const sop = digest === undefined ? await client.getSop(name) : await versionOf(client, name, digest)
  if (source !== true) {
    context.show(sop, (clean) => renderSop(clean, context.colours))
    return undefined
  }
  const files = Object.entries(sop.source ?? {})
  if (files.length === 0)
    throw new SopError('not_found', `Cannot show the source of SOP "${name}": ${noSource(digest)}`)
  context.show(sop.source, () => '')
  // One file goes out as it is, so that it can be redirected into a file; several need to be told apart.
  if (!context.json)
    context.show(files, (clean) =>
      clean.map(([file, text]) => (clean.length === 1 ? text : `--- ${file} ---\n${text}`)).join('\n'),
    )
  return undefined
}

const noSource = (digest: string | undefined): string =>
  digest === undefined ? 'the engine does not hand it out' : 'the text of that definition was not kept'

/** By its digest, or as many of its first characters as tell it from the others. */
const versionOf = async (
  client: SopClient,
  name: string,
  digest: string,
): Promise<SopSummary & Pick<SopVersionDetail, 'source'>> => {
  const known = (await client.listSopVersions(name)).filter((version) => version.digest.startsWith(digest))
  if (known.length > 1)
    throw new SopError('conflict', `Cannot tell definition "${digest}" of SOP "${name}": several begin like that`)
  const version = await client.getSopVersion(name, known[0]?.digest ?? digest)
  return {
    name,
    path: Object.keys(version.source ?? {})[0] ?? '',
    definition: version.definition,
    digest: version.digest,
    diagnostics: [],
    startable: version.current === true,
    blockers: [],
    notices: [],
    ...(version.source !== undefined && { source: version.source }),
  }
}

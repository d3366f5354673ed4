import type { TokenClient } from '../../client/http.ts'
import type { NewToken, TokenInfo } from '../../client/tokens.ts'
import type { TokenRole } from '../../core/run/principal.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { UsageError, exitCode } from '../exit-codes.ts'
import { renderTable } from '../render/table.ts'
import { renderInstant } from '../render/time.ts'

export interface TokenOptions {
  readonly role?: TokenRole
  readonly group?: readonly string[]
  readonly kind?: NonNullable<NewToken['kind']>
}

export const token: Verb<TokenOptions> = async (context, [action, name], options) => {
  if (action === 'list' && name !== undefined) throw new UsageError('Cannot list tokens: "list" takes no NAME')
  if (action !== 'list' && name === undefined)
    throw new UsageError(`Cannot ${action} a token: it needs a NAME, e.g. sop token ${action} alice`)
  if (action !== 'create' && (options.role ?? options.group ?? options.kind) !== undefined)
    throw new UsageError('Cannot use --role, --group and --kind here: they belong to "create"')
  const tokens = await context.ports.tokens(context.at)
  if (action === 'list') return list(context, tokens)
  return action === 'create' ? create(context, tokens, name ?? '', options) : revoke(context, tokens, name ?? '')
}

const list = async (context: Context, tokens: TokenClient): Promise<number> => {
  context.show(await tokens.listTokens(), (clean) =>
    clean.length === 0
      ? 'No tokens yet. Create one: sop token create NAME --role approver'
      : renderTokens(context, clean),
  )
  return exitCode('ok')
}

const renderTokens = ({ colours, io }: Context, tokens: readonly TokenInfo[]): string =>
  renderTable(
    ['NAME', 'ROLE', 'KIND', 'GROUPS', 'CREATED', 'BY'].map((heading) => colours.dim(heading)),
    tokens.map((each) => [
      each.name,
      each.role,
      each.kind,
      each.groups.join(', ') || '-',
      renderInstant(each.createdAt, io.now(), false),
      each.createdBy ?? '-',
    ]),
  )

const create = async (context: Context, tokens: TokenClient, name: string, options: TokenOptions): Promise<number> => {
  const created = await tokens.createToken({
    name,
    role: options.role ?? 'viewer',
    groups: options.group ?? [],
    ...(options.kind === undefined ? {} : { kind: options.kind }),
  })
  // Only the token itself on stdout, so that `SOP_TOKEN=$(sop token create ci)` works.
  context.show(created, (clean) => clean.token)
  const groups = created.groups.length === 0 ? '' : `, groups ${created.groups.join(', ')}`
  context.hint(
    `Token of ${created.kind} "${created.name}", role ${created.role}${groups}. It is shown only now; its holder sets it as SOP_TOKEN.`,
  )
  return exitCode('ok')
}

const revoke = async (context: Context, tokens: TokenClient, name: string): Promise<number> => {
  await tokens.revokeToken(name)
  context.show({ name, revoked: true }, (clean) => `Revoked the token of "${clean.name}".`)
  return exitCode('ok')
}

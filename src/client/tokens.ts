// tokens.ts: named bearer tokens in `<dataDir>/tokens.json`, and the local token beside it.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { SopError } from '../core/errors.ts'
import { type Principal, TOKEN_ROLES, type TokenRole } from '../core/run/principal.ts'
import { readLocalToken } from './local-token.ts'
import {
  openTokenFile,
  openTokenRows,
  TOKEN_KINDS,
  type TokenKind,
  type TokenRecord,
  type TokenRows,
} from './token-file.ts'

export interface NewToken {
  readonly name: string
  readonly role: TokenRole
  /** For a worker: the pools that it may serve; none means all. */
  readonly groups?: readonly string[]
  /** Default `user`; a worker is a `service`. */
  readonly kind?: TokenKind
}

/** What may be shown of a token: everything but the token. */
export interface TokenInfo {
  readonly name: string
  readonly kind: TokenKind
  readonly role: TokenRole
  readonly groups: readonly string[]
  readonly createdAt: string
  readonly createdBy?: string
}

/** Who holds which bearer token. Changes by another process are seen by the next call. */
export interface TokenStore {
  /** By name. The local token is not among them. */
  list(): Promise<readonly TokenInfo[]>
  /** `invalid` for a bad name, role or group, `conflict` if the name is taken. The token is shown this once. */
  create(token: NewToken, createdBy?: string): Promise<TokenInfo & { readonly token: string }>
  /** `not_found`. From then on the token opens nothing. */
  revoke(name: string): Promise<void>
  /** The principal that the token speaks for; `undefined` if it is nobody's. */
  principalOf(token: string): Promise<Principal | undefined>
  /** The same, with a name for the token that opens nothing; another token has another one, also under the same name. */
  identify(token: string): Promise<TokenHolder | undefined>
  /** The principal of the token that `identify` named so; `undefined` once it is revoked. */
  holderOf(identity: string): Promise<Principal | undefined>
}

/** Whom a token speaks for. */
export interface TokenHolder {
  readonly principal: Principal
  readonly identity: string
}

export interface TokenStoreOptions {
  readonly dataDir: string
  /** Where processes on several hosts keep them together. Default: `tokens.json` of the data directory. */
  readonly rows?: TokenRows | undefined
  /** The principal of the local token; absent: there is no local token. */
  readonly localPrincipal?: Principal
  readonly now?: () => Date
}

/** Opens the store of a data directory. Nothing is written before the first `create`. */
export function openTokenStore({
  dataDir,
  rows,
  localPrincipal,
  now = () => new Date(),
}: TokenStoreOptions): TokenStore {
  const file = rows === undefined ? openTokenFile(dataDir) : openTokenRows(rows)
  const identify = async (token: string): Promise<TokenHolder | undefined> => {
    const asked = digest(token)
    if (localPrincipal !== undefined) {
      const local = await readLocalToken(dataDir)
      if (local !== undefined && timingSafeEqual(digest(local), asked)) {
        return { principal: localPrincipal, identity: identityOf(asked) }
      }
    }
    // Every record is compared, so that the time says nothing about where the match stands.
    let found: TokenRecord | undefined
    for (const record of await file.read()) {
      if (timingSafeEqual(Buffer.from(record.sha256, 'hex'), asked)) found = record
    }
    return found === undefined ? undefined : { principal: principalFor(found), identity: identityOf(asked) }
  }
  return {
    async list() {
      return (await file.read()).map(infoOf).sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async create(wanted, createdBy) {
      const checked = checkToken(wanted)
      const token = `sop_${randomBytes(32).toString('base64url')}`
      const record: TokenRecord = {
        ...checked,
        createdAt: now().toISOString(),
        ...(createdBy === undefined ? {} : { createdBy }),
        sha256: digest(token).toString('hex'),
      }
      await file.change((records) => {
        if (records.some(({ name }) => name === record.name)) {
          throw new SopError(
            'conflict',
            `Cannot create token "${record.name}": the name is taken. Revoke that token first`,
          )
        }
        return [...records, record]
      })
      return { ...infoOf(record), token }
    },
    async revoke(name) {
      await file.change((records) => {
        const rest = records.filter((record) => record.name !== name)
        if (rest.length < records.length) return rest
        throw new SopError(
          'not_found',
          `Cannot revoke token "${name}": there is none of that name. List them with "sop token list"`,
        )
      })
    },
    principalOf: async (token) => (await identify(token))?.principal,
    identify,
    async holderOf(identity) {
      if (localPrincipal !== undefined) {
        const local = await readLocalToken(dataDir)
        if (local !== undefined && identityOf(digest(local)) === identity) return localPrincipal
      }
      const found = (await file.read()).find(({ sha256 }) => identityOf(Buffer.from(sha256, 'hex')) === identity)
      return found === undefined ? undefined : principalFor(found)
    },
  }
}

/** Made of the stored hash: it leads back to neither the hash nor the token. */
const identityOf = (sha256: Buffer): string =>
  createHash('sha256').update('session').update(sha256).digest('base64url').slice(0, 22)

// A plain hash is enough: a slow one guards passwords that can be guessed, and nobody guesses 32 random bytes.
const digest = (token: string): Buffer => createHash('sha256').update(token).digest()

const infoOf = ({ sha256: _, ...info }: TokenRecord): TokenInfo => info

const principalFor = ({ name, kind, role, groups }: TokenRecord): Principal => ({
  id: name,
  kind,
  role,
  ...(groups.length === 0 ? {} : { groups }),
})

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/
/** Ids that the record already uses for itself. */
const RESERVED = ['timer', 'engine', 'anonymous', 'unverified', 'temporal']

function checkToken({
  name,
  role,
  groups = [],
  kind = role === 'worker' ? 'service' : 'user',
}: NewToken): Pick<TokenInfo, 'name' | 'kind' | 'role' | 'groups'> {
  const refuse = (reason: string): never => {
    throw new SopError('invalid', `Cannot create token "${name}": ${reason}`)
  }
  if (!NAME.test(name)) refuse('a name is 1 to 100 letters, digits and . _ @ + -, and begins with a letter or digit')
  if (RESERVED.includes(name.toLowerCase())) refuse('the name is reserved for the engine itself')
  if (!TOKEN_ROLES.includes(role)) refuse(`"${role}" is no role. Roles: ${TOKEN_ROLES.join(', ')}`)
  if (role === 'worker' && kind !== 'service') refuse('a worker is of kind "service"')
  if (!TOKEN_KINDS.includes(kind)) refuse(`"${kind}" is no kind. Kinds: ${TOKEN_KINDS.join(', ')}`)
  for (const group of groups) {
    if (!NAME.test(group)) refuse(`"${group}" is no name of a group. Write it without "group:"`)
  }
  return { name, kind, role, groups: [...new Set(groups)].sort() }
}

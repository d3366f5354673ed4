import { z } from 'zod'
import type { NewToken, TokenInfo } from '../../client/tokens.ts'
import { TOKEN_ROLES } from '../../core/run/principal.ts'
import { components, instant, list } from './registry.ts'

const kind = z.enum(['user', 'agent', 'service'])

const tokenFields = {
  name: z.string().describe('Also the id of the principal'),
  kind,
  role: z.enum(TOKEN_ROLES),
  groups: list(z.string()).describe('For a worker: the pools that it may serve; none means all'),
  createdAt: instant,
  createdBy: z.string().exactOptional(),
}

export const newToken: z.ZodType<NewToken> = z
  .strictObject({
    name: z.string(),
    role: z.enum(TOKEN_ROLES),
    groups: list(z.string()).exactOptional(),
    kind: kind.exactOptional().describe('Default: user'),
  })
  .register(components, { id: 'NewToken' })

const tokenInfo: z.ZodType<TokenInfo> = z.object(tokenFields).register(components, { id: 'Token' })

export const tokenList = z.object({ tokens: list(tokenInfo) }).register(components, { id: 'TokenList' })

export const createdToken = z
  .object({ ...tokenFields, token: z.string().describe('The token itself, shown this once') })
  .register(components, { id: 'CreatedToken' })

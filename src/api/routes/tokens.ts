import type { TokenStore } from '../../client/tokens.ts'
import { route, type Route } from '../route.ts'
import { createdToken, newToken, tokenList } from '../schemas/token.ts'

export const tokenRoutes = (tokens: TokenStore): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/tokens',
    operationId: 'listTokens',
    tag: 'Tokens',
    summary: 'Who holds a token',
    verb: 'manageTokens',
    replies: { 200: { description: 'The tokens, never themselves', schema: tokenList } },
    handle: async () => ({ status: 200, json: { tokens: await tokens.list() } }),
  }),
  route({
    method: 'post',
    path: '/api/v1/tokens',
    operationId: 'createToken',
    tag: 'Tokens',
    summary: 'Make a token',
    verb: 'manageTokens',
    body: newToken,
    example: { name: 'alice', role: 'approver', groups: ['dba'] },
    replies: { 201: { description: 'Made. The token is shown this once', schema: createdToken } },
    handle: async ({ actor, body }) => ({ status: 201, json: await tokens.create(body, actor.principal.id) }),
  }),
  route({
    method: 'delete',
    path: '/api/v1/tokens/:name',
    operationId: 'revokeToken',
    tag: 'Tokens',
    summary: 'Revoke a token',
    verb: 'manageTokens',
    replies: { 204: { description: 'Revoked: it opens nothing from now on' } },
    handle: async ({ params }) => {
      await tokens.revoke(params.name ?? '')
      return { status: 204 }
    },
  }),
]

// openapi.ts: the OpenAPI 3.1 document of a table of routes. Assembled by hand from what zod itself generates: the rest
// is one loop, and a library for it would want the routes written in its own way.

import { z } from 'zod'
import { roleOf, type Reply, type Route } from './route.ts'
import { components } from './schemas/registry.ts'
import { problem } from './schemas/health.ts'

export type JsonSchema = { readonly [key: string]: unknown }

/** A route that needs no credential. */
export interface PublicRoute {
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly replies: Readonly<Record<number, Reply>>
  /** Default `get`. */
  readonly method?: 'post'
  readonly body?: z.ZodType
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly security?: readonly object[]
  readonly parameters?: readonly JsonSchema[]
  readonly requestBody?: JsonSchema
  readonly responses: Readonly<Record<string, JsonSchema>>
}

export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly security: readonly object[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>>; readonly securitySchemes: object }
}

export interface DocumentParts {
  readonly routes: readonly Route[]
  readonly publicRoutes: readonly PublicRoute[]
  readonly version: string
  readonly publicUrl?: string | undefined
}

export function openApiDocument({ routes, publicRoutes, version, publicUrl }: DocumentParts): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {}
  const add = (path: string, method: string, operation: Operation) => {
    const key = path.replace(/:(\w+)/g, '{$1}')
    paths[key] = { ...paths[key], [method]: operation }
  }
  for (const spec of publicRoutes) add(spec.path, spec.method ?? 'get', publicOperation(spec))
  for (const spec of routes) add(spec.path, spec.method, operation(spec))
  const tags = [...new Set(['Engine', ...routes.map(({ tag }) => tag)])]
  return {
    openapi: '3.1.1',
    info: { title: 'SOP Engine', version, description: ABOUT },
    servers: [{ url: publicUrl ?? '/' }],
    security: [{ bearer: [] }, { session: [] }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The local token, or one of `sop token create`' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'sop_session',
          description:
            'A signed-in browser. On an engine without a public URL the name ends with its port: `sop_session_7780`',
        },
      },
    },
  }
}

const ABOUT =
  'Runs Standard Operating Procedures. Every refusal is a problem document (RFC 9457) whose `code` is one of invalid, ' +
  'unauthenticated, forbidden, not_found, conflict, unavailable, internal. The header `X-SOP-Client` (cli, js, mcp, web) ' +
  'says for the record what is calling.'

function operation(spec: Route): Operation {
  const sentences = [spec.description, `Needs the role ${roleOf(spec)}.`].filter((text) => text !== undefined)
  const parameters = [...pathParameters(spec.path), ...queryParameters(spec.query)]
  return {
    operationId: spec.operationId,
    summary: spec.summary,
    description: sentences.join(' '),
    tags: [spec.tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(spec.body === undefined ? {} : { requestBody: requestBody(spec) }),
    ...(spec.takesBytes === undefined ? {} : { requestBody: BYTES }),
    responses: { ...responses(spec.replies), ...problems(spec) },
  }
}

const publicOperation = ({ operationId, summary, replies, body }: PublicRoute): Operation => ({
  operationId,
  summary,
  tags: ['Engine'],
  security: [],
  ...(body === undefined
    ? {}
    : { requestBody: { required: true, content: { 'application/json': { schema: reference(body) } } } }),
  responses: responses(replies),
})

const pathParameters = (path: string): JsonSchema[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))

function queryParameters(query: z.ZodType | undefined): JsonSchema[] {
  const { shape } = (query ?? {}) as { shape?: Record<string, z.ZodType> }
  return Object.entries(shape ?? {}).map(([name, field]) => {
    const { description, ...schema } = bare(z.toJSONSchema(field, { io: 'output' }))
    return { name, in: 'query', ...(description === undefined ? {} : { description }), schema }
  })
}

const BYTES: JsonSchema = {
  required: true,
  content: { 'application/octet-stream': { schema: { type: 'string', contentEncoding: 'binary' } } },
}

const requestBody = (spec: Route): JsonSchema => ({
  content: {
    'application/json': {
      schema: reference(spec.body),
      ...(spec.example === undefined ? {} : { example: spec.example }),
    },
    ...Object.fromEntries((spec.accepts ?? []).map((type) => [type, { schema: {} }])),
  },
})

function responses(replies: Readonly<Record<number, Reply>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(replies).map(([status, reply]) => [status, response(reply)]))
}

function response({ description, schema, types = [] }: Reply): JsonSchema {
  const json = schema === undefined ? {} : { 'application/json': { schema: reference(schema) } }
  const others = Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]))
  const content = { ...json, ...others }
  return Object.keys(content).length === 0 ? { description } : { description, content }
}

function problems(spec: Route): Record<string, JsonSchema> {
  const looksUp = spec.path.includes(':')
  const words: Record<string, string> = {
    ...(spec.body !== undefined || spec.query !== undefined || looksUp ? { 400: 'The request is not valid' } : {}),
    401: 'No credential, or a wrong one',
    403: 'The role does not allow it',
    ...(looksUp || spec.path.endsWith('/approve') ? { 404: 'Nothing of that name or id' } : {}),
    ...(spec.method === 'post' || spec.method === 'put' ? { 409: 'The state does not allow it' } : {}),
    ...(spec.body === undefined ? {} : { 413: 'The body is larger than 1 MB', 415: 'The body is not JSON' }),
    ...(spec.takesBytes === undefined ? {} : { 413: 'The body is larger than 1 MB', 415: 'The body is encoded' }),
    429: 'Too many wrong tokens from this address',
    500: 'The engine failed; `requestId` finds the cause in its log',
    503: 'The engine cannot do it now',
  }
  const content = { 'application/problem+json': { schema: reference(problem) } }
  return Object.fromEntries(Object.entries(words).map(([status, description]) => [status, { description, content }]))
}

const REFERENCE = '#/components/schemas/'

function reference(schema: z.ZodType | undefined): JsonSchema {
  const id = schema === undefined ? undefined : components.get(schema)?.id
  if (id === undefined) throw new Error('a route has a body or an answer that is no registered schema')
  return { $ref: REFERENCE + id }
}

function componentSchemas(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(components, { io: 'input', uri: (id) => REFERENCE + id })
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]))
}

/** Without what OpenAPI says elsewhere, and without the bounds of every integer. */
function bare(schema: object): JsonSchema {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    const kept = Object.entries(value).filter(
      ([, entry]) => entry !== Number.MAX_SAFE_INTEGER && entry !== Number.MIN_SAFE_INTEGER,
    )
    return Object.fromEntries(kept.map(([key, entry]) => [key, walk(entry)]))
  }
  const { $schema: _, $id: __, ...rest } = schema as Record<string, unknown>
  return walk(rest) as JsonSchema
}

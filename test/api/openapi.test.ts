import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/api/app.ts'
import { openTokenStore } from '../../src/client/tokens.ts'
import { fakeClient, healthSample } from '../support/fake-client.ts'
import { fakeDoor, noSessions, noWebhooks, testApi } from '../support/test-api.ts'

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const { app, document: documentOf } = createApp({
  clientFor: () => fakeClient(),
  tokens: openTokenStore({ dataDir: '/nonexistent' }),
  sessions: noSessions,
  workers: fakeDoor,
  webhooks: noWebhooks,
  health: async () => healthSample,
  log: silent,
  version: '0.1.0',
  host: '127.0.0.1',
})

const document = documentOf()

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> }
}
const served = (app.router as unknown as { stack: Layer[] }).stack.flatMap(({ route }) =>
  route === undefined
    ? []
    : Object.keys(route.methods).map((method) => `${method} ${route.path.replace(/:(\w+)/g, '{$1}')}`),
)
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
)

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(
    JSON.parse(JSON.stringify(document)) as Record<string, unknown>,
  )
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
  expect(document.openapi).toMatch(/^3\.1\./)
})

test('the document has every route that is served, and no other', () => {
  expect(operations.map(({ name }) => name).sort()).toEqual([...served].sort())
  expect(served.length).toBeGreaterThan(25)
})

test('the routes are those that were promised', () => {
  expect(served).toEqual(
    expect.arrayContaining([
      'get /api/v1/sops',
      'get /api/v1/sops/{name}',
      'post /api/v1/sops',
      'post /api/v1/sops/{name}/plan',
      'post /api/v1/sops/{name}/runs',
      'get /api/v1/runs',
      'get /api/v1/runs/{id}',
      'post /api/v1/runs/{id}/approve',
      'post /api/v1/runs/{id}/reject',
      'post /api/v1/runs/{id}/complete',
      'post /api/v1/runs/{id}/skip',
      'post /api/v1/runs/{id}/cancel',
      'post /api/v1/runs/{id}/pause',
      'post /api/v1/runs/{id}/resume',
      'post /api/v1/runs/{id}/retry',
      'get /api/v1/runs/{id}/audit',
      'get /api/v1/runs/{id}/logs',
      'get /api/v1/schedules',
      'get /api/v1/schedules/upcoming',
      'post /api/v1/schedules/{id}/pause',
      'post /api/v1/schedules/{id}/resume',
      'post /api/v1/schedules/{id}/trigger',
      'post /api/v1/schedules/{id}/backfill',
      'get /api/v1/tokens',
      'post /api/v1/tokens',
      'delete /api/v1/tokens/{name}',
      'get /health',
      'get /ready',
      'get /',
      'get /api/openapi.json',
      'get /api/docs',
      'post /api/sop/{name}/trigger',
      'get /api/sop/{name}/status',
      'post /api/sop/run/{runId}/approve',
      'post /api/sop/approve',
    ]),
  )
})

test('every operation has a name of its own, says what it does, and what it needs', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { name, operation } of operations) {
    expect([name, operation.summary]).toEqual([name, expect.stringMatching(/^[A-Z].*[^.]$/)])
    if (operation.security === undefined)
      expect([name, operation.description]).toEqual([name, expect.stringMatching(/Needs the role/)])
  }
})

test('every reference leads to a schema, and every schema is used', () => {
  const text = JSON.stringify(document)
  const used = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, id]) => id))
  expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort())
})

test('the document leaves nothing of the generator behind', () => {
  const text = JSON.stringify(document)
  for (const word of ['$schema', '$id', '__shared', '9007199254740991', 'undefined']) expect(text).not.toContain(word)
})

test('request bodies refuse unknown keys, and answers may grow', () => {
  const { StartRequest, Run } = document.components.schemas
  expect(StartRequest).toMatchObject({ additionalProperties: false })
  expect(Run).not.toHaveProperty('additionalProperties')
})

test('every route but the public ones refuses without a token, and those answer', async () => {
  const api = await testApi()
  for (const { name, path, method, operation } of operations) {
    const { status } = await api.call(method.toUpperCase(), path.replace(/[{}]/g, ''), { token: null })
    // Signing in brings its own credential, and is for the page alone.
    const open = operation.operationId === 'createSession' ? 403 : 200
    expect([name, status]).toEqual([name, operation.security === undefined ? 401 : open])
  }
})

test('GET /api/openapi.json serves the document', async () => {
  const api = await testApi()
  const { json, headers } = await api.call('GET', '/api/openapi.json', { token: null })
  expect(json).toEqual(JSON.parse(JSON.stringify(document)))
  expect(headers['content-type']).toMatch(/^application\/json/)
})

describe('GET /api/docs', () => {
  test('shows every operation and schema, and loads nothing', async () => {
    const api = await testApi()
    const { text, headers } = await api.call('GET', '/api/docs', { token: null })
    for (const { operation, path } of operations) {
      expect(text).toContain(`id="${operation.operationId}"`)
      expect(text).toContain(`<code>${path}</code>`)
    }
    for (const id of Object.keys(document.components.schemas)) expect(text).toContain(`id="schema-${id}"`)
    expect(text).not.toMatch(/<script|<img|<link|src=|undefined|\[object/)
    expect(headers['content-security-policy']).toContain("default-src 'none'")
  })

  test('has a place for every code that problem documents link to', async () => {
    const api = await testApi()
    const { text } = await api.call('GET', '/api/docs', { token: null })
    const { json } = await api.call('GET', '/nope')
    expect(text).toContain(`id="${json.type.split('#')[1]}"`)
  })
})

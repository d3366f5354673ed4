import { ERROR_CODES } from '../core/errors.ts'
import { html, page, type Html } from './html.ts'
import type { JsonSchema, OpenApiDocument, Operation } from './openapi.ts'
import { STATUSES } from './problem.ts'

/** What stands at `/`: what this is, and where to go. */
export const homePage = (version: string, temporalUiUrl: string | undefined): string =>
  page(
    'SOP Engine',
    html`<h1>SOP Engine ${version}</h1>
<p>Carries out Standard Operating Procedures: durable runs, approval gates, and a record of who decided what.</p>
<ul>
<li><a href="/api/docs">How to speak to it over HTTP</a> (<a href="/api/openapi.json">OpenAPI 3.1</a>)</li>
<li><a href="/ready">Whether it is ready</a></li>
${temporalUiUrl === undefined ? '' : html`<li><a href="${temporalUiUrl}">Temporal UI</a>: every run as a workflow</li>`}
</ul>
<p>In a terminal: <code>sop list</code>, <code>sop run NAME</code>, <code>sop status</code>, <code>sop approve RUN</code>.</p>`,
  )

/** The OpenAPI document, readable: every operation with its role, parameters, body and answers. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const sections = document.tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    return html`<h2>${name}</h2>${own.map(({ path, method, operation }) => operationBlock(path, method, operation))}`
  })
  return page(
    'SOP Engine: HTTP API',
    html`<h1>SOP Engine: HTTP API</h1><p>${document.info.description} <a href="/api/openapi.json">The same as OpenAPI 3.1</a>.</p>
<pre><code>curl -H "Authorization: Bearer $(cat .sop/token)" http://127.0.0.1:7780/api/v1/sops</code></pre>
${sections}<h2>Refusals</h2>${refusals()}<h2>Schemas</h2>${schemas(document)}`,
  )
}

function operationBlock(path: string, method: string, operation: Operation): Html {
  return html`<h3 id="${operation.operationId}"><span class="method">${method}</span> <code>${path}</code></h3>
<p><strong>${operation.summary}.</strong> ${operation.description}${operation.security === undefined ? '' : 'Needs no credential.'}</p>
${parameterTable(operation.parameters ?? [])}${bodyBlock(operation.requestBody)}
<table>${Object.entries(operation.responses).map(
    ([status, { description, content }]) =>
      html`<tr><td><code>${status}</code></td><td>${description}</td><td>${contentLinks(content)}</td></tr>`,
  )}</table>`
}

function parameterTable(parameters: readonly JsonSchema[]): Html | string {
  if (parameters.length === 0) return ''
  return html`<table>${parameters.map(
    ({ name, in: place, description, schema }) =>
      html`<tr><td><code>${name}</code></td><td>${place}</td><td>${typeName(schema)}</td><td>${description}</td></tr>`,
  )}</table>`
}

function bodyBlock(body: JsonSchema | undefined): Html | string {
  const content = body?.content as Record<string, { schema: JsonSchema; example?: unknown }> | undefined
  const json = content?.['application/json']
  if (json === undefined) return ''
  const example =
    json.example === undefined ? '' : html`<pre><code>${JSON.stringify(json.example, null, 2)}</code></pre>`
  return html`<p>Body: ${typeName(json.schema)}</p>${example}`
}

const contentLinks = (content: unknown): Html[] =>
  Object.entries((content ?? {}) as Record<string, { schema: JsonSchema }>).map(
    ([type, { schema }]) => html`<div>${typeName(schema)} <small>${type}</small></div>`,
  )

const refusals = (): Html =>
  html`<table>${ERROR_CODES.map(
    (code) =>
      html`<tr id="${code}"><td><code>${code}</code></td><td>${STATUSES[code]}</td><td>${MEANINGS[code]}</td></tr>`,
  )}</table>`

const MEANINGS: Readonly<Record<(typeof ERROR_CODES)[number], string>> = {
  invalid: 'The request is wrong as it is; errors lists each place. Also with 408, 413, 415, 422, 429 and 431.',
  unauthenticated: 'There is no bearer token, or it is unknown or revoked.',
  forbidden: 'The role, or the rule of the gate, does not allow it.',
  not_found: 'There is no SOP, run, step or route of that name.',
  conflict: 'The state does not allow it: decided already, not open, cooldown, limit. reply has the answer of the run.',
  unavailable: 'Something that the engine needs does not answer now. Try again.',
  internal: 'The engine failed. requestId finds the cause in its log.',
}

function schemas({ components }: OpenApiDocument): Html[] {
  return Object.entries(components.schemas).map(([id, schema]) => {
    const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
    const required = (schema.required ?? []) as readonly string[]
    return html`<h3 id="schema-${id}">${id}</h3><p>${schema.description}</p><table>${properties.map(
      ([name, field]) =>
        html`<tr><td><code>${name}</code>${required.includes(name) ? '' : '?'}</td><td>${typeName(field)}</td><td>${field.description}</td></tr>`,
    )}</table>`
  })
}

function typeName(value: unknown): Html | string {
  const schema = (value ?? {}) as JsonSchema
  if (typeof schema.$ref === 'string') {
    const id = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    return html`<a href="#schema-${id}">${id}</a>`
  }
  if (Array.isArray(schema.enum)) return schema.enum.map((word) => JSON.stringify(word)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.type === 'array') return html`${typeName(schema.items)}[]`
  const choices = schema.anyOf ?? schema.oneOf
  if (Array.isArray(choices))
    return html`${choices.map((choice, at) => html`${at === 0 ? '' : ' | '}${typeName(choice)}`)}`
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return html`{ [name]: ${typeName(schema.additionalProperties)} }`
  }
  return typeof schema.type === 'string' ? schema.type : 'any'
}

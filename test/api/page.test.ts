import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync, brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { noWebhooks, testApi } from '../support/test-api.ts'

const SCRIPT = 'console.log("the page")'
const HTML = { Accept: 'text/html,application/xhtml+xml' }

/** An API with a page as a build leaves it. */
const withPage = async (options: Parameters<typeof testApi>[0] = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'sop-page-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>SOP Engine</title>')
  await writeFile(join(folder, 'secret.json'), '{}')
  const file = join(folder, 'assets', 'index-abc123.js')
  await writeFile(file, SCRIPT)
  await writeFile(`${file}.br`, brotliCompressSync(SCRIPT))
  await writeFile(`${file}.gz`, gzipSync(SCRIPT))
  return testApi({ ...options, page: { folder } })
}

const bytesOf = async (url: string, encoding: string) => {
  // The body as it came: fetch would unpack it.
  const { request } = await import('node:http')
  return new Promise<{ encoding: string | undefined; cache: string | undefined; body: Buffer }>((resolve, reject) => {
    const outgoing = request(url, { agent: false, headers: { 'Accept-Encoding': encoding } }, (incoming) => {
      const pieces: Buffer[] = []
      incoming.on('data', (piece: Buffer) => pieces.push(piece))
      incoming.on('end', () =>
        resolve({
          encoding: incoming.headers['content-encoding'],
          cache: incoming.headers['cache-control'],
          body: Buffer.concat(pieces),
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

test('a file of the page comes compressed as the browser likes it, to be kept for ever', async () => {
  const api = await withPage()
  const url = `${api.url}/assets/index-abc123.js`
  const cache = 'public, max-age=31536000, immutable'
  const brotli = await bytesOf(url, 'gzip, deflate, br')
  expect([brotli.encoding, brotli.cache, brotliDecompressSync(brotli.body).toString()]).toEqual(['br', cache, SCRIPT])
  const gzip = await bytesOf(url, 'gzip')
  expect([gzip.encoding, gunzipSync(gzip.body).toString()]).toEqual(['gzip', SCRIPT])
  const plain = await bytesOf(url, 'identity')
  expect([plain.encoding, plain.body.toString()]).toEqual([undefined, SCRIPT])
  const { headers } = await api.call('GET', '/assets/index-abc123.js', { token: null })
  expect(headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8', vary: 'Accept-Encoding' })
})

test.each([
  '/assets/nothing.js',
  '/assets/..%2findex.html',
  '/assets/..%2fsecret.json',
  '/assets/%2e%2e%2fsecret.json',
  '/assets/index-abc123.js.br',
])('"%s" is no file of the page', async (path) => {
  const api = await withPage()
  const { status, text } = await api.call('GET', path, { token: null })
  expect(status).toBe(401)
  expect(text).not.toContain('the page')
})

test.each(['/', '/login', '/runs', '/runs/sop_run_1?x=1', '/sops/deploy', '/insights', '/no-such-screen'])(
  'a browser that asks for "%s" gets the page, which may load nothing but its own files',
  async (path) => {
    const api = await withPage()
    const { status, headers, text } = await api.call('GET', path, { token: null, headers: HTML })
    expect([status, text]).toEqual([200, '<!doctype html><title>SOP Engine</title>'])
    expect(headers['cache-control']).toBe('no-cache')
    const policy = String(headers['content-security-policy'])
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /)
    expect(policy).not.toContain('unsafe')
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'")
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' })
  },
)

test.each([
  ['GET', '/api/v1/runs'],
  ['GET', '/api/nope'],
  ['GET', '/metrics/nope'],
  ['GET', '/assets/nope.js'],
  ['POST', '/runs'],
  ['DELETE', '/'],
])('%s %s is never the page', async (method, path) => {
  const api = await withPage()
  const { text } = await api.call(method, path, { token: null, headers: HTML })
  expect(text).not.toContain('<!doctype html>')
})

test('a program that asks for no page gets none', async () => {
  const api = await withPage()
  for (const Accept of ['application/json', '*/*']) {
    const { status } = await api.call('GET', '/runs', { token: null, headers: { Accept } })
    expect(status).toBe(401)
  }
})

test('a path that an SOP names is its webhook, for browsers as well', async () => {
  const serves = async (_method: string, path: string) => path === '/runs'
  const api = await withPage({ webhooks: { ...noWebhooks, serves } })
  const { text } = await api.call('GET', '/runs', { token: null, headers: HTML })
  expect(text).not.toContain('<!doctype html>')
  expect((await api.call('GET', '/sops', { token: null, headers: HTML })).text).toContain('<!doctype html>')
})

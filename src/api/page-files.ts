// page-files.ts: the page that the build made, as this server sends it: compressed files with hashed names, and one index
// for every address of the page.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Express, Request, RequestHandler, Response } from 'express'

/** A page that was built. */
export interface PageFiles {
  /** The folder with `index.html` and `assets/`. */
  readonly folder: string
}

/** Where builds put it: beside the programs, or in dist where the sources are run as they are. */
const PLACES = ['../web/', '../../dist/web/'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** The page of this installation; `undefined` where none was built. */
export const findPage = (): PageFiles | undefined => {
  const folder = PLACES.find((place) => existsSync(join(place, 'assets')) && existsSync(join(place, 'index.html')))
  return folder === undefined ? undefined : { folder }
}

/** Only files of ours, by their own names; nothing inline, nothing from elsewhere, and no string ever becomes markup. */
const INDEX_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** A year: a file that changes gets another name. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Serves `/assets/…`. Names come from the folder's own list, so that no path leads out of it. */
export function mountAssets(app: Express, { folder }: PageFiles): void {
  const names = new Set(readdirSync(join(folder, 'assets')))
  app.get('/assets/:name', (request, response, next) => {
    const { name } = request.params
    const type = TYPES[extname(name)]
    if (!names.has(name) || type === undefined) return next()
    response.set({ 'Cache-Control': FOR_EVER, 'Content-Type': type })
    sendFile(request, response, join(folder, 'assets', name))
  })
}

/** Serves the index to a browser that asks for a page, at whatever address: the page itself knows which there are. */
export function pageHandler({ folder }: PageFiles): RequestHandler {
  return (request, response, next) => {
    if (!wantsPage(request)) return next()
    response.set({
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': INDEX_POLICY,
      'Content-Type': 'text/html; charset=utf-8',
      'Cross-Origin-Opener-Policy': 'same-origin',
    })
    sendFile(request, response, join(folder, 'index.html'))
  }
}

/** Addresses that are not the page's, though a browser may ask for them. */
const OTHERS = /^\/(api|health|ready|metrics|assets)(\/|$)/

const wantsPage = ({ method, path, headers }: Request): boolean =>
  (method === 'GET' || method === 'HEAD') && (headers.accept ?? '').includes('text/html') && !OTHERS.test(path)

const read = new Map<string, Buffer>()
const bytesOf = (path: string): Buffer => {
  const bytes = read.get(path) ?? readFileSync(path)
  read.set(path, bytes)
  return bytes
}

function sendFile(request: Request, response: Response, path: string): void {
  // Asked one by one: browsers name gzip first and like both alike, and brotli is a fifth smaller.
  const encoding = ['br', 'gzip'].find((each) => request.acceptsEncodings(each) === each)
  const ending = encoding === 'br' ? '.br' : encoding === 'gzip' ? '.gz' : ''
  const isThere = ending !== '' && existsSync(path + ending)
  response.vary('Accept-Encoding')
  if (isThere && encoding !== undefined) response.setHeader('Content-Encoding', encoding)
  response.send(bytesOf(isThere ? path + ending : path))
}

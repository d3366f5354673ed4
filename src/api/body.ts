// body.ts: from the bytes of a request to a JSON object that is safe to look at. Read here and not by Express's own
// parser, which reads an oversized body to its end before it refuses, and knows no limit of depth.

import type { IncomingMessage } from 'node:http'
import type { Json } from '../core/definition.ts'
import { TransportError } from './problem.ts'
import { SopError } from '../core/errors.ts'

const MAX_BODY_BYTES = 1024 * 1024
export const MAX_DEPTH = 64

/**
 * The JSON object of a body; `{}` when there is none.
 *
 * @throws TransportError 413 past 1 MB, 415 for another type, charset or encoding; SopError `invalid` for anything that is
 * no JSON object, deeper than 64 levels, or has a key `__proto__`.
 */
export async function readJsonBody(request: IncomingMessage): Promise<object> {
  const bytes = await readBytes(request, MAX_BODY_BYTES)
  if (bytes.length === 0) return {}
  checkType(request)
  return parseBody(bytes)
}

/** The bytes of a body, as they are. @throws TransportError 413 past the limit, 415 for a content encoding. */
export const readRawBody = (request: IncomingMessage, limitBytes = MAX_BODY_BYTES): Promise<Buffer> =>
  readBytes(request, limitBytes)

async function readBytes(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    new TransportError(413, `Cannot read the body: it is larger than ${limitBytes} bytes`, { limitBytes })
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge()
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') {
    throw new TransportError(
      415,
      `Cannot read the body: content encoding "${encoding}" is not accepted. Send it as it is`,
    )
  }
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limitBytes) chunks.push(chunk)
      else reject(tooLarge())
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => reject(new TransportError(408, 'Cannot read the body: the connection broke')))
    request.on('close', () => reject(new TransportError(408, 'Cannot read the body: the connection broke')))
  })
}

function checkType(request: IncomingMessage): void {
  const type = request.headers['content-type']
  if (type === undefined) return
  const media = mediaOf(type)
  if (media !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(media)) {
    const way = 'Send JSON with the header "Content-Type: application/json"'
    throw new TransportError(415, `Cannot read the body: its type is "${media}". ${way}`)
  }
}

/** The media type that a `Content-Type` names. @throws TransportError 415 for another charset than UTF-8 */
export function mediaOf(type: string): string {
  const [media = '', ...parameters] = type.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length)
  if (charset !== undefined && !/^"?utf-?8"?$/.test(charset)) {
    throw new TransportError(415, `Cannot read the body: charset ${charset} is not accepted. Send UTF-8`)
  }
  return media
}

function parseBody(bytes: Buffer): object {
  const text = decodeBody(bytes)
  if (text.trim() === '') return {}
  const value = parseJson(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new SopError('invalid', 'Cannot read the body: expected a JSON object, as in {"params": {}}')
}

/** @throws SopError `invalid` for what is not UTF-8 */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new SopError('invalid', 'Cannot read the body: it is not UTF-8')
  }
}

/** Any JSON value. @throws SopError `invalid` for what is none, is too deep, or has a key `__proto__` */
export function parseJson(text: string): Json {
  checkDepth(text)
  let value: Json
  try {
    value = JSON.parse(text, refuseProto) as Json
  } catch (error) {
    if (error instanceof SopError) throw error
    throw new SopError('invalid', `Cannot read the body: it is not JSON (${(error as Error).message})`)
  }
  return value
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SopError('invalid', 'Cannot read the body: the key "__proto__" is not accepted')
  return value
}

/** Counts brackets outside of strings, before anything is built of them. */
function checkDepth(text: string): void {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (quoted) {
      if (char === BACKSLASH) at++
      else if (char === QUOTE) quoted = false
    } else if (char === QUOTE) quoted = true
    else if (char === BRACE || char === BRACKET) {
      if (++depth > MAX_DEPTH)
        throw new SopError('invalid', `Cannot read the body: it is nested deeper than ${MAX_DEPTH} levels`)
    } else if (char === END_BRACE || char === END_BRACKET) depth--
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACE = 0x7b
const BRACKET = 0x5b
const END_BRACE = 0x7d
const END_BRACKET = 0x5d

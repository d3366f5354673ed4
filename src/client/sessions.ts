// sessions.ts: a browser's session, and the one-time link that begins one. A session is a sealed statement, kept by the
// browser alone: it outlives a restart, holds at every API of the installation, and ends with the token that it stands for.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../core/run/principal.ts'
import type { TokenStore } from './tokens.ts'

/** Who a session speaks for, and until when. */
export interface Session {
  readonly principal: Principal
  /** Names the token that it stands for; nothing can be opened with it. */
  readonly identity: string
  readonly expiresAt: string
}

export interface OpenedSession extends Session {
  /** The value of the cookie. */
  readonly value: string
}

/** A code that opens one session, once. */
export interface SessionLink {
  readonly code: string
  readonly expiresAt: string
}

export interface Sessions {
  /** A session for the holder of the token; `undefined` if it is nobody's. */
  open(token: string): Promise<OpenedSession | undefined>
  /** Whose session it is; `undefined` if it is forged or over, or its token was revoked. */
  read(value: string): Promise<Session | undefined>
  /** A one-time code for the holder of this token, good for ten minutes at this process. */
  link(identity: string): SessionLink
  /** A session for the code, which is spent from now on; `undefined` if it is unknown, spent or too old. */
  redeem(code: string): Promise<OpenedSession | undefined>
}

export interface SessionsOptions {
  /** 32 bytes that only this installation can work out. */
  readonly key: Uint8Array
  readonly tokens: Pick<TokenStore, 'identify' | 'holderOf'>
  readonly now?: () => number
}

/** A session ends after twelve hours: a working day, and never two. */
export const SESSION_MS = 12 * 3_600_000
export const LINK_MS = 600_000
/** Past so many open codes the oldest are dropped: memory is bounded. */
const MAX_LINKS = 1_000

export function createSessions({ key, tokens, now = Date.now }: SessionsOptions): Sessions {
  const links = new Map<string, { readonly identity: string; readonly expiresAtMs: number }>()
  const seal = (text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const make = (identity: string, principal: Principal): OpenedSession => {
    const expiresAtMs = now() + SESSION_MS
    const text = `v1.${identity}.${expiresAtMs}.${randomBytes(9).toString('base64url')}`
    const value = `${text}.${seal(text).toString('base64url')}`
    return { value, identity, principal, expiresAt: new Date(expiresAtMs).toISOString() }
  }
  const forHolder = async (identity: string): Promise<OpenedSession | undefined> => {
    const principal = await tokens.holderOf(identity)
    return principal === undefined ? undefined : make(identity, principal)
  }
  return {
    async open(token) {
      const found = await tokens.identify(token)
      return found === undefined ? undefined : make(found.identity, found.principal)
    },
    async read(value) {
      const [, text = '', identity = '', expiry = '', given = ''] = SHAPE.exec(value) ?? []
      const expected = seal(text)
      const bytes = Buffer.from(given, 'base64url')
      if (bytes.length !== expected.length || !timingSafeEqual(bytes, expected)) return undefined
      const expiresAtMs = Number(expiry)
      if (expiresAtMs <= now()) return undefined
      const principal = await tokens.holderOf(identity)
      return principal === undefined
        ? undefined
        : { principal, identity, expiresAt: new Date(expiresAtMs).toISOString() }
    },
    link(identity) {
      const at = now()
      for (const [code, { expiresAtMs }] of links) if (expiresAtMs <= at || links.size >= MAX_LINKS) links.delete(code)
      const code = randomBytes(24).toString('base64url')
      const expiresAtMs = at + LINK_MS
      links.set(digest(code), { identity, expiresAtMs })
      return { code, expiresAt: new Date(expiresAtMs).toISOString() }
    },
    async redeem(code) {
      const found = links.get(digest(code))
      links.delete(digest(code))
      if (found === undefined || found.expiresAtMs <= now()) return undefined
      return forHolder(found.identity)
    },
  }
}

const SHAPE = /^((?:v1)\.([\w-]{22})\.(\d{13})\.[\w-]{12})\.([\w-]{43})$/

// Codes are looked up by their hash, so that the time of a lookup says nothing about them.
const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

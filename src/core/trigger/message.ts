import type { Json } from '../definition.ts'

// message.ts: the body of a message of a broker as a payload.

/** Larger bodies begin nothing: a run carries its payload for ever. */
export const MAX_MESSAGE_BYTES = 256 * 1024
/** Deeper JSON begins nothing: whoever reads it later may walk it. */
export const MAX_MESSAGE_DEPTH = 64

export type ReadMessage =
  | { readonly ok: true; readonly payload: Json }
  | { readonly ok: false; readonly reason: string }

/** JSON is what it says; any other UTF-8 text is that text, an empty body nothing. */
export const readMessage = (bytes: Uint8Array): ReadMessage => {
  if (bytes.length > MAX_MESSAGE_BYTES)
    return { ok: false, reason: `the message has ${bytes.length} bytes, at most ${MAX_MESSAGE_BYTES} are taken` }
  if (bytes.length === 0) return { ok: true, payload: null }
  const text = decoded(bytes)
  if (text === undefined) return { ok: false, reason: 'the message is not UTF-8 text' }
  if (depthOf(text) > MAX_MESSAGE_DEPTH)
    return { ok: false, reason: `the message is nested more than ${MAX_MESSAGE_DEPTH} deep` }
  return { ok: true, payload: parsed(text) }
}

const decoded = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const parsed = (text: string): Json => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** How deep its brackets go, those in texts left out. */
const depthOf = (text: string): number => {
  let [depth, deepest, isText] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (isText) {
      if (character === '\\') at++
      else if (character === '"') isText = false
    } else if (character === '"') isText = true
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth)
    else if (character === ']' || character === '}') depth--
  }
  return deepest
}

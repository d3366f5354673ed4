import type { Request, Response } from 'express'

/** How long the rest of a request is still read when its answer is out, in milliseconds. */
export const LINGER_MS = 2_000

/**
 * Sends an answer, also to a client that still sends its body. To close a connection with unread bytes resets it, and
 * the reset takes the answer from the client: so the answer is written first, what still comes is read and thrown
 * away for a while, and only then the connection may close (RFC 9112, 9.6).
 */
export function sendAndLinger(request: Request, response: Response, text: string): void {
  if (request.complete || request.destroyed) {
    response.send(text)
    return
  }
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.write(text)
  const timer = setTimeout(() => response.end(() => request.socket.destroySoon()), LINGER_MS)
  request.once('close', () => {
    clearTimeout(timer)
    response.end()
  })
  request.resume()
}

import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { createStreams, type Frame, sendStream, type Streams } from '../../src/api/streams.ts'

/** A server whose one page streams the frames; and a client that reads nothing before it is told to. */
async function setUp(frames: (signal: AbortSignal) => AsyncIterable<Frame>, streams: Streams = createStreams()) {
  const app = express()
  app.get('/', (_request, response) => void sendStream(response, streams, frames))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const outgoing = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false })
  onTestFinished(() => {
    outgoing.destroy()
    server.close()
    server.closeAllConnections()
  })
  outgoing.on('error', () => undefined)
  outgoing.end()
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { incoming, streams, outgoing }
}

test('a client that does not read is not sent more than the connection holds, and gets all of it in the end', async () => {
  let made = 0
  const block = 'x'.repeat(64 * 1024)
  const { incoming } = await setUp(async function* () {
    for (made = 0; made < 400; made++) yield { event: 'log', id: String(made), data: block }
  })
  const settled = async () => {
    for (let before = -1; before !== made; ) {
      before = made
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  await settled()
  // What the buffers of both ends of a local connection take; never all 25 MB.
  expect(made).toBeLessThan(200)
  let bytes = 0
  for await (const piece of incoming) bytes += (piece as Buffer).length
  expect(made).toBe(400)
  expect(bytes).toBeGreaterThan(400 * block.length)
})

test('whoever leaves is let go of, also in the middle of a wait', async () => {
  let ended = false
  const { outgoing } = await setUp(async function* (signal) {
    try {
      yield { event: 'log', data: 'x' }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    } finally {
      ended = true
    }
  })
  expect(ended).toBe(false)
  outgoing.destroy()
  await expect.poll(() => ended, { timeout: 20_000 }).toBe(true)
})

test('a client that left while it did not read is let go of, too', async () => {
  let ended = false
  const { outgoing } = await setUp(async function* () {
    try {
      for (;;) yield { event: 'log', data: 'x'.repeat(64 * 1024) }
    } finally {
      ended = true
    }
  })
  outgoing.destroy()
  await expect.poll(() => ended, { timeout: 20_000 }).toBe(true)
})

test('says that it lives while nothing happens, and how soon to come back', async () => {
  const { incoming } = await setUp(
    async function* (signal) {
      yield { event: 'log', data: 'x' }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    createStreams({ beatMs: 10 }),
  )
  let text = ''
  incoming.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  await expect
    .poll(() => text, { timeout: 20_000 })
    .toMatch(/^retry: \d+\n\nevent: log\ndata: "x"\n\n: still here\n\n: still here\n\n/)
})

test('are not one too many', () => {
  const streams = createStreams({ limit: 1 })
  const response = { on: () => response } as never
  streams.open(response)
  expect(() => streams.open(response)).toThrow('Cannot open a stream: 1 are open already')
})

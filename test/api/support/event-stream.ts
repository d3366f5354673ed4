import { request } from 'node:http'
import { expect, onTestFinished } from 'vitest'
import type { TestApi } from '../../support/test-api.ts'

/** One server-sent event. */
export interface SentEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: Record<string, unknown>
}

export interface OpenStream {
  /** The answer has begun. */
  readonly opened: Promise<void>
  leave(): void
  /** All events, once the server has ended the stream. */
  all(): Promise<readonly SentEvent[]>
  /** Waits for so many events. */
  first(count: number): Promise<readonly SentEvent[]>
}

/** Opens a stream of the API as a client would. */
export function openStream(
  api: TestApi,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  token: string | null = api.local,
): OpenStream {
  let opened = (): void => undefined
  const open = new Promise<void>((resolve) => {
    opened = resolve
  })
  let received = ''
  const outgoing = request({
    host: '127.0.0.1',
    port: api.port,
    path,
    agent: false,
    headers: { ...(token !== null && { Authorization: `Bearer ${token}` }), ...headers },
  })
  const ended = new Promise<void>((resolve, reject) => {
    outgoing.on('response', (incoming) => {
      opened()
      expect(incoming.headers['content-type']).toBe('text/event-stream; charset=utf-8')
      incoming.setEncoding('utf8')
      incoming.on('data', (text: string) => {
        received += text
      })
      incoming.on('close', resolve)
      incoming.on('error', () => resolve())
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
  ended.catch(() => undefined)
  onTestFinished(() => void outgoing.destroy())
  const events = (): readonly SentEvent[] =>
    received
      .slice(0, received.lastIndexOf('\n\n') + 1)
      .split('\n\n')
      .filter((block) => block.includes('data: '))
      .map(parseEvent)
  return {
    opened: open,
    leave: () => outgoing.destroy(),
    all: async () => {
      await ended
      return events()
    },
    first: async (count) => {
      await expect.poll(() => events().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count)
      return events().slice(0, count)
    },
  }
}

function parseEvent(block: string): SentEvent {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  return { event: field('event') ?? '', id: field('id'), data: JSON.parse(field('data') ?? '{}') }
}

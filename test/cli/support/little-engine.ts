import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What came in over HTTP. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly surface: string | undefined
  readonly body: unknown
}

export interface LittleEngine {
  readonly url: string
  readonly asked: readonly Asked[]
  stop(): Promise<void>
}

/** A real HTTP server that answers as the API does: `answer` gives the JSON, or a status with a problem document. */
export const startLittleEngine = async (answer: (asked: Asked) => unknown): Promise<LittleEngine> => {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const one: Asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        authorization: request.headers.authorization,
        surface: request.headers['x-sop-client'] as string | undefined,
        body,
      }
      asked.push(one)
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(answer(one)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}

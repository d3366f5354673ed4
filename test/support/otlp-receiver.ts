import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A span as it came. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: ReceivedSpan['attributes'] }
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[]
  }[]
}

export interface OtlpReceiver {
  readonly url: string
  /** Spans that were taken, in the order in which they came. */
  readonly spans: ReceivedSpan[]
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Body }[]
  /** What it answers from now on; by default it takes everything. */
  answer: { readonly status: number; readonly body?: unknown }
}

/** A collector of traces by OTLP/HTTP, until the test is over. It objects to what no collector would take. */
export const startOtlpReceiver = async (): Promise<OtlpReceiver> => {
  const receiver = {
    spans: [] as ReceivedSpan[],
    requests: [] as OtlpReceiver['requests'],
    answer: { status: 200 },
  } as {
    url: string
  } & Omit<OtlpReceiver, 'url'>
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body
      receiver.requests.push({ path: request.url ?? '', headers: request.headers, body })
      const spans = body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
      const isSound = request.headers['content-type'] === 'application/json' && spans.every(isSpan)
      const { status, body: said } = isSound ? receiver.answer : { status: 400, body: undefined }
      if (status === 200) receiver.spans.push(...spans)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return receiver
}

const isSpan = (span: ReceivedSpan): boolean =>
  /^[0-9a-f]{32}$/.test(span.traceId) &&
  /^[0-9a-f]{16}$/.test(span.spanId) &&
  (span.parentSpanId === undefined || /^[0-9a-f]{16}$/.test(span.parentSpanId)) &&
  /^\d{19}$/.test(span.startTimeUnixNano) &&
  BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano) &&
  span.attributes.every(({ key, value }) => key !== '' && Object.keys(value).length === 1)

import { SopError } from '../core/errors.ts'
import type { RunState } from '../core/run/state.ts'
import { exchange, type Question } from './http-exchange.ts'
import type { RecordedLog } from './records.ts'
import type { LogSum, Welcome } from './worker-door.ts'

// worker-http.ts: the door of the engine as a worker of a pool sees it, over HTTP.

/** What a worker of a pool asks of its engine. Refusals are SopErrors; `unavailable` when it cannot be reached. */
export interface WorkerClient {
  welcome(): Promise<Welcome>
  /** @throws SopError `conflict`, with `details.expected` for a gap */
  putLog(log: RecordedLog, offset: number, bytes: Uint8Array): Promise<{ readonly next: number }>
  endLog(log: RecordedLog, sum: LogSum): Promise<void>
  /** `undefined` where no value is kept. */
  secretParam(runId: string, name: string): Promise<string | undefined>
  /** `undefined` where nobody knows the run. */
  runState(runId: string): Promise<RunState | undefined>
}

export interface WorkerClientOptions {
  readonly url: string
  readonly token?: string
  /** How long an answer may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number
}

const DOOR = '/api/v1/worker'

export const createWorkerClient = ({ url, token, timeoutMs = 60_000 }: WorkerClientOptions): WorkerClient => {
  const target = {
    url,
    surface: 'worker',
    timeoutMs,
    keepsConnections: true,
    ...(token !== undefined && { token }),
  } as const
  const ask = (question: Question): Promise<unknown> => exchange(target, question)
  return {
    welcome: async () => (await ask({ method: 'GET', path: DOOR })) as Welcome,
    putLog: async (log, offset, bytes) =>
      (await ask({ method: 'PUT', path: `${logPath(log)}?offset=${offset}`, bytes })) as { next: number },
    endLog: async (log, sum) => void (await ask({ method: 'POST', path: `${logPath(log)}/end`, body: sum })),
    secretParam: async (runId, name) => {
      const path = `${DOOR}/runs/${encodeURIComponent(runId)}/params/${encodeURIComponent(name)}`
      return ((await orUndefined(ask({ method: 'GET', path }))) as { value: string } | undefined)?.value
    },
    runState: async (runId) => {
      const path = `${DOOR}/runs/${encodeURIComponent(runId)}`
      return ((await orUndefined(ask({ method: 'GET', path }))) as { status: RunState } | undefined)?.status
    },
  }
}

const logPath = ({ runId, executableId, attempt }: RecordedLog): string =>
  `${DOOR}/logs/${encodeURIComponent(runId)}/${encodeURIComponent(executableId)}/${attempt}`

const orUndefined = async <T>(asked: Promise<T>): Promise<T | undefined> => {
  try {
    return await asked
  } catch (error) {
    if (error instanceof SopError && error.code === 'not_found') return undefined
    throw error
  }
}

import type { SopClient } from '../../../src/client/client.ts'
import type { TokenClient } from '../../../src/client/http.ts'
import type { Ports } from '../../../src/cli/ports.ts'
import { SopError } from '../../../src/core/errors.ts'

/** One call that reached the engine. */
export interface Call {
  readonly method: string
  readonly args: readonly unknown[]
}

type Partially<T> = { readonly [K in keyof T]?: T[K] }

/** A client that has only the given methods and keeps what it was asked. */
export const createFakeClient = (
  methods: Partially<SopClient & TokenClient>,
): { client: SopClient & TokenClient; calls: Call[] } => {
  const calls: Call[] = []
  const client = new Proxy({} as SopClient & TokenClient, {
    get: (_target, method: string) => {
      // A promise must not be mistaken for one that can be awaited again.
      if (method === 'then') return undefined
      const streams = (methods as Record<string, ((...args: unknown[]) => unknown) | undefined>)[method]
      if (streams?.constructor.name === 'AsyncGeneratorFunction') {
        return (...args: unknown[]) => {
          calls.push({ method, args })
          return streams(...args)
        }
      }
      return async (...args: unknown[]) => {
        calls.push({ method, args })
        const known = (methods as Record<string, ((...args: unknown[]) => unknown) | undefined>)[method]
        if (known === undefined) throw new Error(`the test's engine has no ${method}`)
        return known(...args)
      }
    },
  })
  return { client, calls }
}

export const NO_ENGINE = new SopError(
  'unavailable',
  'Cannot reach the engine at http://127.0.0.1:7780: nothing listens there. Start one with "sop serve"',
)

/** Ports around a client; without one there is no engine. */
export const createFakePorts = (client: (SopClient & TokenClient) | undefined, more: Partially<Ports> = {}): Ports => {
  const connect = async () => {
    if (client === undefined) throw NO_ENGINE
    return client
  }
  const missing = (): never => {
    throw new Error('not part of this test')
  }
  return {
    connect,
    tokens: connect,
    browse: missing,
    files: missing,
    settings: missing,
    serve: missing,
    worker: missing,
    checkUpgrade: missing,
    exports: { check: async () => undefined, save: missing },
    backUp: missing,
    restore: missing,
    confirmRestore: missing,
    version: async () => '9.8.7',
    ...more,
  }
}

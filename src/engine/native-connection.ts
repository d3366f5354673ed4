import { setTimeout as sleep } from 'node:timers/promises'
import { NativeConnection, TransportError } from '@temporalio/worker'
import { SopError } from '../core/errors.ts'
import type { TemporalTarget } from './temporal-address.ts'

/** A server of ours that ends right after it came up is started again within this time, in milliseconds (dev-server.ts). */
const BACK_WITHIN_MS = 30_000
const PAUSE_MS = 250

/**
 * Connects what workers use to a server that answered a moment ago.
 *
 * @throws SopError `unavailable` where it does not come back
 */
export async function connectNative(
  { address, connectionOptions }: Pick<TemporalTarget, 'address' | 'connectionOptions'>,
  withinMs = BACK_WITHIN_MS,
): Promise<NativeConnection> {
  for (const end = performance.now() + withinMs; ; ) {
    try {
      return await NativeConnection.connect(connectionOptions)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (performance.now() > end)
        throw new SopError(
          'unavailable',
          `Cannot reach Temporal at "${address}" any more: ${error.message}. It answered a moment ago; see its log`,
          { address },
          error,
        )
      await sleep(PAUSE_MS)
    }
  }
}

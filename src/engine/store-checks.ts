import type { Health } from '../client/client.ts'
import { formatSize } from '../core/size.ts'
import type { Stores } from '../worker/stores.ts'

/** Whether what this process has to write gets written, how much waits, and how old the oldest of it is. */
export const storeChecks = (stores: Pick<Stores, 'recordState' | 'logState'>, now = Date.now()): Health['checks'] => ({
  ...recordCheck(stores, now),
  ...logCheck(stores),
})

const logCheck = ({ logState }: Pick<Stores, 'logState'>): Health['checks'] => {
  const { downSince, runs, waiting } = logState()
  if (downSince === undefined) return {}
  return {
    logs: {
      ok: false,
      since: downSince,
      detail: `logs cannot be written: ${formatSize(waiting)} of output wait beside them, of ${runs === 1 ? '1 run' : `${runs} runs`}`,
      help: 'Look at the database, or at the disk of the data directory. Steps go on up to store_down_log, then they wait; nothing is lost, and all of it is brought once the store is back',
      figures: { heldBytes: waiting, runs },
    },
  }
}

const recordCheck = ({ recordState }: Pick<Stores, 'recordState'>, now: number): Health['checks'] => {
  const { downSince, runs, waiting, oldestAt } = recordState()
  const lagMs = oldestAt === undefined ? 0 : Math.max(0, now - Date.parse(oldestAt))
  const figures = { unrecordedEvents: waiting, runs, lagMs }
  if (downSince === undefined) return { records: { ok: true, figures } }
  const [events, of] = [
    waiting === 1 ? '1 event waits' : `${waiting} events wait`,
    runs === 1 ? '1 run' : `${runs} runs`,
  ]
  return {
    records: {
      ok: false,
      since: downSince,
      detail: `the record cannot be written: ${events} for it, of ${of}`,
      help: 'Look at the database, or at the disk of the data directory: is it full, or read-only? Runs go on up to store_down_events and store_down_age, then they wait; nothing is lost, and they go on by themselves',
      figures,
    },
  }
}

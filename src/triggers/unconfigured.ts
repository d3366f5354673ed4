import type { Log } from '../log.ts'
import { triggersOf, type TriggerSource } from './source.ts'

/** Stands for a broker that the config does not name: says so wherever a trigger needs it. */
export const createUnconfigured = (type: 'mqtt' | 'amqp', variable: string, log: Pick<Log, 'warn'>): TriggerSource => {
  let sops: readonly string[] = []
  const detail = (): string =>
    `no broker is named, so the ${type} triggers of ${sops.map((sop) => `"${sop}"`).join(', ')} begin nothing: set ${variable}`
  return {
    follow: async (all) => {
      const before = sops.join('\n')
      sops = [...new Set(triggersOf(all, type).map(({ sop }) => sop))].sort()
      if (sops.length > 0 && sops.join('\n') !== before) log.warn(`Cannot take messages: ${detail()}`)
    },
    health: () => (sops.length === 0 ? undefined : { ok: false, detail: detail() }),
    close: async () => {},
  }
}

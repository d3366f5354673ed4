import { readFile } from 'node:fs/promises'
import type { BrokerConfig } from '../config.ts'

export interface PemFiles {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

/** Reads what the config names, anew for each connection: certificates are renewed. @throws Error with the path */
export const readPemFiles = async ({ caFile, certFile, keyFile }: BrokerConfig): Promise<PemFiles> => ({
  ...(caFile !== undefined && { ca: await readFile(caFile) }),
  ...(certFile !== undefined && { cert: await readFile(certFile) }),
  ...(keyFile !== undefined && { key: await readFile(keyFile) }),
})

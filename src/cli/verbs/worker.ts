import type { Verb } from '../command.ts'
import { UsageError } from '../exit-codes.ts'

export interface WorkerOptions {
  readonly pool?: string
  readonly label?: readonly string[]
  readonly token?: string
}

export const worker: Verb<WorkerOptions> = ({ ports, json, at }, _args, { pool, label = [], token }) => {
  if (pool === undefined && (label.length > 0 || token !== undefined))
    throw new UsageError('Cannot use --label and --token without --pool: they belong to a worker of a pool')
  return ports.worker({
    json,
    ...(pool !== undefined && { pool, labels: label }),
    ...(at.url !== undefined && { url: at.url }),
    ...(token !== undefined && { token }),
  })
}

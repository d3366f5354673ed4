import type { Verb } from '../command.ts'

export interface ServeOptions {
  readonly welcome?: boolean
  /** `--no-worker`. */
  readonly worker?: boolean
}

export const serve: Verb<ServeOptions> = ({ ports, json }, _args, { welcome, worker }) =>
  ports.serve({ welcome: welcome === true, worker: worker !== false, json })

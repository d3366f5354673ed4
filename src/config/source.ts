import type { Setting } from './settings.ts'

/** Something that is wrong with the configuration, or looks it. `message` is a whole sentence with its place. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning'
  /** `sop.config.toml:3`, `env SOP_API_PORT`. */
  readonly origin: string
  readonly message: string
  /** The way out. */
  readonly help?: string
}

/** A value that some source has for a setting. */
export interface Candidate {
  readonly setting: Setting
  readonly value: unknown
  readonly origin: string
  /** Where relative paths start. */
  readonly base: string
}

export interface Source {
  readonly candidates: readonly Candidate[]
  readonly problems: readonly ConfigProblem[]
}

export const NO_SOURCE: Source = { candidates: [], problems: [] }

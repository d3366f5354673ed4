import type { Config, ReadConfig } from '../config.ts'
import { SETTINGS } from './settings.ts'

/** One line of `sop config`. */
export interface ConfigLine {
  /** As in `sop.config.toml`. */
  readonly key: string
  readonly value: unknown
  readonly origin: string
  /** The environment variable that sets it. */
  readonly variable?: string
}

/** Every setting with its value and origin, in a fixed order; what is secret is not shown. */
export function describeConfig({ config, origins }: ReadConfig): readonly ConfigLine[] {
  return SETTINGS.map(({ key, fileKey, info }) => {
    const [table, name] = key.split('.', 2) as [keyof Config, string?]
    const group: unknown = config[table]
    const value = name === undefined ? group : (group as Readonly<Record<string, unknown>>)[name]
    const shown = info.secret === true && value !== undefined ? '(set, not shown)' : withoutPasswords(value)
    return {
      key: fileKey,
      value: shown,
      origin: origins[key] ?? 'default',
      ...(info.env === undefined ? {} : { variable: info.env }),
    }
  })
}

const withoutPasswords = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/^(\w+:\/\/)[^/@\s]*@/, '$1…@') : value

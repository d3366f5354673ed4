// values.ts: the kinds of values that settings have. Each accepts what a file writes as well as what an environment
// variable, always text, can say.

import { z } from 'zod'
import { EXECUTION_MODES } from '../core/definition.ts'
import { parseDuration } from '../core/duration.ts'
import { parseSize } from '../core/size.ts'

/** Text that is not blank. */
export const text = () => z.string().trim().min(1)

export const flag = () => z.union([z.boolean(), z.stringbool()])

/** A whole number within bounds, both included. */
export const whole = (least: number, most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value),
    z.int().min(least).max(most),
  )

/** A duration in milliseconds; a bare number is seconds (rulings 5). */
export const duration = () =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    const parsed = parseDuration(String(value))
    if (parsed.ok && parsed.ms !== null) return parsed.ms
    context.issues.push({ code: 'custom', message: parsed.ok ? 'there has to be one' : parsed.message, input: value })
    return z.NEVER
  })

/** An amount of bytes; a bare number is bytes. */
export const size = () =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    const parsed = parseSize(String(value))
    if (parsed !== undefined) return parsed
    context.issues.push({ code: 'custom', message: 'not an amount of bytes', input: value })
    return z.NEVER
  })

/** Adds `none`, which takes away what a weaker source sets. */
export const nullable = <T extends z.ZodType>(schema: T) =>
  z.preprocess(
    (value) => (typeof value === 'string' && value.trim().toLowerCase() === 'none' ? null : value),
    z.nullable(schema),
  )

/** A list of texts; in one text they are separated by commas or spaces. */
export const list = () =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(/[\s,]+/).filter((part) => part !== '') : value),
    z.array(text()),
  )

/** An execution mode with its synonyms (product.md 3). */
export const mode = () =>
  z.preprocess((value) => {
    if (typeof value !== 'string') return value
    const name = value.trim().toLowerCase().replaceAll('-', '_')
    return name === 'automatic' ? 'auto' : name
  }, z.enum(EXECUTION_MODES))

export const url = () => z.url({ protocol: /^https?$/ })

/** An IANA time zone that this machine knows. */
export const timezone = () =>
  text().refine((zone) => {
    try {
      return Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
    } catch {
      return false
    }
  }, 'not a time zone')

/**
 * When an open run moves to a newer build of the worker: never, where it hands over to its next execution, or at once.
 */
export const VERSIONING_BEHAVIORS = ['pinned', 'continue_as_new', 'auto_upgrade'] as const
export type VersioningBehavior = (typeof VERSIONING_BEHAVIORS)[number]

import type { Fields } from '../dialect/fields.ts'
import { refuseValue } from '../dialect/values.ts'

/** Paths that the engine serves itself (rulings 27). */
export const RESERVED_PATHS = ['/api', '/health', '/ready', '/metrics', '/assets', '/login'] as const

/** The path of a webhook; undefined, and reported, when the engine cannot serve it. */
export const readWebhookPath = (fields: Fields, path: string): string | undefined => {
  const place = fields.valuePlace('path')
  const asked = fields.asked('path')
  if (!path.startsWith('/'))
    return refuseValue(
      place,
      asked,
      `"${path.slice(0, 60)}" does not begin with /`,
      `Write "/${path.replace(/^\/*/, '')}"`,
    )
  const plain = decoded(path)?.toLowerCase()
  if (plain === undefined || /[\s?#\\]|\/\/|\/\.(?:\/|$)|\.\./.test(plain))
    return refuseValue(place, asked, `"${path.slice(0, 60)}" is not the path of a URL`)
  const reserved = RESERVED_PATHS.find((prefix) => plain === prefix || plain.startsWith(`${prefix}/`))
  if (path === '/' || reserved !== undefined) {
    fields.report.add(
      'reserved-path',
      place,
      `Cannot use the path "${path.slice(0, 60)}" for a webhook: ${reserved ?? '/'} belongs to the engine`,
      `Write "/webhook${path === '/' ? '/name' : path}"`,
    )
    return undefined
  }
  return path
}

/** A path without its escapes; undefined when they are broken. */
const decoded = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

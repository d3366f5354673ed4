import type { Occurrence } from './occurrence.ts'

const WORDS: Readonly<Record<string, string>> = { create: 'created', modify: 'modified', delete: 'deleted' }

/** The occurrence as conditions of dialect Z know it: there a file is created, modified or deleted. */
export const inZeroclawWords = (occurrence: Occurrence): Occurrence => {
  const { source, action = '', payload } = occurrence
  const word = WORDS[action]
  if (source !== 'file_watch' || word === undefined) return occurrence
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return occurrence
  return { ...occurrence, payload: { ...payload, event: word } }
}

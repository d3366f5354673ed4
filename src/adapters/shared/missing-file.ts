// missing-file.ts: for `catch` of what reads a file or a folder: one that is not there is no trouble, all else is.

/** A file that is not there reads as an empty one. */
export const orEmpty = (error: unknown): Buffer => {
  throwUnlessMissing(error)
  return Buffer.alloc(0)
}

/** What is not there is `undefined`. */
export const orUndefined = (error: unknown): undefined => throwUnlessMissing(error)

const throwUnlessMissing = (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

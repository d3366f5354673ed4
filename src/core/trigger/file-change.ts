// file-change.ts: when what happened to a watched file counts, and as what. Invariants:
//   F1 only what a file was left at counts: it has to stay as it is for the settle time.
//   F2 what counts is the difference to what was told last, so that a change is told once, however often it is seen.
//   F3 a file that came and went within the settle time was never there; one that was put in the place of another
//      (removed and made anew, or renamed over it) within it was modified.

/** How long a file has to be left alone unless its trigger says otherwise, in milliseconds. */
export const SETTLE_MS = 2_000

export const FILE_ACTIONS = ['create', 'modify', 'delete'] as const
export type FileAction = (typeof FILE_ACTIONS)[number]

/** What tells one state of a file from another without reading it. */
export interface FileMark {
  /** Size in bytes, time of the last write in nanoseconds, and inode: `12-1700000000000000000-42`. */
  readonly content: string
  /** Time of the last change of its inode in nanoseconds: it tells a file that was moved away and back. */
  readonly changedNs: string
}

/** What is known of one file. */
export interface WatchedFile {
  /** As it was told last, or found when watching began. Absent: it was not there. */
  readonly known?: FileMark
  /** It is otherwise now. */
  readonly waiting?: {
    /** Absent: it is gone. */
    readonly mark?: FileMark
    readonly sinceMs: number
    /** It was otherwise already when the engine started. */
    readonly isOld?: true
  }
}

export interface FileChange {
  readonly action: FileAction
  /** The file as it is now; of one that is gone, as it was. */
  readonly mark: FileMark
}

const isSame = (a: FileMark | undefined, b: FileMark | undefined): boolean => a?.content === b?.content

/** The file after a look at it. `isOld`: it is the first look since the engine started. */
export const observe = (
  file: WatchedFile,
  mark: FileMark | undefined,
  { nowMs, isOld = false }: { readonly nowMs: number; readonly isOld?: boolean },
): WatchedFile => {
  const known = file.known === undefined ? {} : { known: file.known }
  if (isSame(file.known, mark)) return known
  if (file.waiting !== undefined && isSame(file.waiting.mark, mark)) return file
  // What goes on changing changes now, whenever that began.
  const wasOld = file.waiting === undefined && isOld
  const waiting = { ...(mark && { mark }), sinceMs: nowMs, ...(wasOld && { isOld: true as const }) }
  return { ...known, waiting }
}

/** What happened to the file, once it was left alone long enough; undefined before, and where nothing did. */
export const changeOf = ({ known, waiting }: WatchedFile, nowMs: number, settleMs: number): FileChange | undefined => {
  if (waiting === undefined || nowMs - waiting.sinceMs < settleMs) return undefined
  if (waiting.mark !== undefined) return { action: known === undefined ? 'create' : 'modify', mark: waiting.mark }
  return known === undefined ? undefined : { action: 'delete', mark: known }
}

/** The key that tells a repeat of one change from another one (guarantee 10). */
export const changeKey = (path: string, { action, mark }: FileChange): string =>
  `${action}:${mark.content}-${mark.changedNs}:${path}`

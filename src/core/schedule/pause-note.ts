// pause-note.ts: the note of a schedule says who paused it and why. Temporal keeps one text for it, which people write too.

const ENGINE = '[engine] '

/** Who paused a schedule: we, somebody over our faces, or somebody in Temporal itself. */
export interface PauseNote {
  readonly by: string
  readonly reason: string
}

/** The note of a pause that we lift by ourselves. */
export const engineNote = (reason: string): string => `${ENGINE}${reason}`.slice(0, 1_000)

/** Whether we paused it, and so may resume it. */
export const isEngineNote = (note: string): boolean => note.startsWith(ENGINE)

/** The note of a pause that somebody asked for. */
export const personNote = (principal: string, via: string, comment: string | undefined): string =>
  `[${principal.replace(/[\][]/g, '')} via ${via}] ${comment ?? ''}`.trim().slice(0, 1_000)

/** What a note says. One that we did not write is somebody's in Temporal. */
export const readNote = (note: string): PauseNote => {
  const read = /^\[([^\]]*)\]\s*(.*)$/s.exec(note)
  return read === null
    ? { by: 'somebody in Temporal', reason: note.trim() }
    : { by: read[1] === 'engine' ? 'the engine' : (read[1] ?? ''), reason: read[2] ?? '' }
}

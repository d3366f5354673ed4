import { ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { endFamily, type Family, isFamilyAlive } from './processes.ts'

// running-list.ts: which commands of steps run now, on disk, so that what a killed worker leaves running is found when the
// worker comes back. One file that stays open and is written in place: a file for each command would cost more than a short
// command takes.

type KnownFamily = Required<Family>

export interface RunningList {
  add(family: KnownFamily): void
  remove(pgid: number): void
}

const fileOf = (scratchDir: string): string => join(scratchDir, '.running')

/** The list of this worker. One worker at a time has a scratch folder; it takes up the list of the last one first. */
export const createRunningList = (scratchDir: string): RunningList => {
  const running = new Map<number, string>()
  let fd: number | undefined
  const write = (): void => {
    try {
      if (fd === undefined) {
        mkdirSync(scratchDir, { recursive: true, mode: 0o700 })
        fd = openSync(fileOf(scratchDir), 'w', 0o600)
      }
      const text = [...running].map(([pgid, mark]) => `${pgid} ${mark}\n`).join('')
      writeSync(fd, text, 0)
      ftruncateSync(fd, Buffer.byteLength(text))
    } catch {
      // A full disk is no reason not to run a command: the list only matters after a kill.
    }
  }
  return {
    add: ({ pgid, mark }) => {
      running.set(pgid, mark)
      write()
    },
    remove: (pgid) => {
      running.delete(pgid)
      write()
    },
  }
}

/**
 * Ends the commands that a killed worker left running: their steps are lost, and what goes on behind the back of whoever
 * decides about them could do things twice. A group that has other processes by now is left alone.
 *
 * @returns the process groups that were ended
 */
export const endLeftCommands = async (scratchDir: string, killGraceMs: number): Promise<readonly number[]> => {
  const found = await Promise.all(
    readList(scratchDir).map(async (family) => {
      if (!(await isFamilyAlive(family))) return []
      await endFamily(family, killGraceMs)
      return [family.pgid]
    }),
  )
  return found.flat()
}

const readList = (scratchDir: string): readonly KnownFamily[] => {
  let text: string
  try {
    text = readFileSync(fileOf(scratchDir), 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [, pgid, mark] = /^(\d+) (SOP_OUTPUT=.+)$/.exec(line) ?? []
    // 0 and 1 would mean our own group, and everything.
    return pgid === undefined || mark === undefined || Number(pgid) <= 1 ? [] : [{ pgid: Number(pgid), mark }]
  })
}

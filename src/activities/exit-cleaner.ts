import { rmSync } from 'node:fs'

const folders = new Set<string>()

/** Removes the folder when this process exits by itself. */
export const removeAtExit = (folder: string): void => {
  if (folders.size === 0) {
    process.once('exit', () => {
      for (const each of folders) rmSync(each, { recursive: true, force: true })
    })
  }
  folders.add(folder)
}

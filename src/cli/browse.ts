import { spawn } from 'node:child_process'
import type { Io } from './io.ts'

/** Shows an address in the browser of whoever sits at this machine, if anybody does. Never fails: the link stands there to be clicked. */
export const browse = (io: Pick<Io, 'env'>, url: string): void => {
  const command = commandFor(io)
  if (command === undefined) return
  const child = spawn(command, [url], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

const commandFor = ({ env }: Pick<Io, 'env'>): string | undefined => {
  if (process.platform === 'darwin') return 'open'
  if (process.platform === 'win32') return 'explorer'
  return (env.DISPLAY ?? env.WAYLAND_DISPLAY) === undefined ? undefined : 'xdg-open'
}

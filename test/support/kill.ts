/** Signals a process that may have ended by itself meanwhile. */
export const kill = (pid: number, signal: NodeJS.Signals = 'SIGKILL'): void => {
  try {
    if (pid > 0) process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Signals a process that may have ended by itself meanwhile. */
export const kill = (pid: number, signal: NodeJS.Signals = 'SIGKILL'): void => {
  try {
    if (pid > 0) process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * Ends processes as if their machine had failed: all are stopped first, so that none sees another one's end and
 * writes it down. Lines begin with a process id, as `Home.processes` gives them.
 */
export const killTogether = (lines: readonly string[]): void => {
  const pids = lines.map((line) => Number.parseInt(line, 10))
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) kill(pid, signal)
}

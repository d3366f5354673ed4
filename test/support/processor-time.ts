/**
 * Processor time that the work takes, in milliseconds. What else goes on on the machine does not count, nor that this
 * process had to stand still.
 */
export const processorMs = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

import { createCli } from './cli.ts'
import type { CommandSpec } from './command.ts'
import { createProcessIo, flush } from './process-io.ts'
import { createPorts } from './wire.ts'

/** Carries out this process's command line and ends the process with its exit code. `only` makes it a `sop-*` command. */
export const runProcess = async (only?: CommandSpec): Promise<void> => {
  const io = createProcessIo(process)
  const code = await createCli({ io, ports: createPorts(io) }, only).run(process.argv.slice(2))
  // A request that nobody waits for any more must not keep the process.
  await flush(process)
  process.exit(code)
}

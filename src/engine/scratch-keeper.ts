import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkerClient } from '../client/worker-http.ts'
import { decodeFileName } from '../core/file-name.ts'
import { isClosed } from '../core/run/state.ts'
import type { SpooledLogs } from '../worker/spooled-logs.ts'

// scratch-keeper.ts: clears away on one of several workers what runs have left there. Others tell which runs are over: a pool's
// worker hears it from the engine, a team's from the list of runs.

export interface ScratchKeeperOptions {
  readonly scratchDir: string
  readonly client: Pick<WorkerClient, 'runState'>
  readonly spooled: Pick<SpooledLogs, 'settle'>
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
}

const EVERY_MS = 10 * 60_000
/** A failed run may be looked into, and retried, for this long. */
const FAILED_MS = 7 * 86_400_000

/** Sweeps at once, and from then on every ten minutes. */
export const createScratchKeeper = (options: ScratchKeeperOptions): { close(): Promise<void> } => {
  const { warn } = options
  const run = (): Promise<void> =>
    sweep(options).catch((error: unknown) => warn('what runs left on this worker cannot be swept', { error }))
  let running = run()
  const timer = setInterval(() => {
    running = running.then(run)
  }, EVERY_MS)
  timer.unref()
  return {
    close: async () => {
      clearInterval(timer)
      await running
    },
  }
}

const sweep = async ({ scratchDir, client, spooled }: ScratchKeeperOptions): Promise<void> => {
  const isOver = async (runId: string): Promise<boolean> => {
    const state = await client.runState(runId)
    return state === undefined || isClosed(state)
  }
  await spooled.settle(isOver)
  for (const { name, isDirectory } of await folders(scratchDir)) {
    const runId = isDirectory && !name.startsWith('.') ? decodeFileName(name) : undefined
    const state = runId === undefined ? undefined : await client.runState(runId)
    if (state === undefined || !isClosed(state)) continue
    const path = join(scratchDir, name)
    if (state === 'failed' && Date.now() - (await stat(path)).mtimeMs < FAILED_MS) continue
    await rm(path, { recursive: true, force: true })
  }
}

const folders = async (path: string): Promise<readonly { readonly name: string; readonly isDirectory: boolean }[]> => {
  const found = await readdir(path, { withFileTypes: true })
  return found.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
}

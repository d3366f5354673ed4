import { access, constants, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { type ProbeOptions, probeTemporal, type StageResult } from './temporal-binary.ts'
import { TEMPORAL_CLI_VERSION } from './temporal-release.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export const TEMPORAL_FILE = process.platform === 'win32' ? 'temporal.exe' : 'temporal'

/** The folder that holds the CLI which we downloaded or built: `$XDG_CACHE_HOME/sop-engine/temporal-cli-<version>`. */
export function cacheFolder(env: Environment): string {
  const base = env.XDG_CACHE_HOME
  // The XDG specification has relative paths ignored.
  const root = base?.startsWith('/') === true || process.platform === 'win32' ? base : undefined
  return join(root || join(homeOf(env), '.cache'), 'sop-engine', `temporal-cli-${TEMPORAL_CLI_VERSION}`)
}

const homeOf = (env: Environment): string => env.HOME || homedir()

/** The paths of a program in the folders of PATH, in order. */
export async function findOnPath(env: Environment, file: string): Promise<readonly string[]> {
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '')
  const paths = [...new Set(folders.map((folder) => resolve(folder, file)))]
  const found = await Promise.all(paths.map(isProgram))
  return paths.filter((_, index) => found[index])
}

/** The first usable `temporal` on PATH. What is passed over is told in `reason`, or by `onPass` when a later one is used. */
export async function findTemporalOnPath(
  env: Environment,
  options: ProbeOptions & { readonly onPass?: (reason: string) => void },
): Promise<StageResult> {
  const reasons: string[] = []
  for (const path of await findOnPath(env, TEMPORAL_FILE)) {
    const result = await probeTemporal(path, options)
    if (result.ok) return result
    options.onPass?.(result.reason)
    reasons.push(result.reason)
  }
  return { ok: false, reason: reasons.length === 0 ? 'there is none' : reasons.join('; ') }
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

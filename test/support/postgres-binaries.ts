import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Where packages put PostgreSQL's programs: not on PATH as a rule. */
const PLACES = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt', '/Library/PostgreSQL']

/** The folder that holds `initdb` and `postgres`; undefined where there is none. */
const findPostgres = (env: Readonly<Record<string, string | undefined>> = process.env): string | undefined => {
  const placed = PLACES.flatMap((place) =>
    existsSync(place) ? readdirSync(place).map((name) => join(place, name)) : [],
  )
    .sort((a, b) => versionIn(b) - versionIn(a))
    .map((path) => join(path, 'bin'))
  const onPath = (env['PATH'] ?? '').split(delimiter)
  return [...placed, ...onPath].find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
}

const versionIn = (path: string): number => Number(/(\d+)[^\d/]*$/.exec(path)?.[1] ?? 0)

/** The folder with the programs, installed by root where the system has a package; else the sentence that says what to do. */
export const providePostgres = async (
  say: (line: string) => void,
): Promise<{ folder: string } | { missing: string }> => {
  const found = findPostgres()
  if (found !== undefined) return { folder: found }
  const reason = await install(say)
  const folder = findPostgres()
  return folder === undefined ? { missing: `no PostgreSQL server on this machine (${reason})` } : { folder }
}

const install = async (say: (line: string) => void): Promise<string> => {
  const wayOut = 'install it: apt-get install postgresql, or brew install postgresql'
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return wayOut
  say('Installing PostgreSQL for the tests with apt-get …')
  const apt = (...args: string[]) =>
    promisify(execFile)('apt-get', ['-qq', '-y', '--no-install-recommends', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 300_000,
    })
  try {
    // The package would start a server of its own, which nobody asked for.
    await mkdir('/etc/postgresql-common', { recursive: true })
    await writeFile('/etc/postgresql-common/createcluster.conf', 'create_main_cluster = false\n', { flag: 'wx' }).catch(
      () => {},
    )
    await apt('install', 'postgresql').catch(async () => {
      await apt('update')
      await apt('install', 'postgresql')
    })
    return 'its package has no server'
  } catch (error) {
    return `apt-get failed: ${(error as Error).message.trim().split('\n').at(-1)}; ${wayOut}`
  }
}

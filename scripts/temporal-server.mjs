// temporal-server.mjs: builds the stand-alone Temporal server and its schema tool from tools/temporal into our cache, once for
// each version; about four minutes on two cores, less where the CLI was built here. The last line is the folder.

import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const TOOLS = join(ROOT, 'tools', 'temporal')

/** @type {readonly { file: string, source: string }[]} */
const PROGRAMS = [
  { file: 'temporal-server', source: 'go.temporal.io/server/cmd/server' },
  { file: 'temporal-sql-tool', source: 'go.temporal.io/server/cmd/tools/sql' },
]

/** Where both programs of the pinned version are, or will be. @param {NodeJS.ProcessEnv} env */
export function serverFolder(env = process.env) {
  const version = /go\.temporal\.io\/server v(\S+)/.exec(readFileSync(join(TOOLS, 'go.mod'), 'utf8'))?.[1]
  const cache = env['XDG_CACHE_HOME']
  const base = cache?.startsWith('/') === true ? cache : join(env['HOME'] || homedir(), '.cache')
  return join(base, 'sop-engine', `temporal-server-${version}`)
}

/** @param {string} path */
const isProgram = (path) => {
  try {
    accessSync(path)
    return true
  } catch {
    return false
  }
}

/** Builds what is missing. @returns {string} the folder @throws {Error} with a sentence when it cannot be built */
export function buildServer() {
  const folder = serverFolder()
  const missing = PROGRAMS.filter(({ file }) => !isProgram(join(folder, file)))
  if (missing.length === 0) return folder
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
  } catch {
    throw new Error('there is no "go" on PATH to build the Temporal server with; install Go 1.21 or later')
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const { file, source } of missing) {
    console.error(`Building ${file} from ${source}, once …`)
    const draft = join(folder, `.${file}-${process.pid}`)
    const flags = ['-tags', 'disable_grpc_modules', '-trimpath', '-ldflags', '-s -w']
    const built = spawnSync('go', ['build', ...flags, '-o', draft, source], {
      cwd: TOOLS,
      // A go.work above us would change what is built; any Go since 1.21 fetches the toolchain that go.mod asks for.
      env: { GOTOOLCHAIN: 'auto', ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      encoding: 'utf8',
    })
    if (built.status !== 0) {
      rmSync(draft, { force: true })
      throw new Error(`"go build ${source}" failed: ${built.stderr.trim().split('\n').slice(-5).join('\n')}`)
    }
    renameSync(draft, join(folder, file))
  }
  return folder
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(buildServer())
  } catch (error) {
    console.error(`Cannot build the Temporal server: ${/** @type {Error} */ (error).message}`)
    process.exitCode = 1
  }
}

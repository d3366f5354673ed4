import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { access, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

// maven-jars.ts: files of a Maven repository, each held to its digest. `mvn` knows where its repository is and what of it
// this machine has already; without it MAVEN_REPO_URL names one.

/** `path` as in a repository: group as folders, artifact, version, file name. */
export interface Jar {
  readonly path: string
  readonly sha256: string
}

const STALL_MS = 60_000
const DOWNLOADS_AT_ONCE = 6
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** Puts those that are missing into the folder, whole or not at all. */
export const fetchJars = async (folder: string, jars: readonly Jar[]): Promise<void> => {
  const isThere = await Promise.all(jars.map((jar) => exists(join(folder, basename(jar.path)))))
  const missing = jars.filter((_, index) => isThere[index] === false)
  if (missing.length === 0) return
  process.stderr.write(`Fetching ${missing.length} jars of Temporal's test server …\n`)
  const repository = process.env['MAVEN_REPO_URL']
  if (repository === undefined) return copyWithMaven(folder, missing)
  const waiting = [...missing]
  const work = async (): Promise<void> => {
    for (let jar = waiting.shift(); jar !== undefined; jar = waiting.shift()) {
      await keep(folder, jar, await download(`${repository}/${jar.path}`))
    }
  }
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, work))
}

const copyWithMaven = async (folder: string, jars: readonly Jar[]): Promise<void> => {
  const project = await mkdtemp(join(tmpdir(), 'sop-jars-'))
  try {
    await writeFile(join(project, 'pom.xml'), pomOf(jars))
    await promisify(execFile)('mvn', ['-B', '-q', COPY, `-DoutputDirectory=${project}`], { cwd: project }).catch(
      (error: NodeJS.ErrnoException) => {
        throw new Error(
          error.code === 'ENOENT'
            ? 'no Maven on PATH to fetch its jars (apt install maven, or set MAVEN_REPO_URL)'
            : `Maven cannot fetch its jars: ${error.message}`,
        )
      },
    )
    for (const jar of jars) await keep(folder, jar, await readFile(join(project, basename(jar.path))))
  } finally {
    await rm(project, { recursive: true, force: true })
  }
}

/** A project that depends on just these: what they depend on is in the list, too. */
const pomOf = (jars: readonly Jar[]): string => {
  const dependencies = jars.map(({ path }) => {
    const [version, artifact, ...group] = path.split('/').slice(0, -1).reverse()
    return [
      `<dependency><groupId>${group.reverse().join('.')}</groupId><artifactId>${artifact}</artifactId>`,
      `<version>${version}</version><exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId>`,
      '</exclusion></exclusions></dependency>',
    ].join('')
  })
  return `<project><modelVersion>4.0.0</modelVersion><groupId>jars</groupId><artifactId>jars</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>\n`
}

const download = async (url: string): Promise<Buffer> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(STALL_MS) }).catch((error: Error) => {
    throw new Error(`cannot fetch ${url}: ${error.message}`)
  })
  if (!response.ok) throw new Error(`cannot fetch ${url}: status ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

const keep = async (folder: string, { path, sha256 }: Jar, bytes: Buffer): Promise<void> => {
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== sha256) throw new Error(`${path} is not the file that it was: SHA-256 ${found}`)
  await writeAtomic(join(folder, basename(path)), bytes, 0o644)
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Two test runs may fetch the same file; each puts it in place whole. */
export const writeAtomic = async (path: string, content: Buffer | string, mode: number): Promise<void> => {
  const same = await readFile(path).then(
    (found) => found.equals(Buffer.from(content)),
    () => false,
  )
  if (same) return
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, content, { mode })
  await rename(draft, path)
}

import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript-api'

export interface CompiledCli {
  /** Path of a compiled program, e.g. `main` or `aliases/sop-list`. */
  program(name: string): string
  remove(): Promise<void>
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** What the command line needs without the engine. */
const PARTS = ['cli', 'client', 'config', 'core', 'config.ts', 'log.ts']

/**
 * The programs as plain JavaScript in a folder of their own, as an installation has them: the build of the whole package
 * would make these tests wait for it.
 */
export const compileCli = async (): Promise<CompiledCli> => {
  const folder = await mkdtemp(join(tmpdir(), 'sop-cli-dist-'))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'))
  const files = (await Promise.all(PARTS.map((part) => filesBelow(join(ROOT, 'src', part))))).flat()
  await Promise.all(
    files.map((file) =>
      compileFile(file, join(folder, 'dist', relative(join(ROOT, 'src'), file)).replace(/\.ts$/, '.js')),
    ),
  )
  return {
    program: (name) => join(folder, 'dist', 'cli', `${name}.js`),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

const filesBelow = async (path: string): Promise<readonly string[]> => {
  if (path.endsWith('.ts')) return [path]
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

const compileFile = async (from: string, to: string): Promise<void> => {
  const { outputText } = ts.transpileModule(await readFile(from, 'utf8'), {
    fileName: from,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  })
  await mkdir(dirname(to), { recursive: true })
  await writeFile(to, outputText)
}

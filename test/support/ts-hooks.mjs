import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** What was stripped before, by its content: the compiler alone takes longer to load than most of these programs run. */
const CACHE = new URL('../../node_modules/.cache/sop-engine/stripped/', import.meta.url)

/** Strips the types of our own files; everything else is left to Node. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const text = await readFile(fileURLToPath(url), 'utf8')
  // The path is part of it, as the source map names it.
  const key = createHash('sha256').update(`${url}\0${text}`).digest('hex')
  const cached = new URL(`${key}.js`, CACHE)
  const source = await readFile(cached, 'utf8').catch(() => strip(url, text, cached))
  return { format: 'module', source, shortCircuit: true }
}

const strip = async (url, text, cached) => {
  const { default: ts } = await import('typescript-api')
  const { outputText } = ts.transpileModule(text, {
    fileName: fileURLToPath(url),
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  })
  await mkdir(CACHE, { recursive: true })
  // Other processes may write the same.
  const draft = new URL(`${cached.href}.${process.pid}`)
  await writeFile(draft, outputText)
  await rename(draft, cached)
  return outputText
}

import { randomUUID } from 'node:crypto'
import { link, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXECUTION_MODES, PRIORITIES } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { createCatalog } from './catalog.ts'
import { codeOf } from './catalog-files.ts'
import type { NewSop } from './client.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const MAX_DESCRIPTION = 1_000
/** Folders and files that mean something else in an SOP directory. */
const TAKEN_NAMES = ['runs', 'node_modules', 'index.json', 'config.json']

interface Plan {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly mode: string
  readonly priority: string
}

const oneOf = (
  what: string,
  given: string | undefined,
  standard: string,
  known: readonly string[],
  synonyms: Readonly<Record<string, string>>,
): string => {
  const word = (given ?? standard).trim().toLowerCase().replaceAll('-', '_')
  const found = Object.hasOwn(synonyms, word) ? (synonyms[word] ?? word) : word
  if (known.includes(found)) return found
  const hint = didYouMean(word, known) ?? `It is one of ${known.join(', ')}`
  throw new SopError('invalid', `Cannot create an SOP with ${what} "${given}": there is no such ${what}. ${hint}`)
}

const plan = ({ name, description, mode, priority }: NewSop): Plan => {
  if (!NAME.test(name))
    throw new SopError(
      'invalid',
      `Cannot create SOP "${name}": a name has letters, digits, ".", "_" and "-", begins with a letter or digit, and has at most 100 characters`,
    )
  if (TAKEN_NAMES.includes(name.toLowerCase()))
    throw new SopError(
      'invalid',
      `Cannot create SOP "${name}": the engine passes over files of that name in an SOP directory. Choose another one`,
    )
  if ((description ?? '').length > MAX_DESCRIPTION)
    throw new SopError(
      'invalid',
      `Cannot create SOP "${name}": its description is longer than ${MAX_DESCRIPTION} characters`,
    )
  const words = name.replaceAll(/[._-]+/g, ' ').trim()
  return {
    name,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    description: description?.trim() || `What "${words}" is for, in one sentence`,
    mode: oneOf('mode', mode, 'supervised', EXECUTION_MODES, { automatic: 'auto' }),
    priority: oneOf('priority', priority, 'normal', PRIORITIES, { medium: 'normal' }),
  }
}

/** A text in quotes as TOML and YAML both read it. */
const quoted = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML wants it escaped, JSON does not
  JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const manifest = ({ name, description, mode, priority }: Plan): string => `[sop]
name = ${quoted(name)}
description = ${quoted(description)}
version = "1.0.0"
priority = "${priority}"
execution_mode = "${mode}"

[[triggers]]
type = "manual"
`

const STEPS = [
  {
    title: 'Check that everything is ready',
    text: 'Say what has to be true before the work begins.',
    command: 'echo "Everything is ready"',
  },
  {
    title: 'Do the work',
    text: 'What the procedure is for. Somebody approves this step before it runs.',
    command: 'echo "Working"',
    isGated: true,
  },
  {
    title: 'Verify the result',
    text: 'How it can be seen that the work was done well.',
    command: 'echo "All is well"',
  },
]

const procedure = ({ title }: Plan): string => `# ${title}

## Steps

${STEPS.map(
  ({ title: step, text, command, isGated }, at) =>
    `${at + 1}. **${step}**${isGated === true ? ' [requires_approval: true]' : ''}

   ${text}

   \`\`\`bash
   ${command}
   \`\`\`
`,
).join('\n')}`

const singleFile = (sop: Plan): string => `---
name: ${quoted(sop.name)}
description: ${quoted(sop.description)}
version: "1.0.0"
priority: ${sop.priority}
execution_mode: ${sop.mode}
triggers:
  - type: manual
---

# ${sop.title}

${STEPS.map(
  (
    { title, text, command, isGated },
    at,
  ) => `## Step ${at + 1}: ${title}${isGated === true ? ' (requires approval)' : ''}

${text}

\`\`\`bash
${command}
\`\`\`
`,
).join('\n')}`

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

const conflict = (name: string, where: string): SopError =>
  new SopError('conflict', `Cannot create SOP "${name}": ${where} is there already. Edit it, or choose another name`)

const refuseTaken = async (sopDir: string, name: string): Promise<void> => {
  for (const path of [name, `${name}.md`])
    if (await exists(join(sopDir, path))) throw conflict(name, `"${join(sopDir, path)}"`)
  const entries = (await exists(sopDir)) ? await createCatalog({ sopDir }).list() : []
  const same = entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase())
  if (same !== undefined) throw conflict(name, `SOP "${same.name}" in "${join(sopDir, same.path)}"`)
}

/** Written beside its place and then moved there whole: no reader meets half an SOP. Dot names are passed over. */
const writeFolder = async (sopDir: string, sop: Plan): Promise<readonly string[]> => {
  const draft = join(sopDir, `.${sop.name}.${randomUUID()}`)
  const folder = join(sopDir, sop.name)
  try {
    await mkdir(draft)
    await writeFile(join(draft, 'SOP.toml'), manifest(sop))
    await writeFile(join(draft, 'SOP.md'), procedure(sop))
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw ['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error)) && (await exists(folder))
      ? conflict(sop.name, `"${folder}"`)
      : error
  }
  return [join(folder, 'SOP.toml'), join(folder, 'SOP.md')]
}

const writeSingle = async (sopDir: string, sop: Plan): Promise<readonly string[]> => {
  const draft = join(sopDir, `.${sop.name}.${randomUUID()}.md`)
  const path = join(sopDir, `${sop.name}.md`)
  try {
    await writeFile(draft, singleFile(sop))
    await link(draft, path).catch(async (error: unknown) => {
      if (codeOf(error) === 'EEXIST') throw error
      await writeFile(path, singleFile(sop), { flag: 'wx' })
    })
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? conflict(sop.name, `"${path}"`) : error
  } finally {
    await rm(draft, { force: true })
  }
  return [path]
}

/** Seed 002's registry stays complete where somebody keeps one; none is made, and a damaged one is left alone. */
const registerInIndex = async (sopDir: string, name: string, manifestPath: string): Promise<readonly string[]> => {
  const path = join(sopDir, 'index.json')
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const tree = text === undefined ? undefined : parsed(text)
  if (tree === undefined || text === undefined) return []
  const { sops } = tree
  const isNested = typeof sops === 'object' && sops !== null && !Array.isArray(sops)
  const next = isNested ? { ...tree, sops: { ...sops, [name]: manifestPath } } : { ...tree, [name]: manifestPath }
  const draft = join(sopDir, `.index.json.${randomUUID()}`)
  try {
    await writeFile(draft, `${JSON.stringify(next, null, /^\{\r?\n(\s+)/.exec(text)?.[1] ?? 2)}\n`)
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
  return [path]
}

const parsed = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const tree: unknown = JSON.parse(text.replace(/^\ufeff/, ''))
    return typeof tree === 'object' && tree !== null && !Array.isArray(tree)
      ? (tree as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Writes a new SOP that compiles without a warning and runs as it is: a folder with SOP.toml and SOP.md (dialect A), or a
 * single file (D).
 *
 * @returns its name and the files that were written, an updated `index.json` included
 * @throws SopError `invalid` for a name, mode or priority that cannot be, `conflict` when the name is taken,
 * `unavailable` when the directory cannot be written
 */
export const createSop = async (
  sopDir: string,
  wanted: NewSop,
): Promise<{ readonly name: string; readonly files: readonly string[] }> => {
  const sop = plan(wanted)
  const isSingle = wanted.dialect === 'D'
  try {
    await refuseTaken(sopDir, sop.name)
    await mkdir(sopDir, { recursive: true })
    const files = isSingle ? await writeSingle(sopDir, sop) : await writeFolder(sopDir, sop)
    const main = isSingle ? `${sop.name}.md` : `${sop.name}/SOP.toml`
    return { name: sop.name, files: [...files, ...(await registerInIndex(sopDir, sop.name, main))] }
  } catch (error) {
    if (error instanceof SopError) throw error
    throw new SopError(
      'unavailable',
      `Cannot create SOP "${sop.name}" in "${sopDir}": the system says ${codeOf(error)}`,
      {},
      error,
    )
  }
}

import { nearest } from '../nearest.ts'
import type { Code } from './markdown.ts'
import type { Report } from './report.ts'

// step-fence.ts: which fences of a step are run, by what, and for what.

export type FenceUse = 'run' | 'rollback' | 'verify'

const INTERPRETERS: Readonly<Record<string, string>> = {
  bash: 'bash',
  shell: 'bash',
  sh: 'sh',
  dash: 'dash',
  zsh: 'zsh',
  ksh: 'ksh',
  fish: 'fish',
  python: 'python',
  python3: 'python',
  py: 'python',
  node: 'node',
  js: 'node',
  javascript: 'node',
  mjs: 'node',
  ruby: 'ruby',
  rb: 'ruby',
  perl: 'perl',
  php: 'php',
  lua: 'lua',
  pwsh: 'pwsh',
  powershell: 'pwsh',
  ps1: 'pwsh',
}

/** The interpreter of a fence's language; undefined when the fence is documentation. */
export const interpreterOf = (language: string): string | undefined => {
  const name = language.toLowerCase()
  return Object.hasOwn(INTERPRETERS, name) ? INTERPRETERS[name] : undefined
}

/** Whether a block of code is a fence that is run. */
export const isRunnable = ({ fence }: Code): boolean =>
  fence !== undefined && interpreterOf(fence.info.split(/\s+/)[0] ?? '') !== undefined

/** What a fence is for: the words behind its language, else where it stands. */
export const fenceUse = (
  words: readonly string[],
  { place, fence }: Code,
  where: FenceUse,
  report: Report,
): FenceUse => {
  let use = where
  for (const word of words) {
    const known = word.toLowerCase()
    if (known === 'rollback' || known === 'verify') use = known
    else if (/^[A-Za-z-]+$/.test(word)) {
      const offset = (fence?.markup.length ?? 0) + (fence?.info.indexOf(word) ?? 0)
      const at = { ...place, column: place.column + offset, length: word.length }
      const meant = nearest(word, ['rollback', 'verify', 'undo'])
      const message = `Cannot tell what "${word}" means behind the language of a fence`
      if (meant === undefined) report.add('unknown-word', at, message, 'Known words are rollback and verify')
      else report.add('misspelt-fence-word', at, message, `Did you mean "${meant === 'undo' ? 'rollback' : meant}"?`)
    }
  }
  return use
}

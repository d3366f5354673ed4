// check-words.mjs [root]: what must not be committed: notes to oneself, and tests that are switched off or switch others off.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @type {readonly { pattern: RegExp, files: RegExp, message: string }[]} */
export const FORBIDDEN = [
  {
    pattern: /\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/,
    files: /\.([cm]?[jt]sx?|md|ya?ml|toml|json|sh)$|Dockerfile$/,
    message: 'finish it, or open an issue',
  },
  {
    pattern: /\b(test|it|describe|suite)(\.(concurrent|sequential|each|for|fails))*\.(only|skip|todo)\b/,
    files: /\.test\.ts$/,
    message: 'run it. A test that needs what the machine lacks says so: context.skip("no Go: …")',
  },
  {
    pattern: /\bnew Date\(\s*\)/,
    files: /^src\/core\/.*\.ts$/,
    message: 'there is no clock here: pass the time in',
  },
  { pattern: /\bdebugger\b;?\s*$/, files: /\.[cm]?[jt]sx?$/, message: 'delete it' },
]

/** Texts that are not ours to change, and lists of words that have to hold them. */
const EXEMPT = /^(test\/fixtures\/|package-lock\.json$|tools\/temporal\/go\.sum$)/

/** @param {string} path @param {string} text @returns {readonly string[]} one line for each finding */
export function findWords(path, text) {
  const rules = FORBIDDEN.filter(({ files }) => files.test(path))
  return text.split('\n').flatMap((line, index) =>
    rules.flatMap(({ pattern, message }) => {
      const word = pattern.exec(line)?.[0]
      return word === undefined ? [] : [`${path}:${index + 1}: "${word.trim()}": ${message}`]
    }),
  )
}

/** Files that git knows or would add; without git, nothing can be told apart from what is ignored. @param {string} root */
function listFiles(root) {
  const output = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 1e8,
  })
  return output
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '' && !EXEMPT.test(path) && existsSync(join(root, path)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)))
  const findings = listFiles(root).flatMap((path) => findWords(path, readFileSync(join(root, path), 'utf8')))
  for (const finding of findings) console.error(finding)
  process.exitCode = findings.length === 0 ? 0 : 1
}

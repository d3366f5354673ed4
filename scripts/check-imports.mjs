// check-imports.mjs [root]: holds every import in src against the table of import-rules.mjs.

import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript-api'
import { filesBelow } from './build-stamp.mjs'
import { describeRule, MAINS, RULES } from './import-rules.mjs'

/** @typedef {{ readonly specifier: string, readonly isType: boolean, readonly line: number }} Import */
/** @typedef {{ readonly file: string, readonly line: number, readonly message: string }} Violation */

/** Every import of src that the table does not allow. @param {string} root @returns {readonly Violation[]} */
export function findViolations(root) {
  return filesBelow(root, 'src')
    .filter((path) => /\.tsx?$/.test(path))
    .flatMap((path) => {
      const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest, true)
      const file = path.slice('src/'.length)
      return importsOf(source).flatMap((found) => {
        const message = judge(file, found)
        return message === undefined ? [] : [{ file: path, line: found.line, message }]
      })
    })
}

/** Imports, re-exports, `import()` and `import('x').Type`, wherever they stand. @param {ts.SourceFile} source @returns {readonly Import[]} */
export function importsOf(source) {
  /** @type {Import[]} */
  const found = []
  /** @param {ts.Node} node @param {ts.Node | undefined} specifier @param {boolean} isType */
  const note = (node, specifier, isType) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    found.push({
      specifier: specifier.text,
      isType,
      line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1,
    })
  }
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isImportDeclaration(node))
      note(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    else if (ts.isExportDeclaration(node)) note(node, node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) note(node, node.argument.literal, true)
    else if (ts.isCallExpression(node) && isDynamicImport(node)) note(node, node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** @param {ts.CallExpression} call */
const isDynamicImport = (call) =>
  call.expression.kind === ts.SyntaxKind.ImportKeyword ||
  (ts.isIdentifier(call.expression) && call.expression.text === 'require')

/** What is wrong with an import, if anything is. @param {string} file below src @param {Import} found */
export function judge(file, { specifier, isType }) {
  const layer = layerOf(file)
  const rule = RULES[layer]
  if (rule === undefined)
    return `"src/${layer}" has no rule: add it to scripts/import-rules.mjs and docs/architecture.md`
  if (MAINS.test(file)) return undefined
  const allowed = isRelative(specifier)
    ? isPathAllowed(file, layer, specifier, isType)
    : isPackageAllowed(layer, specifier, isType)
  if (allowed) return undefined
  return `"${layer}" may not import ${isType ? 'even the types of ' : ''}"${specifier}". It may import: ${describeRule(rule)}`
}

const isRelative = (/** @type {string} */ specifier) => specifier.startsWith('.')

/** `src/config.ts` and `src/config/` are one layer. @param {string} file */
const layerOf = (file) => file.replace(/\/.*$/, '').replace(/\.ts$/, '')

/** @param {string} file @param {string} layer @param {string} specifier @param {boolean} isType */
function isPathAllowed(file, layer, specifier, isType) {
  const rule = RULES[layer]
  const target = posix.join(posix.dirname(file), specifier)
  const covers = (/** @type {string} */ path) =>
    path === '' || path.endsWith('/') ? target.startsWith(path) : target === path
  if (layer === 'adapters' && isSameAdapter(file, target)) return true
  if (isType && rule?.typePaths?.some(covers)) return true
  return rule?.paths?.some(covers) === true && rule.notPaths?.some(covers) !== true
}

/** An adapter may have several files: those of one folder below adapters. @param {string} file @param {string} target */
const isSameAdapter = (file, target) =>
  file.split('/').length > 2 && posix.dirname(target).startsWith(posix.join('adapters', file.split('/')[1] ?? ''))

/** @param {string} layer @param {string} specifier @param {boolean} isType */
function isPackageAllowed(layer, specifier, isType) {
  const rule = RULES[layer]
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return rule?.node === true
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const matches = (/** @type {string | RegExp} */ wanted) =>
    wanted === '*' ? !name.startsWith('@temporalio/') : typeof wanted === 'string' ? wanted === name : wanted.test(name)
  return rule?.packages?.some(matches) === true || (isType && rule?.typePackages?.some(matches) === true)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)))
  const violations = findViolations(root)
  for (const { file, line, message } of violations) console.error(`${file}:${line}: ${message}`)
  process.exitCode = violations.length === 0 ? 0 : 1
}

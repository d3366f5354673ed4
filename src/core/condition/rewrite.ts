// rewrite.ts: CEL as people write it → CEL as it is evaluated. Names with their fixed path (`steps.build.exit_code`) become
// leaves that the scope answers; truth and comparison become the functions of language.ts; what could run away is refused.

import type { ASTNode } from '@marcbachmann/cel-js'
import { serialize } from '@marcbachmann/cel-js/serialize'
import { compilePattern, functionNames } from './language.ts'

/** How a leaf is asked: for its value, for its truth (absent is false), or for whether it is there. */
export type Ask = 'value' | 'truth' | 'has'

/** A name with the fixed keys behind it. `root` is as written. */
export interface Leaf {
  readonly id: string
  readonly root: string
  readonly path: readonly (string | number)[]
  readonly ask: Ask
}

export interface Rewritten {
  readonly cel: string
  readonly leaves: readonly Leaf[]
}

/** A mistake in the CEL: `offset` counts from 0 in it. */
export class RewriteError extends Error {
  readonly offset: number
  readonly help: string | undefined
  constructor(offset: number, message: string, help?: string) {
    super(message)
    this.offset = offset
    this.help = help
  }
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '==': '__eq',
  '!=': '__ne',
  '<': '__lt',
  '<=': '__le',
  '>': '__gt',
  '>=': '__ge',
  in: '__in',
}
const MACROS: readonly string[] = ['all', 'exists', 'exists_one', 'map', 'filter']
const ZONED = /^get(?:Date|Day|Full|Hours|Mill|Min|Month|Sec)/

/** What is bound around a node: macro variables, and the macro that it stands in. */
interface Around {
  readonly bound: readonly string[]
  readonly macro?: string
}

/** The library's own printer cuts decimals and breaks characters beyond 16 bits. */
const literal = (node: ASTNode, held: unknown): string => {
  if (typeof held === 'string') return JSON.stringify(held)
  if (typeof held !== 'number') return serialize(node)
  return /^\d+$/.test(String(held)) ? `${held}.0` : String(held)
}

const isTypeCall = (node: ASTNode): boolean => node.op === 'call' && node.args[0] === 'type'
const TYPE_NAMES: readonly string[] = [
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
]

const sizeOf = (node: ASTNode): number => Math.max(1, node.end - node.start)

class Rewriter {
  readonly leaves: Leaf[] = []

  leaf(root: string, path: readonly (string | number)[], ask: Ask): string {
    const same = this.leaves.find(
      (leaf) => leaf.root === root && leaf.ask === ask && JSON.stringify(leaf.path) === JSON.stringify(path),
    )
    if (same !== undefined) return same.id
    const id = `__${this.leaves.length}`
    this.leaves.push({ id, root, path, ask })
    return id
  }

  /** The leaf that a node is, if it is one. */
  leafOf(node: ASTNode, around: Around): { readonly root: string; readonly path: (string | number)[] } | undefined {
    if (node.op === 'id') {
      if (node.args.startsWith('__'))
        throw new RewriteError(node.start, `"${node.args}" begins with "__"`, 'Such names are kept for the engine.')
      return around.bound.includes(node.args) ? undefined : { root: node.args, path: [] }
    }
    if (node.op !== '.' && node.op !== '[]') return undefined
    const base = this.leafOf(node.args[0], around)
    const key = node.op === '.' ? node.args[1] : node.args[1].op === 'value' ? node.args[1].args : undefined
    if (base === undefined || (typeof key !== 'string' && typeof key !== 'bigint')) return undefined
    return { root: base.root, path: [...base.path, typeof key === 'bigint' ? Number(key) : key] }
  }

  /** A node whose truth is asked: `&&`, `||`, `!`, `?:` pass the question on, everything else answers it. */
  truth(node: ASTNode, around: Around): string {
    switch (node.op) {
      case '&&':
      case '||':
        return `(${this.truth(node.args[0], around)} ${node.op} ${this.truth(node.args[1], around)})`
      case '!_':
        return `!${this.truth(node.args, around)}`
      case '?:':
        return `(${this.truth(node.args[0], around)} ? ${this.truth(node.args[1], around)} : ${this.truth(node.args[2], around)})`
      case 'value':
        return typeof node.args === 'boolean' ? String(node.args) : `__true(${this.value(node, around)})`
      default: {
        const leaf = this.leafOf(node, around)
        if (leaf !== undefined) return this.leaf(leaf.root, leaf.path, 'truth')
        return Object.hasOwn(COMPARISONS, node.op) ? this.value(node, around) : `__true(${this.value(node, around)})`
      }
    }
  }

  value(node: ASTNode, around: Around): string {
    const leaf = this.leafOf(node, around)
    if (leaf !== undefined) return this.leaf(leaf.root, leaf.path, 'value')
    const print = (inner: ASTNode) => this.value(inner, around)
    switch (node.op) {
      case 'value':
        return literal(node, node.args)
      case 'id':
        return node.args
      case '&&':
      case '||':
      case '!_':
        return this.truth(node, around)
      case '?:':
        return `(${this.truth(node.args[0], around)} ? dyn(${print(node.args[1])}) : dyn(${print(node.args[2])}))`
      case '-_':
        return `(-${print(node.args)})`
      case '.':
        return `${print(node.args[0])}.${node.args[1]}`
      case '[]':
        this.refuseEnv(node.args[0])
        return `${print(node.args[0])}[${print(node.args[1])}]`
      case 'list':
        return `[${node.args.map(print).join(', ')}]`
      case 'map':
        return `{${node.args.map(([key, entry]) => `${print(key)}: ${print(entry)}`).join(', ')}}`
      case 'call':
        return this.call(node, node.args[0], node.args[1], around)
      case 'rcall':
        return this.method(node, node.args[0], node.args[1], node.args[2], around)
      case '.?':
      case '[?]':
        throw new RewriteError(node.start, 'optional access is not available', 'Write has(a.b) && a.b == … instead.')
      default: {
        const [left, right] = node.args
        const compare = COMPARISONS[node.op]
        const side = (one: ASTNode, other: ASTNode) =>
          isTypeCall(other) && one.op === 'id' && TYPE_NAMES.includes(one.args) ? one.args : print(one)
        return compare === undefined
          ? `(${print(left)} ${node.op} ${print(right)})`
          : `${compare}(${side(left, right)}, ${side(right, left)})`
      }
    }
  }

  call(node: ASTNode, name: string, args: readonly ASTNode[], around: Around): string {
    this.checkFunction(node, name)
    if (name !== 'has') return `${name}(${args.map((arg) => this.value(arg, around)).join(', ')})`
    const [arg] = args
    const leaf = arg === undefined || args.length !== 1 ? undefined : this.leafOf(arg, around)
    if (leaf !== undefined) return this.leaf(leaf.root, leaf.path, 'has')
    if (arg?.op !== '.')
      throw new RewriteError(node.start, 'has() takes one name', 'Write has(params.version), for example.')
    return `has(${this.value(arg, around)})`
  }

  method(node: ASTNode, name: string, receiver: ASTNode, args: readonly ASTNode[], around: Around): string {
    if (receiver.op === 'id' && receiver.args === 'cel' && name === 'bind') return this.bind(node, args, around)
    if (MACROS.includes(name) && args.length >= 2) return this.macro(node, name, receiver, args, around)
    this.checkFunction(node, name)
    const on = this.value(receiver, around)
    const rest = args.map((arg) => this.value(arg, around))
    if (name === 'matches' && args.length === 1) {
      this.checkPattern(args[0])
      return `__matches(${on}, ${rest[0]})`
    }
    if (name === 'split') return `__split(${[on, ...rest].join(', ')})`
    if (ZONED.test(name) && args.length > 0)
      throw new RewriteError(
        node.start,
        `${name}() with a time zone is not available`,
        'Times in conditions are UTC; use the facts business_hours and weekday for local time.',
      )
    return `${on}.${name}(${rest.join(', ')})`
  }

  macro(node: ASTNode, name: string, receiver: ASTNode, args: readonly ASTNode[], around: Around): string {
    const variable = this.variable(node, name, args[0], around)
    const inner = { bound: [...around.bound, variable], macro: name }
    const over = this.value(receiver, around)
    const body = args.slice(1)
    const last = body.length - 1
    const isPredicate = (at: number) => name !== 'map' || at < last
    const printed = body.map((part, at) => (isPredicate(at) ? this.truth(part, inner) : this.value(part, inner)))
    const nodes = body.reduce((sum, part) => sum + sizeOf(part), 0)
    return `__range(${over}, ${nodes}).${name}(${variable}, ${printed.join(', ')})`
  }

  bind(node: ASTNode, args: readonly ASTNode[], around: Around): string {
    const variable = this.variable(node, 'cel.bind', args[0], around)
    const [, bound, body] = args
    if (bound === undefined || body === undefined)
      throw new RewriteError(node.start, 'cel.bind() takes a name, a value and an expression')
    const inner = { bound: [...around.bound, variable], macro: 'cel.bind' }
    return `cel.bind(${variable}, dyn(${this.value(bound, around)}), dyn(${this.value(body, inner)}))`
  }

  variable(node: ASTNode, macro: string, named: ASTNode | undefined, around: Around): string {
    if (around.macro !== undefined)
      throw new RewriteError(
        node.start,
        `${macro}() stands inside ${around.macro}(), and nested loops have no bound on their cost`,
        'Compute the value in a step and hand it on as an output.',
      )
    if (named?.op !== 'id' || named.args.startsWith('__'))
      throw new RewriteError(node.start, `${macro}() needs a plain variable name first`)
    return named.args
  }

  checkPattern(pattern: ASTNode | undefined): void {
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return
    try {
      compilePattern(pattern.args)
    } catch (error) {
      throw new RewriteError(pattern.start, (error as Error).message, 'RE2 has no backreferences and no lookaround.')
    }
  }

  /** Facts are asked before the evaluation, so their names must stand in the text. */
  refuseEnv(base: ASTNode): void {
    if (base.op === 'id' && base.args === 'env')
      throw new RewriteError(base.start, 'env needs a fixed name', 'Write env.NAME, for example env.REGION.')
  }

  checkFunction(node: ASTNode, name: string): void {
    if (!name.startsWith('__') && functionNames().includes(name)) return
    throw new RewriteError(
      node.start,
      `there is no function "${name}"`,
      `Functions: ${functionNames().filter(isPlain).join(', ')}.`,
    )
  }
}

const isPlain = (name: string): boolean => /^[a-z]+[A-Za-z_]*$/.test(name) && !ZONED.test(name)

/** @throws RewriteError */
export const rewrite = (ast: ASTNode): Rewritten => {
  const rewriter = new Rewriter()
  const cel = rewriter.truth(ast, { bound: [] })
  return { cel, leaves: rewriter.leaves }
}

/** The same for an expression that gives a value instead of a truth. @throws RewriteError */
export const rewriteValue = (ast: ASTNode): Rewritten => {
  const rewriter = new Rewriter()
  const cel = rewriter.value(ast, { bound: [] })
  return { cel, leaves: rewriter.leaves }
}

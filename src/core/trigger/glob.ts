// glob.ts: which files a file_watch trigger means. Matching takes time in proportion to the pattern times the name:
// whoever may put files into a watched folder cannot slow the engine down by their names.
//
// `*` any characters of one name, `?` one of them, `[a-z]` and `[!a-z]` one of a set, `{a,b}` either, `**` as a whole name
// any number of folders, `\` takes the meaning of the next one away. A name that begins with a dot is only meant where the
// pattern writes the dot, as in a shell. A pattern without any of these means that file, or, where it is a folder, every
// file below it.

/** One pattern, read. */
export interface Glob {
  /** The folder that everything it means lies in, without wildcards: where watching begins. */
  readonly base: string
  /** The path itself, where the pattern has no wildcards: a file, or a folder with all that lies in it. */
  readonly plain?: string
  /** Whether it means the file at this path. Absolute patterns mean absolute paths. */
  matches(path: string): boolean
  /** Whether a file that it means can lie in this folder, or below it. */
  mayLieBelow(folder: string): boolean
}

export type ReadGlob = { readonly ok: true; readonly glob: Glob } | { readonly ok: false; readonly reason: string }

/** Alternatives that a pattern may stand for, after its braces. */
const MAX_ALTERNATIVES = 100
const MAX_LENGTH = 1_000

type Token =
  | { readonly kind: 'star' | 'any' }
  | { readonly kind: 'character'; readonly text: string }
  | { readonly kind: 'set'; readonly not: boolean; readonly ranges: readonly (readonly [string, string])[] }

/** One name of a path; `deep` is `**`. */
type Part = 'deep' | readonly Token[]

/** Reads a pattern. Relative ones are relative to whatever the paths are. */
export const readGlob = (pattern: string): ReadGlob => {
  try {
    const alternatives = expandBraces(pattern.trim()).map(readAlternative)
    const bases = alternatives.map(({ base }) => base)
    const base = bases.reduce(commonFolder)
    return {
      ok: true,
      glob: {
        base,
        ...(alternatives.length === 1 && alternatives[0]?.plain !== undefined && { plain: alternatives[0].plain }),
        matches: (path) => {
          const names = namesOf(path)
          return alternatives.some((each) => each.matches(names))
        },
        mayLieBelow: (folder) => {
          const names = namesOf(folder)
          return alternatives.some((each) => each.mayLieBelow(names))
        },
      },
    }
  } catch (error) {
    if (error instanceof GlobError) return { ok: false, reason: error.message }
    throw error
  }
}

/** Why a pattern cannot be watched; undefined when it can. The whole disk is refused: a `**` needs a folder to begin in. */
export const watchProblem = (pattern: string): string | undefined => {
  const trimmed = pattern.trim()
  const walked = trimmed.replace(/^(?:\.\.?\/)+/, '')
  const read = readGlob(walked)
  if (!read.ok) return read.reason
  const isBroad = trimmed.startsWith('/') && read.glob.base === '/' && read.glob.mayLieBelow('/any/folder/there/is')
  return isBroad ? 'it means the whole disk. Begin it with a folder, as in /srv/inbox/**/*.csv' : undefined
}

class GlobError extends Error {}

interface Alternative {
  readonly base: string
  readonly plain?: string
  matches(names: readonly string[]): boolean
  mayLieBelow(names: readonly string[]): boolean
}

const readAlternative = (pattern: string): Alternative => {
  const isAbsolute = pattern.startsWith('/')
  const written = splitNames(pattern)
  if (written.includes('..')) throw new GlobError('".." leads out of the folder: write the folder itself')
  const read = written.map((name): Part => (name === '**' ? 'deep' : readName(name)))
  // At the end `**` means every file below, and not the folder itself.
  const parts: readonly Part[] = read.at(-1) === 'deep' ? [...read, [{ kind: 'star' }]] : read
  const fixed = parts.map((part) => (part === 'deep' ? undefined : literalOf(part)))
  const wild = fixed.indexOf(undefined)
  // Without a wildcard it may be a file or a folder.
  const folders = (wild === -1 ? fixed.slice(0, -1) : fixed.slice(0, wild)) as readonly string[]
  const base = isAbsolute ? `/${folders.join('/')}` : folders.join('/') || '.'
  if (wild === -1) {
    const isMeant = (names: readonly string[]): boolean =>
      fixed.every((name, at) => names[at] === name) && names.slice(fixed.length).every((name) => !name.startsWith('.'))
    return {
      base,
      plain: `${isAbsolute ? '/' : ''}${fixed.join('/')}`,
      matches: isMeant,
      mayLieBelow: (names) =>
        names.length < fixed.length ? names.every((name, at) => name === fixed[at]) : isMeant(names),
    }
  }
  return {
    base,
    matches: (names) => reach(parts, names).has(parts.length),
    // A file that the whole pattern means lies deeper: something has to be left of it.
    mayLieBelow: (names) => [...reach(parts, names)].some((at) => at < parts.length),
  }
}

/** How far into the parts the names lead, all ways at once. */
const reach = (parts: readonly Part[], names: readonly string[]): ReadonlySet<number> => {
  let at = withoutFolders(parts, [0])
  for (const name of names) {
    const next: number[] = []
    for (const place of at) {
      const part = parts[place]
      if (part === undefined) continue
      if (part === 'deep') {
        if (!name.startsWith('.')) next.push(place)
      } else if (matchesName(part, [...name])) next.push(place + 1)
    }
    at = withoutFolders(parts, next)
  }
  return at
}

/** `**` also means no folder at all. */
const withoutFolders = (parts: readonly Part[], places: readonly number[]): Set<number> => {
  const all = new Set(places)
  for (const place of all) {
    if (parts[place] === 'deep') all.add(place + 1)
  }
  return all
}

const matchesName = (tokens: readonly Token[], name: readonly string[]): boolean => {
  const [first] = tokens
  if (name[0] === '.' && !(first?.kind === 'character' && first.text === '.')) return false
  let [token, at, star, retry] = [0, 0, -1, 0]
  while (at < name.length) {
    const here = tokens[token]
    if (here !== undefined && here.kind !== 'star' && isMeant(here, name[at] as string)) {
      token++
      at++
    } else if (here?.kind === 'star') {
      star = token++
      retry = at
    } else if (star >= 0) {
      // The last star takes one character more.
      token = star + 1
      at = ++retry
    } else return false
  }
  while (tokens[token]?.kind === 'star') token++
  return token === tokens.length
}

const isMeant = (token: Token, character: string): boolean => {
  if (token.kind === 'character') return token.text === character
  if (token.kind !== 'set') return true
  return token.ranges.some(([from, to]) => from <= character && character <= to) !== token.not
}

const readName = (name: string): readonly Token[] => {
  if (name.includes('**')) throw new GlobError('"**" stands for folders only as a whole name, as in a/**/b')
  const tokens: Token[] = []
  const characters = [...name]
  for (let at = 0; at < characters.length; at++) {
    const text = characters[at] as string
    if (text === '*') tokens.push({ kind: 'star' })
    else if (text === '?') tokens.push({ kind: 'any' })
    else if (text === '\\') tokens.push({ kind: 'character', text: characters[++at] ?? '\\' })
    else if (text === '[') at = readSet(characters, at, tokens)
    else tokens.push({ kind: 'character', text })
  }
  return tokens
}

/** @returns where the set ends */
const readSet = (characters: readonly string[], open: number, tokens: Token[]): number => {
  const not = ['!', '^'].includes(characters[open + 1] ?? '')
  const first = open + (not ? 2 : 1)
  const close = characters.indexOf(']', first + 1)
  if (close === -1) throw new GlobError('"[" is not closed. Write \\[ for the character itself')
  const ranges: (readonly [string, string])[] = []
  for (let at = first; at < close; at++) {
    const from = characters[at] as string
    const to = characters[at + 1] === '-' && at + 2 < close ? characters[at + 2] : undefined
    ranges.push([from, to ?? from])
    if (to !== undefined) at += 2
  }
  tokens.push({ kind: 'set', not, ranges })
  return close
}

const literalOf = (tokens: readonly Token[]): string | undefined =>
  tokens.every((token) => token.kind === 'character') ? tokens.map((token) => token.text).join('') : undefined

const expandBraces = (pattern: string): readonly string[] => {
  if (pattern.length > MAX_LENGTH) throw new GlobError(`it is longer than ${MAX_LENGTH} characters`)
  if (pattern === '') throw new GlobError('it is empty')
  let waiting: readonly string[] = [pattern]
  for (;;) {
    const next = waiting.flatMap((each) => expandFirst(each) ?? [each])
    if (next.length > MAX_ALTERNATIVES)
      throw new GlobError(`its braces stand for more than ${MAX_ALTERNATIVES} patterns`)
    if (next.length === waiting.length && next.every((each, at) => each === waiting[at])) return next
    waiting = next
  }
}

/** The pattern with each of the alternatives of its first braces; undefined without braces. */
const expandFirst = (pattern: string): readonly string[] | undefined => {
  let [depth, open, from] = [0, -1, 0]
  const found: string[] = []
  for (let at = 0; at < pattern.length; at++) {
    const text = pattern[at]
    if (text === '\\') at++
    else if (text === '{') {
      if (depth++ === 0) [open, from] = [at, at + 1]
    } else if (text === ',' && depth === 1) {
      found.push(pattern.slice(from, at))
      from = at + 1
    } else if (text === '}' && depth > 0 && --depth === 0) {
      found.push(pattern.slice(from, at))
      return found.map((each) => pattern.slice(0, open) + each + pattern.slice(at + 1))
    }
  }
  if (depth > 0) throw new GlobError('"{" is not closed. Write \\{ for the character itself')
  return undefined
}

const splitNames = (pattern: string): readonly string[] =>
  pattern.split('/').filter((name) => name !== '' && name !== '.')
const namesOf = (path: string): readonly string[] => splitNames(path)

const commonFolder = (a: string, b: string): string => {
  const [one, other] = [splitNames(a), splitNames(b)]
  const differs = one.findIndex((name, at) => name !== other[at])
  const shared = one.slice(0, differs === -1 ? one.length : differs).join('/')
  return a.startsWith('/') && b.startsWith('/') ? `/${shared}` : shared || '.'
}

/** The pattern from the folder that relative ones start at; `./` and `../` in front of it are walked. */
export const absoluteGlob = (pattern: string, folder: string): string => {
  const trimmed = pattern.trim()
  if (trimmed.startsWith('/')) return trimmed
  const names = [...splitNames(folder)]
  let rest = trimmed
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2)
    else if (rest.startsWith('../')) {
      names.pop()
      rest = rest.slice(3)
    } else break
  }
  // The folder's own name is no pattern.
  const escaped = names.map((name) => name.replaceAll(/[\\*?[\]{},]/g, '\\$&'))
  return `/${[...escaped, rest].join('/')}`
}

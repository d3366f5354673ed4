// shell-variables.ts: the UPPER_CASE variables that a shell script reads and neither sets nor defaults. A reader of
// scripts, not a shell: where it is in doubt it stays silent, since its findings are warnings.

export interface Variable {
  readonly name: string
  readonly line: number
  /** Of the dollar sign, from 0. */
  readonly column: number
}

/** What the engine and the shell set themselves. */
const ALWAYS =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|PWD|OLDPWD|SHELL|IFS|RANDOM|SECONDS|LINENO|HOSTNAME|HOSTTYPE|OSTYPE|MACHTYPE|UID|EUID|PPID|GROUPS|OPTARG|OPTIND|OPTERR|REPLY|COLUMNS|LINES|PIPESTATUS|FUNCNAME|SHLVL|EPOCHSECONDS|EPOCHREALTIME|SRANDOM|MAPFILE|COPROC|DIRSTACK|BASH\w*|ZSH\w*|SOP_\w+)$/

const USE = /\$(?:\{([#!]?)([A-Za-z_]\w*)([^}\w][^}]{0,200})?\}?|([A-Za-z_]\w*))/y
const SETS = [
  /(?:^|[\s;&|({])(?:(?:export|local|declare|typeset|readonly)\s+(?:-\w+\s+)*)?([A-Za-z_]\w*)\+?=/g,
  /\b(?:export|local|declare|typeset|readonly|unset)\s+(?:-\w+\s+)*([A-Za-z_]\w*)/g,
  /\b(?:for|select)\s+([A-Za-z_]\w*)/g,
  /\bprintf\s+-v\s*([A-Za-z_]\w*)/g,
  /\bgetopts\s+\S+\s+([A-Za-z_]\w*)/g,
]
const READS = /\b(?:read|mapfile|readarray)\s+([^\n;|&<]{1,200})/g
const UPPER = /^[A-Z][A-Z0-9_]*$/

/** The variables in order of their uses. */
export const shellVariables = (script: string): readonly Variable[] => {
  const text = withoutQuoted(script)
  const own = namesSet(text)
  const found: Variable[] = []
  let line = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\n') {
      line += 1
      start = at + 1
    } else if (text[at] === '\\') at += 1
    else if (text[at] === '$') {
      USE.lastIndex = at
      const name = nameOf(USE.exec(text))
      if (name !== undefined && !own.has(name) && !ALWAYS.test(name)) found.push({ name, line, column: at - start })
    }
  }
  return found
}

/** The name of an UPPER_CASE use without a default. */
const nameOf = (use: RegExpExecArray | null): string | undefined => {
  if (use === null) return undefined
  const [, sign, braced, operation = '', bare] = use
  const name = bare ?? braced ?? ''
  const hasDefault = /^:?[-=+?]/.test(operation) || sign === '!'
  return UPPER.test(name) && !hasDefault ? name : undefined
}

const namesSet = (text: string): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const pattern of SETS) for (const found of text.matchAll(pattern)) names.add(found[1] ?? '')
  for (const found of text.matchAll(READS)) for (const word of (found[1] ?? '').split(/\s+/)) names.add(word)
  return names
}

/** The script with comments and single-quoted text blanked out; lines and columns stay. */
const withoutQuoted = (script: string): string => {
  const kept = [...script.split('')]
  let quote = ''
  for (let at = 0; at < kept.length; at++) {
    const character = kept[at]
    if (quote === "'") {
      if (character === "'") quote = ''
      else if (character !== '\n') kept[at] = ' '
    } else if (character === '\\') at += 1
    else if (quote === '"') quote = character === '"' ? '' : quote
    else if (character === '"' || character === "'") quote = character
    else if (character === '#' && (at === 0 || /[\s;&|(]/.test(kept[at - 1] ?? ''))) {
      for (; at < kept.length && kept[at] !== '\n'; at++) kept[at] = ' '
    }
  }
  return withoutQuotedHeredocs(kept.join(''))
}

// Each one looks for its end.
const MAX_HEREDOCS = 200

/** Text of `<<'EOF'` is not expanded. */
const withoutQuotedHeredocs = (text: string): string => {
  if (!text.includes('<<')) return text
  const lines = text.split('\n')
  for (let at = 0, found = 0; at < lines.length && found < MAX_HEREDOCS; at++) {
    // Its word is blanked already when it stood in single quotes.
    const begin = /<<-?\s*(?:'\s*'|"(\w+)"|\\(\w+))/.exec(lines[at] ?? '')
    if (begin === null) continue
    found += 1
    const word = begin[1] ?? begin[2]
    const end = lines.findIndex(
      (line, index) => index > at && (word === undefined ? /^\t*[A-Z_]+$/.test(line) : line.trim() === word),
    )
    for (let line = at + 1; line < (end === -1 ? lines.length : end); line++) lines[line] = ''
    if (end !== -1) at = end
  }
  return lines.join('\n')
}

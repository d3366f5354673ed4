// toml-lines.ts: where the keys of a TOML document stand. The parser has no positions; it has already accepted the text
// when this scan runs, so the scan only has to know strings, comments and brackets.

/** One name for the path of a key: its parts as written, joined by dots. */
export const pathKey = (parts: readonly string[]): string => parts.join('.')

/** The line (from 1) on which each table and key is first written, by its path. */
export function findTomlLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  const note = (parts: readonly string[], line: number): void => {
    const key = pathKey(parts)
    if (!lines.has(key)) lines.set(key, line)
  }
  let table: readonly string[] = []
  let open: Open = { depth: 0 }
  for (const [index, raw] of text.split('\n').entries()) {
    if (open.quote !== undefined || open.depth > 0) {
      open = scanValue(raw, open)
      continue
    }
    const header = /^\s*\[\[?([^\]]+)\]/.exec(raw)
    if (header?.[1] !== undefined) {
      table = splitKey(header[1]).parts
      note(table, index + 1)
      continue
    }
    const key = splitKey(raw)
    if (key.end === undefined) continue
    for (let n = 1; n <= key.parts.length; n++) note([...table, ...key.parts.slice(0, n)], index + 1)
    open = scanValue(raw.slice(key.end + 1), { depth: 0 })
  }
  return lines
}

/** What a value leaves open at the end of a line. */
interface Open {
  readonly quote?: '"""' | "'''"
  readonly depth: number
}

/** The parts of a dotted key, and where its `=` stands. */
function splitKey(text: string): { parts: string[]; end?: number } {
  const parts: string[] = []
  const part = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.|=|$)/y
  for (let found = part.exec(text); found !== null; found = part.exec(text)) {
    parts.push(found[1] ?? found[2] ?? found[3] ?? '')
    if (found[4] === '=') return { parts, end: part.lastIndex - 1 }
    if (found[4] !== '.') return { parts }
  }
  return { parts }
}

function scanValue(text: string, open: Open): Open {
  if (open.quote !== undefined) {
    const end = text.indexOf(open.quote)
    return end < 0 ? open : scanValue(text.slice(end + 3), { depth: open.depth })
  }
  let depth = open.depth
  for (const { 0: token, index } of text.matchAll(/"""|'''|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[[{\]}]/g)) {
    if (token === '"""' || token === "'''") return scanValue(text.slice(index + 3), { quote: token, depth })
    if (token === '[' || token === '{') depth += 1
    if (token === ']' || token === '}') depth -= 1
  }
  return { depth }
}

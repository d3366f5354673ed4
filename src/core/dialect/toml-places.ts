// toml-places.ts: where the keys and values of a TOML document stand. smol-toml decides what is valid and what it means;
// this scanner only walks a document that smol-toml has accepted, and gives up quietly where it loses its way.

/** The places of one key: offsets into the text. `children` holds the keys of a table, `items` the entries of a list. */
export interface TomlPlace {
  key?: readonly [start: number, end: number]
  value?: readonly [start: number, end: number]
  readonly children: Map<string, TomlPlace>
  readonly items: TomlPlace[]
}

const MAX_DEPTH = 100
const DATE_WITH_SPACE = /\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?/iy
const BARE = /[^\s,\]}#]+/y
const BARE_KEY = /[A-Za-z0-9_-]+/y
const BLANK = /(?:[ \t\r\n]|#[^\n]*)*/y

const place = (): TomlPlace => ({ children: new Map(), items: [] })

interface Key {
  readonly parts: readonly string[]
  readonly span: readonly [number, number]
}

/** Walks the document once. */
export const findTomlPlaces = (text: string): TomlPlace => {
  const scanner = new Scanner(text)
  scanner.document()
  return scanner.root
}

class Scanner {
  readonly root = place()
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  document(): void {
    let table: TomlPlace | undefined = this.root
    for (this.skip(BLANK); this.at < this.text.length; this.skip(BLANK)) {
      const before = this.at
      if (this.text[this.at] === '[') table = this.header()
      else this.pair(table ?? place())
      if (this.at === before) return
    }
  }

  private header(): TomlPlace | undefined {
    const isList = this.text.startsWith('[[', this.at)
    this.at += isList ? 2 : 1
    const key = this.key()
    const found = key === undefined ? undefined : this.reach(this.root, key)
    this.at = this.endOfLine()
    if (found === undefined || !isList) return found
    const item = place()
    if (found.key !== undefined) item.value = found.key
    if (key !== undefined) item.value = key.span
    found.items.push(item)
    return item
  }

  private pair(table: TomlPlace): void {
    const key = this.key()
    if (key === undefined || this.text[this.at] !== '=') return
    this.at += 1
    const found = this.reach(table, key)
    this.blanks()
    this.value(found ?? place(), 0)
  }

  /** The place that a dotted key names; inside a list of tables that is its last table. */
  private reach(from: TomlPlace, { parts, span }: Key): TomlPlace | undefined {
    if (parts.length > MAX_DEPTH) return undefined
    let table = from
    for (const [index, part] of parts.entries()) {
      let next = table.children.get(part)
      if (next === undefined) table.children.set(part, (next = place()))
      next.key ??= span
      const isLast = index === parts.length - 1
      table = isLast ? next : (next.items.at(-1) ?? next)
    }
    return table
  }

  private key(): Key | undefined {
    const start = this.at
    const parts: string[] = []
    for (;;) {
      this.blanks()
      const part = this.keyPart()
      if (part === undefined) return undefined
      const end = this.at
      parts.push(part)
      this.blanks()
      if (this.text[this.at] !== '.') return { parts, span: [start + this.indent(start), end] }
      this.at += 1
    }
  }

  private indent(start: number): number {
    let at = start
    while (this.text[at] === ' ' || this.text[at] === '\t') at += 1
    return at - start
  }

  private keyPart(): string | undefined {
    const quote = this.text[this.at]
    if (quote !== '"' && quote !== "'") return this.skip(BARE_KEY)
    const start = this.at
    this.string()
    const quoted = this.text.slice(start, this.at)
    if (quote === "'") return quoted.slice(1, -1)
    try {
      return String(JSON.parse(quoted.replace(/\\U([0-9a-fA-F]{8})/g, (_, hex: string) => `\\u${hex.slice(4)}`)))
    } catch {
      return quoted.slice(1, -1)
    }
  }

  private value(into: TomlPlace, depth: number): void {
    const start = this.at
    const first = this.text[start]
    if (depth > MAX_DEPTH) this.at = this.text.length
    else if (first === '"' || first === "'") this.string()
    else if (first === '[') this.list(into, depth)
    else if (first === '{') this.inlineTable(into, depth)
    else if (this.skip(DATE_WITH_SPACE) === undefined) this.skip(BARE)
    into.value ??= [start, this.at]
  }

  private list(into: TomlPlace, depth: number): void {
    this.at += 1
    for (;;) {
      this.skip(BLANK)
      if (this.at >= this.text.length || this.closes(']')) return
      const before = this.at
      const item = place()
      into.items.push(item)
      this.value(item, depth + 1)
      this.skip(BLANK)
      if (this.text[this.at] === ',') this.at += 1
      if (this.at === before) return
    }
  }

  private inlineTable(into: TomlPlace, depth: number): void {
    this.at += 1
    for (;;) {
      this.skip(BLANK)
      if (this.at >= this.text.length || this.closes('}')) return
      const before = this.at
      const key = this.key()
      if (key === undefined || this.text[this.at] !== '=') return
      this.at += 1
      this.blanks()
      this.value(this.reach(into, key) ?? place(), depth + 1)
      this.skip(BLANK)
      if (this.text[this.at] === ',') this.at += 1
      if (this.at === before) return
    }
  }

  private closes(bracket: string): boolean {
    if (this.text[this.at] !== bracket) return false
    this.at += 1
    return true
  }

  /** Stands on a quote; ends behind the closing one. */
  private string(): void {
    const quote = this.text[this.at] ?? ''
    const isLong = this.text.startsWith(quote.repeat(3), this.at)
    const end = isLong ? quote.repeat(3) : quote
    this.at += end.length
    while (this.at < this.text.length && !this.text.startsWith(end, this.at)) {
      this.at += quote === '"' && this.text[this.at] === '\\' ? 2 : 1
    }
    this.at = Math.min(this.at + end.length, this.text.length)
    // Up to two quotes may stand directly before the closing three.
    while (isLong && this.text[this.at] === quote) this.at += 1
  }

  private blanks(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at += 1
  }

  private endOfLine(): number {
    const end = this.text.indexOf('\n', this.at)
    return end === -1 ? this.text.length : end
  }

  private skip(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    this.at += found?.length ?? 0
    return found
  }
}

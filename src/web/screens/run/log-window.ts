import type { LogRows } from '../../../client/client.ts'
import { request } from '../../api/request.ts'
import { addressOf, type LogChoice, pathOf } from './log-choice.ts'

// log-window.ts: the part of a log that the page holds. However long the log, it is a few pages of rows around what is
// looked at; the others are read again when somebody goes there.

/** Rows of one page, and pages that are held. */
export const PAGE_ROWS = 250
export const PAGES_HELD = 24

export interface LogState {
  readonly total: number
  readonly bytes: number
  readonly complete: boolean
  readonly truncated: boolean
  /** Since when the log store takes nothing, while that is so. */
  readonly heldSince?: string | undefined
  /** Counts up with every change, so that React sees it. */
  readonly version: number
  readonly error?: unknown
  /** The first answer is there. */
  readonly isKnown: boolean
}

export class LogWindow {
  private readonly pages = new Map<number, readonly string[]>()
  private readonly asked = new Map<number, AbortController>()
  private readonly listeners = new Set<() => void>()
  private state: LogState = { total: 0, bytes: 0, complete: false, truncated: false, version: 0, isKnown: false }
  private refreshing: Promise<void> | undefined
  private isStale = false
  /** Which log it is, where the choice leaves that open, and the question that told so. */
  private name = ''
  private namedBy = 0
  private questions = 0
  private readonly stopped = new AbortController()
  private readonly path: string

  constructor(runId: string, log: LogChoice) {
    this.path = `${pathOf(runId)}/logs/rows?${addressOf(log)}`
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  readonly snapshot = (): LogState => this.state

  /** The row, where it is held. */
  row(number: number): string | undefined {
    return this.pages.get(Math.floor(number / PAGE_ROWS))?.[number % PAGE_ROWS]
  }

  /** Rows of all pages that are held. */
  held(): number {
    return [...this.pages.values()].reduce((sum, rows) => sum + rows.length, 0)
  }

  /** Asks for the rows that are looked at, and gives up on others. */
  want(from: number, to: number): void {
    // What failed is not asked for again by itself.
    if (this.state.error !== undefined) return
    const [first, last] = [Math.floor(from / PAGE_ROWS), Math.floor(Math.max(from, to - 1) / PAGE_ROWS)]
    for (const [page, controller] of this.asked) if (page < first - 1 || page > last + 1) controller.abort()
    for (let page = first; page <= last; page += 1) {
      const rows = this.pages.get(page)
      const wanted = Math.min(PAGE_ROWS, this.state.total - page * PAGE_ROWS)
      if (rows !== undefined) {
        this.pages.delete(page)
        this.pages.set(page, rows)
      }
      if (wanted > 0 && (rows?.length ?? 0) < wanted) void this.load(page)
    }
  }

  /** The log grew: its end is read anew. Many calls at once are one question after the other. */
  refresh(): void {
    this.isStale = true
    this.refreshing ??= this.readEnd().finally(() => {
      this.refreshing = undefined
    })
  }

  retry(): void {
    const { error: _, ...state } = this.state
    this.state = state
    this.refresh()
  }

  stop(): void {
    this.stopped.abort()
    for (const controller of this.asked.values()) controller.abort()
  }

  private async readEnd(): Promise<void> {
    while (this.isStale && !this.stopped.signal.aborted) {
      this.isStale = false
      try {
        // The page at the end, as far as it is known: what is new stands there, or behind it.
        const page = Math.max(0, Math.floor((this.state.total - 1) / PAGE_ROWS))
        const answer = await this.ask(this.state.isKnown ? page * PAGE_ROWS : -PAGE_ROWS, this.stopped.signal)
        this.take(answer)
        if (answer.counting === true) this.isStale = true
      } catch (error) {
        if (!this.stopped.signal.aborted) this.change({ error, isKnown: true })
      }
    }
  }

  private async load(page: number): Promise<void> {
    if (this.asked.has(page)) return
    const controller = new AbortController()
    this.asked.set(page, controller)
    try {
      // An answer holds no more than so many bytes: what is there is gone on from, with the last row anew, since it may have grown.
      const has = this.pages.get(page)?.length ?? 0
      const answer = await this.ask(page * PAGE_ROWS + Math.max(0, has - 1), controller.signal)
      // Whoever hears of the rows may want the rest of the page.
      this.asked.delete(page)
      this.take(answer)
    } catch (error) {
      this.asked.delete(page)
      if (!controller.signal.aborted) this.change({ error })
    }
  }

  private async ask(from: number, signal: AbortSignal): Promise<LogRows & { readonly question: number }> {
    this.questions += 1
    const question = this.questions
    return { ...(await request<LogRows>(`${this.path}&from=${from}&limit=${PAGE_ROWS}`, { signal })), question }
  }

  /** The next attempt has a log of its own: nothing of the one before belongs to it. */
  private isOfNow({ attempt, item, source, question }: LogRows & { readonly question: number }): boolean {
    const name = JSON.stringify([attempt, item, source])
    if (name === this.name) return true
    if (question < this.namedBy) return false
    this.namedBy = question
    if (this.name !== '') {
      this.pages.clear()
      for (const controller of this.asked.values()) controller.abort()
      this.state = { ...this.state, total: 0, bytes: 0, complete: false, truncated: false, isKnown: false }
      this.isStale = true
    }
    this.name = name
    return true
  }

  private take(answer: LogRows & { readonly question: number }): void {
    if (!this.isOfNow(answer)) return
    const { from, rows, total, bytes, complete, truncated, heldSince } = answer
    this.keep(from, rows)
    for (const page of this.pages.keys()) if (this.pages.size > PAGES_HELD) this.pages.delete(page)
    const { error: _, ...state } = this.state
    this.state = state
    // Answers may overtake each other; a log never shrinks.
    this.change({
      total: Math.max(total, this.state.total),
      bytes: Math.max(bytes, this.state.bytes),
      complete: complete || this.state.complete,
      truncated: truncated === true || this.state.truncated,
      heldSince,
      isKnown: true,
    })
  }

  /** Rows of an answer that begins within a page are put beside those that the page has. */
  private keep(from: number, rows: readonly string[]): void {
    for (let at = 0; at < rows.length; ) {
      const page = Math.floor((from + at) / PAGE_ROWS)
      const start = (from + at) % PAGE_ROWS
      const part = rows.slice(at, at + PAGE_ROWS - start)
      const before = this.pages.get(page) ?? []
      if (start <= before.length) {
        const next = [...before.slice(0, start), ...part, ...before.slice(start + part.length)]
        this.pages.delete(page)
        this.pages.set(page, next)
      }
      at += part.length
    }
  }

  private change(part: Partial<LogState>): void {
    this.state = { ...this.state, ...part, version: this.state.version + 1 }
    for (const listener of this.listeners) listener()
  }
}

import { printable } from './core/printable.ts'

/** Severity of a log line, from the least to the most. */
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Facts beside a message. JSON-safe, except that errors are taken apart. Never secrets. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured log: one line for each call. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose lines all carry these fields as well. */
  child(fields: LogFields): Log
}

export interface LogOptions {
  /** Lines below it are left out. Default `info`. */
  readonly level?: LogLevel
  readonly out?: LogOut
  /** `json`: one object a line; `text`: for people. Default: text on a terminal, JSON elsewhere. */
  readonly format?: 'json' | 'text'
  /** Colours in text. Default: on a terminal that does not say `NO_COLOR`. */
  readonly colors?: boolean
  readonly now?: () => Date
}

/** What a log writes to; standard error unless told. */
export interface LogOut {
  readonly isTTY?: boolean
  /** As a terminal's stream answers: false where `NO_COLOR` is set. */
  hasColors?(): boolean
  write(text: string): unknown
}

/** Creates a log. It never throws: a field that cannot be shown is said to be so. */
export function createLog(options: LogOptions = {}): Log {
  const out = options.out ?? process.stderr
  const isText = (options.format ?? (out.isTTY === true ? 'text' : 'json')) === 'text'
  const colors = options.colors ?? (out.isTTY === true && out.hasColors?.() !== false)
  const least = LOG_LEVELS.indexOf(options.level ?? 'info')
  const now = options.now ?? (() => new Date())
  const writer = (base: LogFields): Log => {
    const write =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (LOG_LEVELS.indexOf(level) < least) return
        const line: Line = { time: now(), level, message, fields: { ...base, ...fields } }
        out.write(`${isText ? renderText(line, colors) : renderJson(line)}\n`)
      }
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => writer({ ...base, ...fields }),
    }
  }
  return writer({})
}

interface Line {
  readonly time: Date
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

// The engine's own keys come last, so that no field can pass for them.
const renderJson = ({ time, level, message, fields }: Line): string => {
  const head = { time: time.toISOString(), level, message }
  return toJson({ ...head, ...fields, ...head })
}

const COLORS: Readonly<Record<LogLevel, number>> = { debug: 90, info: 36, warn: 33, error: 31 }

function renderText({ time, level, message, fields }: Line, colors: boolean): string {
  const paint = (code: number, text: string): string => (colors ? `\u001b[${code}m${text}\u001b[39m` : text)
  const clock = time.toISOString().slice(11, 23)
  const facts = Object.entries(fields).filter(([, value]) => value !== undefined)
  const shown = facts.map(([key, value]) => `${paint(90, `${key}=`)}${showValue(value)}`)
  return [paint(90, clock), paint(COLORS[level], level.toUpperCase().padEnd(5)), oneLine(message), ...shown].join(' ')
}

const showValue = (value: unknown): string => {
  const plain = value instanceof Error ? value.message : value
  if (typeof plain !== 'string') return printable(toJson(plain))
  return /^[\w.:/@#+-]+$/.test(plain) ? plain : printable(JSON.stringify(plain))
}

// A message may quote what a stranger sent: no line break, no control sequence may leave its line.
const oneLine = (text: string): string => printable(text.replace(/\r?\n/g, '\\n'))

function toJson(value: unknown): string {
  const path: { readonly original: object; readonly shown: object }[] = []
  try {
    const text = JSON.stringify(value, function (this: unknown, _key, part: unknown) {
      if (typeof part === 'bigint') return part.toString()
      if (typeof part !== 'object' || part === null) return part
      while (path.length > 0 && path.at(-1)?.shown !== this) path.pop()
      if (path.some(({ original }) => original === part)) return '(circular)'
      const shown = part instanceof Error ? takeApart(part) : part
      path.push({ original: part, shown })
      return shown
    })
    return text ?? 'undefined'
  } catch (error) {
    return JSON.stringify(`(cannot be shown: ${(error as Error).message})`)
  }
}

const takeApart = (error: Error): LogFields => ({
  name: error.name,
  message: error.message,
  ...('code' in error ? { code: error.code } : {}),
  stack: error.stack,
  ...(error.cause === undefined ? {} : { cause: error.cause }),
})

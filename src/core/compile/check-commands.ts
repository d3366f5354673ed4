import type { Command } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import type { RawCommand } from '../dialect/raw-step.ts'
import type { Report } from '../dialect/report.ts'
import type { SourceText } from '../dialect/source-text.ts'
import { HIDDEN } from '../printable.ts'
import { shellVariables } from './shell-variables.ts'

// check-commands.ts: what the text of a command tells before it runs.

/** A script, and where a span of it stands. */
export interface PlacedScript {
  readonly script: string
  readonly interpreter: string
  place(line: number, column: number, length: number): Place
}

/** A fence's script; its lines stand in the source as they are, but for their indentation. */
export const placeFence = ({ code, script, interpreter }: RawCommand, source: SourceText | undefined): PlacedScript => {
  const lines = script.split('\n')
  return {
    script,
    interpreter,
    place(line, column, length) {
      const number = code.contentLine + line
      const full = source?.lines[number - 1] ?? ''
      const indent = Math.max(0, full.trimEnd().length - (lines[line] ?? '').trimEnd().length)
      return { file: code.place.file, line: number, column: indent + column + 1, length }
    },
  }
}

/** A command that stands in a setting: all findings point at the setting. */
export const placeSetting = ({ script, interpreter }: Command, place: Place): PlacedScript => ({
  script,
  interpreter,
  place: () => place,
})

// Go templates such as {{.Names}} and {{end}} are no names of ours.
const TEMPLATE = /\{\{[ \t]{0,10}([A-Za-z_][\w.-]{0,99})[ \t]{0,10}\}\}/g
const GO_WORDS = ['end', 'else', 'break', 'continue']

const SHELLS = ['bash', 'sh', 'zsh', 'dash', 'ksh']

/** Reports templates, invisible characters, and UPPER_CASE variables that nothing declares. */
export const checkScript = (placed: PlacedScript, declared: ReadonlySet<string>, report: Report): void => {
  for (const [index, line] of placed.script.split('\n').entries()) {
    if (report.isFull) return
    checkTemplates(line, index, placed, report)
    const hidden = HIDDEN.exec(line)
    if (hidden !== null) {
      const code = (hidden[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
      const message = `This command holds the character U+${code}, which cannot be seen: it may not do what it shows`
      report.add('hidden-character', placed.place(index, hidden.index, 1), message, 'Delete the character')
    }
  }
  if (!SHELLS.includes(placed.interpreter)) return
  const seen = new Set<string>()
  for (const { name, line, column } of shellVariables(placed.script)) {
    if (seen.has(name) || declared.has(name) || report.isFull) continue
    seen.add(name)
    const message = `Nothing declares "${name}", so it is empty when the command runs`
    const help = `Declare it in params, secrets or env, or write \${${name}:-default}`
    report.add('undeclared-variable', placed.place(line, column, name.length + 1), message, help)
  }
}

const checkTemplates = (line: string, index: number, placed: PlacedScript, report: Report): void => {
  if (!line.includes('{{')) return
  for (const found of line.matchAll(TEMPLATE)) {
    const name = found[1] ?? ''
    if (GO_WORDS.includes(name)) continue
    const variable = name.replace(/[.-]/g, '_')
    const message = `Cannot fill in "${found[0]}" inside a command: a value could become part of the command`
    report.add(
      'template-in-command',
      placed.place(index, found.index, found[0].length),
      message,
      `Write "$${variable}", in double quotes`,
    )
  }
}

import Anser from 'anser'
import type { ReactNode } from 'react'
import { visible } from '../../parts/visible.ts'

// ansi-line.tsx: one row of a log: its colours become classes, everything else in it is only text.

/** Sequences that steer a terminal, but not those that colour (SGR). */
const STEERING = /\u001b(?:\[[0-?]*[ -/]*[@-ln-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g

/** What a line that was written over, as progress bars are, shows at last. */
export function lastWritten(row: string): string {
  const text = row.endsWith('\r') ? row.slice(0, -1) : row
  return text.slice(text.lastIndexOf('\r') + 1)
}

interface AnsiLineProps {
  readonly row: string
  /** Text that is marked where it stands, in lower case. */
  readonly marked?: string
}

export function AnsiLine({ row, marked }: AnsiLineProps) {
  const line = lastWritten(row.includes('\u001b') ? row.replace(STEERING, '') : row)
  if (!line.includes('\u001b')) return <Marked text={visible(line)} marked={marked} />
  return Anser.ansiToJson(line, { json: true, remove_empty: true, use_classes: true }).map((piece, index) => (
    <span key={index} className={classesOf(piece)}>
      <Marked text={visible(piece.content)} marked={marked} />
    </span>
  ))
}

function Marked({ text, marked }: { readonly text: string; readonly marked: string | undefined }): ReactNode {
  if (marked === undefined || marked === '') return text
  const parts: ReactNode[] = []
  const lower = text.toLowerCase()
  let from = 0
  for (let at = lower.indexOf(marked); at !== -1; at = lower.indexOf(marked, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + marked.length)}</mark>)
    from = at + marked.length
  }
  return parts.length === 0 ? text : [...parts, text.slice(from)]
}

type Piece = ReturnType<typeof Anser.ansiToJson>[number]

function classesOf({ fg, bg, fg_truecolor: fgTrue, bg_truecolor: bgTrue, decorations }: Piece): string {
  const colours = [colourOf('fg', fg, fgTrue), colourOf('bg', bg, bgTrue)]
  return [...colours, ...decorations.map((name) => `ansi-${name}`)].filter((name) => name !== '').join(' ')
}

/** One of the sixteen names; of a palette or a true colour the nearest hue, so that it can be read in every theme. */
function colourOf(side: 'fg' | 'bg', name: string | null, truecolor: string | null): string {
  if (name === null || name === undefined || name === '') return ''
  const named = /^ansi-(?:bright-)?(black|red|green|yellow|blue|magenta|cyan|white)$/.exec(name)?.[1]
  if (named !== undefined) return `${side}-${named}`
  const palette = /^ansi-palette-(\d+)$/.exec(name)?.[1]
  const rgb = palette === undefined ? rgbOf(truecolor) : rgbOfPalette(Number(palette))
  return rgb === undefined ? '' : `${side}-${hueOf(rgb)}`
}

type Rgb = readonly [red: number, green: number, blue: number]

function rgbOf(text: string | null): Rgb | undefined {
  const [red, green, blue] = (text ?? '').split(',').map(Number)
  return red === undefined || green === undefined || blue === undefined || Number.isNaN(red + green + blue)
    ? undefined
    : [red, green, blue]
}

function rgbOfPalette(number: number): Rgb {
  if (number >= 232) return [128, 128, 128]
  const cube = Math.max(0, number - 16)
  return [Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51]
}

function hueOf([red, green, blue]: Rgb): string {
  const most = Math.max(red, green, blue)
  const least = Math.min(red, green, blue)
  if (most - least < 40) return most < 100 ? 'black' : 'white'
  const isHigh = (value: number): boolean => value > (most + least) / 2
  const key = `${isHigh(red) ? 'r' : ''}${isHigh(green) ? 'g' : ''}${isHigh(blue) ? 'b' : ''}`
  return { r: 'red', g: 'green', b: 'blue', rg: 'yellow', rb: 'magenta', gb: 'cyan' }[key] ?? 'white'
}

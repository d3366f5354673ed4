import pc from 'picocolors'
import type { SopClient } from '../client/client.ts'
import type { CommonOptions } from './command.ts'
import { type Io, hasColour, hasUtf8 } from './io.ts'
import type { Ports } from './ports.ts'
import { cleanDeep, toJson } from './render/clean.ts'

export type Colours = ReturnType<typeof pc.createColors>

/** What every verb works with. */
export interface Context {
  /** `sop`, or the `sop-*` command. */
  readonly name: string
  readonly io: Io
  readonly ports: Ports
  readonly json: boolean
  /** Colours for standard output; they paint nothing where it takes none. */
  readonly colours: Colours
  readonly utf8: boolean
  /** `--url` of this command. */
  readonly at: { readonly url?: string }
  client(): Promise<SopClient>
  /**
   * The answer of the command: as JSON, or as `render` writes it. This is the one door to standard output: `render`
   * gets the value with its control characters written out.
   */
  show<T>(value: T, render: (value: T) => string): void
  /** A line for people, on stderr: what to do next, what goes on. Nothing with `--json`. */
  hint(text: string): void
}

/** @param options the common options of the command line, and the name of the program */
export const createContext = (io: Io, ports: Ports, options: CommonOptions & { readonly name?: string }): Context => {
  const at = options.url === undefined ? {} : { url: options.url }
  const json = options.json === true
  let client: Promise<SopClient> | undefined
  return {
    name: options.name ?? 'sop',
    io,
    ports,
    json,
    at,
    colours: pc.createColors(!json && hasColour(io.env, io.isTTY)),
    utf8: hasUtf8(io.env, io.isTTY),
    client: () => (client ??= ports.connect(at)),
    show: (value, render) => writeLine(io.out, json ? toJson(value) : render(cleanDeep(value))),
    hint: (text) => {
      if (!json) writeLine(io.err, text)
    },
  }
}

const writeLine = (sink: Io['out'], text: string): void => {
  if (text !== '') sink.write(text.endsWith('\n') ? text : `${text}\n`)
}

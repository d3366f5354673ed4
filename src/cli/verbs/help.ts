import { programOptions } from '../cli.ts'
import type { Verb } from '../command.ts'
import { COMMANDS } from '../commands.ts'
import { EXIT_CODES, UsageError } from '../exit-codes.ts'
import { renderHelp } from '../program.ts'
import { renderTable } from '../render/table.ts'

/** Variables that the commands read themselves; the engine's own are in `sop config`. */
export const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['SOP_URL', 'the engine to ask; default: the one of the data directory'],
  ['SOP_TOKEN', 'the credential; default: the local token of the data directory'],
  ['SOP_DATA_DIR', 'data directory of the engine, default .sop; its engine.json says where it listens'],
  ['SOP_DIR', 'SOP directory for validate and create without an engine, default sops'],
  ['NO_COLOR', 'set: no colours'],
  ['FORCE_COLOR', 'set: colours even where the output is no terminal'],
  ['LC_ALL, LC_CTYPE, LANG', 'whether the terminal shows UTF-8; without it no emoji'],
  ['SOP_LOG_LEVEL', '"debug" shows where a defect happened'],
]

export const help: Verb = async (context, [topic]) => {
  if (topic === 'exit-codes') {
    const codes = Object.values(EXIT_CODES)
    context.show(
      codes,
      (clean) =>
        `Exit codes\n\n${renderTable(
          ['CODE', 'MEANING'],
          clean.map(({ code, meaning }) => [String(code), meaning]),
        )}`,
    )
    return undefined
  }
  if (topic === 'environment') {
    context.show(
      Object.fromEntries(ENVIRONMENT),
      () =>
        `Environment variables\n\n${renderTable([], ENVIRONMENT)}\n\n.env of the working directory is read; the real environment wins.`,
    )
    return undefined
  }
  if (topic !== undefined && !COMMANDS.some(({ name, hidden }) => name === topic && hidden !== true)) {
    const { nearest } = await import('../../core/nearest.ts')
    const near = nearest(topic, [
      ...COMMANDS.filter(({ hidden }) => hidden !== true).map(({ name }) => name),
      'exit-codes',
      'environment',
    ])
    throw new UsageError(
      `Cannot help with "${topic}": there is no such verb or topic${near === undefined ? '' : `. Did you mean "${near}"?`}`,
    )
  }
  const text = renderHelp(programOptions(context.io), topic)
  const more = topic === undefined ? '\nMore: sop help VERB, sop help exit-codes, sop help environment' : ''
  context.show({ topic: topic ?? null, text: text + more }, (clean) => clean.text)
  return undefined
}

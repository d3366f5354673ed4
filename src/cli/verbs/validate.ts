import { type Diagnostic, renderDiagnostic } from '../../core/diagnostic.ts'
import { SopError } from '../../core/errors.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import type { CheckedSop, SopFiles } from '../ports.ts'

export const validate: Verb<{ readonly strict?: boolean }> = async (context, what, { strict }) => {
  const files = await context.ports.files()
  const sops = await findAll(files, what)
  const counts = { error: 0, warning: 0, hint: 0 }
  for (const { diagnostics } of sops) for (const { severity } of diagnostics) counts[severity]++
  const ok = counts.error === 0 && sops.every(({ compiled }) => compiled) && (strict !== true || counts.warning === 0)
  context.show({ ok, errors: counts.error, warnings: counts.warning, sops }, (clean) =>
    renderChecked(context, clean.sops, files, counts),
  )
  return exitCode(ok ? 'ok' : 'failed')
}

const findAll = async (files: SopFiles, what: readonly string[]): Promise<readonly CheckedSop[]> => {
  if (what.length === 0) return files.all()
  const found: CheckedSop[] = []
  for (const each of what) {
    for (const sop of await findOne(files, each))
      if (!found.some(({ name, path }) => name === sop.name && path === sop.path)) found.push(sop)
  }
  return found
}

/** A name first, as everywhere; else a path. */
const findOne = async (files: SopFiles, what: string): Promise<readonly CheckedSop[]> => {
  const named = /[\\/]/.test(what) ? [] : (await files.all()).filter(({ name }) => name === what)
  if (named.length > 0) return named
  try {
    return await files.at(what)
  } catch (error) {
    if (!(error instanceof SopError) || error.code !== 'not_found') throw error
    throw new SopError(
      'not_found',
      `Cannot validate "${what}": there is no SOP of that name in ${files.sopDir}, and no such file; sop list shows the names`,
    )
  }
}

const renderChecked = (
  { colours }: Context,
  sops: readonly CheckedSop[],
  files: SopFiles,
  counts: Readonly<Record<Diagnostic['severity'], number>>,
): string => {
  if (sops.length === 0) return `No SOPs in ${files.sopDir}. Create one: sop create NAME`
  const blocks = sops.map((sop) => {
    const mark = sop.compiled ? colours.green('ok') : colours.red('broken')
    return [`${colours.bold(sop.name)} (${sop.path}): ${mark}`, ...sop.diagnostics.map(renderDiagnostic)].join('\n')
  })
  const total = `${count(sops.length, 'SOP')}, ${count(counts.error, 'error')}, ${count(counts.warning, 'warning')}`
  return [blocks.join(sops.some(({ diagnostics }) => diagnostics.length > 0) ? '\n\n' : '\n'), total].join('\n\n')
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

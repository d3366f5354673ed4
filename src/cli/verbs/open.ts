import type { Verb } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { isInteractive } from '../io.ts'

export interface OpenOptions {
  readonly print?: boolean
}

/** The page, signed in: the link on standard output, and a browser where there is one. */
export const open: Verb<OpenOptions> = async (context, [ref], { print = false }) => {
  const links = await context.ports.tokens(context.at)
  const runId = ref === undefined ? undefined : (await (await context.client()).getRunStatus(ref)).runId
  const link = await links.createSessionLink()
  const url = runId === undefined ? link.url : withNext(link.url, `/runs/${encodeURIComponent(runId)}`)
  context.show({ url, expiresAt: link.expiresAt }, (clean) => clean.url)
  context.hint('The link signs one browser in, once, within ten minutes. Who has it acts as you: pass it to nobody.')
  if (!print && !context.json && isInteractive(context.io)) await context.ports.browse(url)
  return exitCode('ok')
}

const withNext = (url: string, path: string): string => {
  const wanted = new URL(url)
  wanted.searchParams.set('next', path)
  return wanted.href
}

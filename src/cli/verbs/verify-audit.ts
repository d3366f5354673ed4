import type { SopClient } from '../../client/client.ts'
import type { AuditCheck, RunCheck, VerifyOptions } from '../../client/verify-client.ts'
import type { ExportCheck } from '../../core/verify/export.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { exitCode, UsageError } from '../exit-codes.ts'
import { renderVerified } from '../render/verified.ts'

export interface VerifyAuditOptions {
  readonly key?: readonly string[]
  readonly head?: string
  readonly history?: boolean
  readonly long?: boolean
}

/** What was checked: `audit` where it was all runs. */
export interface Verified {
  readonly ok: boolean
  readonly audit?: AuditCheck
  /** Of all runs those with a problem, else those that were asked for. */
  readonly runs: readonly (RunCheck | ExportCheck)[]
}

export const verifyAudit: Verb<VerifyAuditOptions> = async (context, what, options) => {
  const asked = optionsOf(options)
  const verified = what.length === 0 ? await checkAll(context, asked) : await checkSome(context, what, asked)
  if (verified === undefined) return exitCode('interrupted')
  context.show(verified, (clean) =>
    renderVerified(clean, {
      colours: context.colours,
      utf8: context.utf8,
      long: options.long === true || what.length > 0,
    }),
  )
  return exitCode(verified.ok ? 'ok' : 'failed')
}

const optionsOf = ({ key, head, history }: VerifyAuditOptions): VerifyOptions => {
  for (const each of key ?? [])
    if (!/^[A-Za-z0-9+/]{43}=$/.test(each))
      throw new UsageError(`Cannot read --key "${each}": give a public key as sop verify-audit prints it`)
  const mark = head === undefined ? undefined : /^(\d{1,15}):([0-9a-f]{64})$/.exec(head)
  if (mark === null) throw new UsageError(`Cannot read --head "${head}": give INDEX:HASH as sop verify-audit prints it`)
  return {
    ...(key !== undefined && key.length > 0 && { keys: key }),
    ...(mark !== undefined && { head: { index: Number(mark[1]), hash: mark[2] ?? '' } }),
    ...(history === false && { history }),
  }
}

/** Files are checked here, runs by the engine. */
const checkSome = async (context: Context, what: readonly string[], options: VerifyOptions): Promise<Verified> => {
  const runs: (RunCheck | ExportCheck)[] = []
  for (const each of what) {
    const exported = await context.ports.exports.check(each, options.keys ?? [])
    if (exported !== undefined && options.head !== undefined)
      throw new UsageError(
        `Cannot hold --head against "${each}": a file has only the heads of its run. Give runs, or nothing`,
      )
    runs.push(exported ?? (await (await context.client()).verifyRun(each, options)))
  }
  return { ok: runs.every(({ ok }) => ok), runs }
}

/** Undefined: somebody broke it off. */
const checkAll = async (context: Context, options: VerifyOptions): Promise<Verified | undefined> => {
  const abort = new AbortController()
  const release = context.io.onInterrupt(() => abort.abort())
  const progress = createProgress(context)
  try {
    return await collect(await context.client(), { ...options, signal: abort.signal }, progress.show)
  } finally {
    progress.end()
    release()
  }
}

const collect = async (
  client: SopClient,
  options: Parameters<SopClient['verifyAudit']>[0],
  progress: (checked: number, total: number) => void,
): Promise<Verified | undefined> => {
  // A connection that broke begins anew: each run is told of once.
  const runs = new Map<string, RunCheck>()
  let audit: AuditCheck | undefined
  for await (const news of client.verifyAudit(options)) {
    if (news.kind === 'progress') progress(news.checked, news.total)
    else if (news.kind === 'run') runs.set(news.run.runId, news.run)
    else audit = news.audit
  }
  return audit && { ok: audit.ok, audit, runs: [...runs.values()] }
}

/** One line that is written over and over, on a terminal alone. */
const createProgress = ({ io, json }: Context) => {
  const isShown = io.errIsTTY && !json && io.env.TERM !== 'dumb'
  return {
    show: (checked: number, total: number): void => {
      if (isShown) io.err.write(`\r\u001b[2KChecked ${checked} of ${total} records`)
    },
    end: (): void => {
      if (isShown) io.err.write('\r\u001b[2K')
    },
  }
}

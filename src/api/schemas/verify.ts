import { z } from 'zod'
import type { AuditCheck, Finding, RunCheck, VerifyOptions } from '../../client/verify-client.ts'
import { NOTICE_KINDS, PROBLEM_KINDS } from '../../core/verify/finding.ts'
import { flag } from '../query.ts'
import { components, list } from './registry.ts'

const about = {
  message: z.string().describe('A sentence'),
  runId: z.string().exactOptional(),
  sequence: z.int().exactOptional().describe('The event that shows it'),
  file: z.string().exactOptional().describe('Below the data directory, or a table'),
  line: z.int().min(1).exactOptional(),
}

const finding: z.ZodType<Finding> = z
  .discriminatedUnion('severity', [
    z.object({ severity: z.literal('problem'), kind: z.enum(PROBLEM_KINDS), ...about }),
    z.object({ severity: z.literal('notice'), kind: z.enum(NOTICE_KINDS), ...about }),
  ])
  .register(components, { id: 'Finding', description: '`problem`: something is wrong; `notice`: good to know' })

export const runCheck: z.ZodType<RunCheck> = z
  .object({
    runId: z.string(),
    sop: z.string().exactOptional(),
    ok: z.boolean().describe('Nothing is wrong'),
    events: z.int().min(0),
    sealedTo: z.int().min(0).describe('The last event that a signed head vouches for'),
    history: z
      .enum(['compared', 'gone', 'unavailable', 'skipped'])
      .describe("Whether the workflow's history was asked; `gone`: Temporal does not know the run any more"),
    logs: z.int().min(0).describe('Logs that were held against a digest of the record'),
    findings: list(finding),
  })
  .register(components, { id: 'RunCheck' })

const mark = z.object({ index: z.int().min(0), hash: z.string() })

const auditCheck: z.ZodType<AuditCheck> = z
  .object({
    ok: z.boolean(),
    runs: z.int().min(0),
    events: z.int().min(0),
    heads: z
      .object({ entries: z.int().min(0), end: mark, key: z.string() })
      .describe('The chain of heads; its end can be noted elsewhere and held against it later'),
    history: z.object({ compared: z.int(), gone: z.int(), unavailable: z.int() }),
    problems: z.int().min(0),
    notices: z.partialRecord(z.enum(NOTICE_KINDS), z.int()).describe('How many runs have a notice of each kind'),
    findings: list(finding).describe('Of the store as a whole'),
  })
  .register(components, { id: 'AuditCheck' })

export const auditChecked = z
  .object({ audit: auditCheck, runs: list(runCheck).describe('Runs with a problem') })
  .register(components, { id: 'AuditChecked' })

interface VerifyQuery {
  readonly key?: string
  readonly head?: string
  readonly history?: boolean
}

export const verifyQuery: z.ZodType<VerifyQuery> = z.strictObject({
  key: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=(,[A-Za-z0-9+/]{43}=){0,9}$/, 'expected public keys in base64, joined by commas')
    .exactOptional()
    .describe("Public keys whose heads count besides the installation's own: of a key that was replaced"),
  head: z
    .string()
    .regex(/^\d{1,15}:[0-9a-f]{64}$/, 'expected INDEX:HASH, as a check prints it')
    .exactOptional()
    .describe('A head that was noted elsewhere, as INDEX:HASH: the chain has to have it'),
  history: flag.exactOptional().describe('`false`: Temporal is not asked'),
})

export const verifyOptionsOf = ({ key, head, history }: VerifyQuery): VerifyOptions => {
  const [index = '', hash = ''] = head?.split(':') ?? []
  return {
    ...(key !== undefined && { keys: key.split(',') }),
    ...(head !== undefined && { head: { index: Number(index), hash } }),
    ...(history !== undefined && { history }),
  }
}

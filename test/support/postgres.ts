import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { inject, type TestContext } from 'vitest'

/** The PostgreSQL that all tests of a run share, or why there is none. */
export type SharedPostgres = { readonly url: string; readonly folder: string } | { readonly missing: string }

/** Skips the test, with the reason, where no PostgreSQL can be had. */
export const needsPostgres = (context: Pick<TestContext, 'skip'>): void => {
  const postgres = inject('postgres')
  if ('missing' in postgres) context.skip(postgres.missing)
}

/** Makes an empty database; gives its URL. */
export const createDatabase = async (server = serverUrl()): Promise<string> => {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await execute(server, `CREATE DATABASE ${name}`)
  return server.replace(/[^/]+$/, name)
}

/** Runs statements as an operator would. */
export const execute = async <Row extends object>(url: string, sql: string): Promise<readonly Row[]> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

/** As its superuser. */
export const serverUrl = (): string => {
  const postgres = inject('postgres')
  if ('missing' in postgres) throw new Error(postgres.missing)
  return postgres.url
}

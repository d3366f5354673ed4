import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readJsonFile, writeFileAtomic } from './atomic-file.ts'
import { identifyProcess, isAlive } from './process-identity.ts'

/** What a running engine says about itself in `engine.json` of its data directory. The CLI finds it there. */
export interface EngineFile {
  /** Of the HTTP API, without a slash at the end. */
  readonly url: string
  readonly pid: number
  /** Tells this process from a later one with the same pid. */
  readonly processStartedAt: string
  readonly startedAt: string
  readonly version: string
  readonly tokenPath: string
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl?: string }
}

/** `stale`: the file of an engine that was killed. `absent`: no file, or one that no engine wrote. */
export type EngineState =
  | { readonly state: 'running' | 'stale'; readonly engine: EngineFile }
  | { readonly state: 'absent' }

export const engineFilePath = (dataDir: string): string => join(dataDir, 'engine.json')

/** Reads the engine file of a data directory and tells whether its engine lives. Never throws. */
export async function readEngineFile(dataDir: string): Promise<EngineState> {
  const value = await readJsonFile(engineFilePath(dataDir))
  if (!isEngineFile(value)) return { state: 'absent' }
  const alive = await isAlive({ pid: value.pid, startedAt: value.processStartedAt })
  return { state: alive ? 'running' : 'stale', engine: value }
}

/** Writes the engine file of this process in one step. */
export async function writeEngineFile(
  dataDir: string,
  engine: Omit<EngineFile, 'pid' | 'processStartedAt'>,
): Promise<EngineFile> {
  const me = await identifyProcess(process.pid)
  const file: EngineFile = { ...engine, pid: process.pid, processStartedAt: me?.startedAt ?? '' }
  await writeFileAtomic(engineFilePath(dataDir), `${JSON.stringify(file, null, 2)}\n`)
  return file
}

export const removeEngineFile = (dataDir: string): Promise<void> => rm(engineFilePath(dataDir), { force: true })

function isEngineFile(value: unknown): value is EngineFile {
  const { temporal, ...file } = (value ?? {}) as { [key: string]: unknown; temporal?: Record<string, unknown> }
  const texts = [file.url, file.processStartedAt, file.tokenPath, temporal?.address, temporal?.namespace]
  return Number.isInteger(file.pid) && texts.every((text) => typeof text === 'string')
}

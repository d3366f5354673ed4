import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { HOST_ID, spoolFolder } from '../activities/spool.ts'

// host-id.ts: the name of the host that answers for the commands in a spool. It stays the same when the worker starts again.
// It goes with the spool, and every boot of the machine gives a new one: what a crash of the machine took from the disk is
// then asked of nobody, so that no command is begun again because its trace is gone.

const SHAPE = /^([0-9a-f]{16}) (\S+)\n$/

/** The id of the host that has this scratch folder. */
export const openHostId = (scratchDir: string): string => {
  const path = join(spoolFolder(scratchDir), HOST_ID)
  const boot = bootId()
  const [, id, knownBoot] = SHAPE.exec(textOf(path)) ?? []
  if (id !== undefined && knownBoot === boot) return id
  const fresh = randomBytes(8).toString('hex')
  writeFileSync(path, `${fresh} ${boot}\n`, { mode: 0o600 })
  return fresh
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Elsewhere than on Linux nothing tells the boots apart. */
const bootId = (): string => textOf('/proc/sys/kernel/random/boot_id').trim() || 'boot'

/** What a worker is called in Temporal; histories name it where an activity began. */
export const identityOf = (hostId: string): string => `${process.pid}@${hostname()}/${hostId}`

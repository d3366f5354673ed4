import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson } from '../core/canonical.ts'
import type { SopDefinition } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { executablesOf } from '../core/executables.ts'
import type { ExecutableId, Warrants } from '../core/run/task.ts'
import { base64Bytes } from '../core/seal.ts'

/** A statement of this installation about one executable of one definition. */
export interface Warrant {
  readonly digest: string
  readonly executableId: ExecutableId
  readonly executable: unknown
  /** Base64. */
  readonly warrant: string
}

/** The key that makes definitions and decisions this installation's own. */
export interface InstallationKey {
  /** Raw Ed25519 public key, base64: what a run carries to check seals. */
  readonly authority: string
  /** Signature of a text, base64; `verifySeal` of core/seal.ts checks it. */
  seal(text: string): string
  /** Signatures of everything that a worker may be asked to run. */
  warrantsFor(definition: SopDefinition, digest: string): Warrants
  /** 32 bytes that only holders of the key can work out, for one purpose. */
  secretFor(purpose: string): Uint8Array
  /** Whether this installation vouches for the executable. Never throws. */
  verifyWarrant(warrant: Warrant): boolean
}

export interface InstallationKeyOptions {
  /** The private key itself as PKCS #8 PEM (`SOP_INSTALLATION_KEY`); `\n` may stand for line ends. No file is read then. */
  readonly pem?: string | undefined
}

const warrantText = ({ digest, executableId, executable }: Omit<Warrant, 'warrant'>): string =>
  canonicalJson({ kind: 'warrant', digest, executableId, executable })

/** Whether the installation with this public key (raw, base64) vouches for the executable. Never throws. */
export const createWarrantCheck = (authority: string): ((warrant: Warrant) => boolean) => {
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(authority, 'base64')])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return (given) => isSigned(given, key)
}

/**
 * Whether a signature (base64) of a text is that of a public key (raw, base64). As `verifySeal` of core/seal.ts, by Node's own code, for
 * whoever checks thousands of them; keys are kept. Never throws.
 */
export const createSealCheck = (): ((authority: string, text: string, signature: string) => boolean) => {
  const known = new Map<string, KeyObject>()
  const keyOf = (authority: string): KeyObject => {
    const found = known.get(authority)
    if (found !== undefined) return found
    const der = Buffer.concat([SPKI_PREFIX, Buffer.from(authority, 'base64')])
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    known.set(authority, key)
    return key
  }
  return (authority, text, signature) => {
    try {
      // Else a character could be changed that says nothing.
      if (base64Bytes(signature) === undefined) return false
      return verify(null, Buffer.from(text, 'utf8'), keyOf(authority), Buffer.from(signature, 'base64'))
    } catch {
      return false
    }
  }
}

/** What DER has before the 32 bytes of an Ed25519 key. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

const isSigned = (given: Warrant, key: KeyObject): boolean => {
  try {
    return verify(null, Buffer.from(warrantText(given), 'utf8'), key, Buffer.from(given.warrant, 'base64'))
  } catch {
    return false
  }
}

/** Warrants of one definition are asked for at every start of a run; signing 1,000 steps takes some 50 ms. */
const MAX_KEPT = 200

const fromKey = (key: KeyObject): InstallationKey => {
  const publicKey = createPublicKey(key)
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const kept = new Map<string, Warrants>()
  const seal = (text: string) => sign(null, Buffer.from(text, 'utf8'), key).toString('base64')
  return {
    authority: raw.toString('base64'),
    seal,
    warrantsFor(definition, digest) {
      const known = kept.get(digest)
      if (known !== undefined) return known
      const entries = Object.entries(executablesOf(definition)).map(([executableId, executable]) => [
        executableId,
        seal(warrantText({ digest, executableId: executableId as ExecutableId, executable })),
      ])
      const warrants = Object.fromEntries(entries) as Warrants
      if (kept.size >= MAX_KEPT) kept.clear()
      kept.set(digest, warrants)
      return warrants
    },
    secretFor(purpose) {
      const own = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')
      return new Uint8Array(hkdfSync('sha256', own, '', `sop-engine ${purpose}`, 32))
    },
    verifyWarrant: (given) => isSigned(given, publicKey),
  }
}

const readKey = (pem: string, where: string): KeyObject => {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new SopError(
      'invalid',
      `Cannot read the installation key in ${where}: it is no private key in PEM form. Restore it, or remove it to get a new one (open runs then refuse decisions)`,
      {},
      cause,
    )
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new SopError(
      'invalid',
      `Cannot use the installation key in ${where}: it is ${key.asymmetricKeyType ?? 'of an unknown kind'}, and Ed25519 is needed. Make one with: openssl genpkey -algorithm ed25519`,
    )
  return key
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? error)

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unusable('read', path, error)
  }
}

const unusable = (verb: string, path: string, cause: unknown): SopError =>
  new SopError(
    'unavailable',
    `Cannot ${verb} the installation key "${path}": ${codeOf(cause)}. Check that the data directory is yours`,
    {},
    cause,
  )

/** Puts a new key in place with its content in one step. Of several processes at once, one wins and all read its key. */
const createKeyFile = async (dataDir: string, path: string): Promise<void> => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const draft = `${path}.${randomUUID()}.tmp`
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(privateKey.export({ format: 'pem', type: 'pkcs8' }))
      await file.sync()
    } finally {
      await file.close()
    }
    await place(draft, path)
  } catch (error) {
    throw error instanceof SopError ? error : unusable('write', path, error)
  } finally {
    await rm(draft, { force: true })
  }
}

const place = async (draft: string, path: string): Promise<void> => {
  try {
    await link(draft, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error
    await placeWithoutLinks(draft, path)
  }
}

/** File systems without hard links: exclusive creation, then the content; readers wait until the content is there. */
const placeWithoutLinks = async (draft: string, path: string): Promise<void> => {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(await readFile(draft))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

const readWhole = async (path: string): Promise<string | undefined> => {
  for (let attempt = 0; ; attempt++) {
    const text = await readIfThere(path)
    if (text === undefined || text.includes('-----END') || attempt === 20) return text
    await delay(10)
  }
}

/**
 * The key of the installation: `installation.key` in the data directory, made at the first start with file mode 0600, or
 * the one that the options give (several hosts of one installation share a key that way).
 *
 * @throws SopError `invalid` when the key cannot be used, `unavailable` when the file cannot be read or written
 */
export const openInstallationKey = async (
  dataDir: string,
  { pem }: InstallationKeyOptions = {},
): Promise<InstallationKey> => {
  if (pem !== undefined && pem.trim() !== '')
    return fromKey(readKey(pem.replaceAll('\\n', '\n'), 'SOP_INSTALLATION_KEY'))
  const path = join(dataDir, 'installation.key')
  const found = await readWhole(path)
  if (found !== undefined) return fromKey(readKey(found, `"${path}"`))
  await createKeyFile(dataDir, path)
  return fromKey(readKey((await readWhole(path)) ?? '', `"${path}"`))
}

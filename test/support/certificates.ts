import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

// certificates.ts: an authority of a test file's own, and what it signs, made by the program openssl.

export interface Signed {
  readonly certFile: string
  readonly keyFile: string
}

export interface Certificates {
  readonly caFile: string
  /** An authority that signed none of these. */
  readonly otherCaFile: string
  /** For 127.0.0.1 and localhost. */
  readonly server: Signed
  readonly client: Signed
  remove(): Promise<void>
}

const run = promisify(execFile)
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Undefined where there is no openssl. */
export const makeCertificates = async (): Promise<Certificates | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), 'sop-test-tls-'))
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder })
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      ...KEY,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    )
  const signed = async (name: string, names: string): Promise<Signed> => {
    await writeFile(at(`${name}.ext`), `subjectAltName=${names}\n`)
    await openssl('req', ...KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    await openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`],
    )
    return { certFile: at(`${name}.pem`), keyFile: at(`${name}.key`) }
  }
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await openssl('version')
  } catch {
    await remove()
    return undefined
  }
  await authority('ca')
  await authority('other')
  const server = await signed('server', 'IP:127.0.0.1,DNS:localhost')
  const client = await signed('client', 'DNS:sop-engine')
  return { caFile: at('ca.pem'), otherCaFile: at('other.pem'), server, client, remove }
}

// tar.ts: the archive format of backups, so that any `tar` can read one. Written: ustar, and pax where a path is long.

/** One file of an archive. */
export interface TarFile {
  /** Relative, with `/`. */
  readonly path: string
  readonly size: number
  readonly mode: number
  readonly mtimeMs: number
}

const BLOCK = 512
const MOST_NAME_BYTES = 100
const MOST_OCTAL_SIZE = 0o77777777777

/** What stands before the bytes of a file. @throws RangeError for a file that the format cannot hold */
export const tarHeader = (file: TarFile): Buffer => {
  if (file.size > MOST_OCTAL_SIZE) throw new RangeError(`"${file.path}" has more than 8 GiB`)
  const isLong = Buffer.byteLength(file.path) > MOST_NAME_BYTES
  if (!isLong) return block({ ...file, type: '0' })
  const record = paxRecord('path', file.path)
  const pax = block({ path: 'pax', size: record.length, mode: 0o600, mtimeMs: file.mtimeMs, type: 'x' })
  return Buffer.concat([pax, record, tarPadding(record.length), block({ ...file, path: 'long', type: '0' })])
}

/** What stands behind the bytes of a file. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)

/** What ends an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK)

const block = ({ path, size, mode, mtimeMs, type }: TarFile & { readonly type: '0' | 'x' }): Buffer => {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, width: number): void =>
    void header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
  header.write(path, 0)
  octal(mode & 0o7777, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(Math.max(0, Math.floor(mtimeMs / 1000)), 136, 12)
  header.write('        ', 148, 'latin1')
  header.write(type, 156, 'latin1')
  header.write('ustar\u000000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

/** A record of pax counts its own length. */
const paxRecord = (key: string, value: string): Buffer => {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (String(length).length + Buffer.byteLength(rest) !== length)
    length = String(length).length + Buffer.byteLength(rest)
  return Buffer.from(`${length}${rest}`)
}

/** A file as it comes out of an archive: its bytes are read before the next one is asked for. */
export interface TarContent extends TarFile {
  readonly bytes: AsyncIterable<Buffer>
}

/** The files of an archive, in its order. @throws RangeError where it is none, or is cut off */
export async function* readTar(stream: AsyncIterable<Buffer>): AsyncGenerator<TarContent> {
  const reader = createReader(stream)
  let longPath: string | undefined
  for (;;) {
    const header = await reader.take(BLOCK)
    if (header.every((byte) => byte === 0)) return
    const file = readHeader(header)
    if (file.type === 'x') {
      longPath = readPaxPath(await reader.take(file.size)) ?? longPath
      await reader.take(tarPadding(file.size).length)
      continue
    }
    let left = file.size
    const bytes = async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const piece = await reader.some(left)
        left -= piece.length
        yield piece
      }
    }
    yield { ...file, path: longPath ?? file.path, bytes: bytes() }
    longPath = undefined
    while (left > 0) left -= (await reader.some(left)).length
    await reader.take(tarPadding(file.size).length)
  }
}

const readHeader = (header: Buffer): TarFile & { readonly type: string } => {
  const text = (at: number, width: number): string => header.toString('utf8', at, at + width).replace(/\0.*$/s, '')
  const number = (at: number, width: number): number => {
    const read = Number.parseInt(text(at, width).trim(), 8)
    if (!Number.isSafeInteger(read)) throw new RangeError('it is no archive')
    return read
  }
  const given = number(148, 8)
  const blank = Buffer.from(header)
  blank.write('        ', 148, 'latin1')
  if (blank.reduce((total, byte) => total + byte, 0) !== given) throw new RangeError('a header of it is damaged')
  const type = header.toString('latin1', 156, 157)
  return { path: text(0, 100), mode: number(100, 8), size: number(124, 12), mtimeMs: number(136, 12) * 1000, type }
}

const readPaxPath = (record: Buffer): string | undefined => /^\d+ path=(.*)\n$/s.exec(record.toString('utf8'))?.[1]

const createReader = (stream: AsyncIterable<Buffer>) => {
  const source = stream[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  const more = async (): Promise<void> => {
    const next = await source.next()
    if (next.done === true) throw new RangeError('it is cut off')
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value])
  }
  return {
    /** So many bytes. */
    take: async (count: number): Promise<Buffer> => {
      while (held.length < count) await more()
      const taken = held.subarray(0, count)
      held = held.subarray(count)
      return taken
    },
    /** At most so many bytes, at least one. */
    some: async (most: number): Promise<Buffer> => {
      if (held.length === 0) await more()
      const taken = held.subarray(0, most)
      held = held.subarray(taken.length)
      return taken
    },
  }
}

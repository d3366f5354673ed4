// size.ts: amounts of bytes as people write and read them.

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

/** Bytes of a text such as `512MiB`, `2 GB` or `1000000`; `undefined` for any other text. */
export const parseSize = (text: string): number | undefined => {
  const [, amount, unit = 'b'] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)?\s*$/i.exec(text) ?? []
  const factor = UNITS[unit.toLowerCase()]
  if (amount === undefined || factor === undefined) return undefined
  const bytes = Math.round(Number(amount) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** For reading: `17 bytes`, `1.5 KiB`, `2 GiB`. */
export const formatSize = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
  let amount = bytes / 1024
  let unit = 0
  const names = ['KiB', 'MiB', 'GiB', 'TiB'] as const
  while (amount >= 1024 && unit < names.length - 1) {
    amount /= 1024
    unit += 1
  }
  return `${Number(amount.toFixed(amount < 10 ? 1 : 0))} ${names[unit]}`
}

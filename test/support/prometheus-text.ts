// prometheus-text.ts: reads what Prometheus reads, as strictly as its documents put it, and objects to what its linter would.

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly PrometheusSample[]
}
export interface PrometheusSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y

/** The families of an exposition by name. @throws Error for whatever a scrape or the linter would object to */
export const parsePrometheus = (text: string): ReadonlyMap<string, Family> => {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, { name: string; type: string; help: string; samples: PrometheusSample[] }>()
  let current: { name: string; type: string; help: string; samples: PrometheusSample[] } | undefined
  const series = new Set<string>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? []
    if (what === 'HELP') {
      if (families.has(name)) throw new Error(`family ${name} stands twice`)
      if (rest === '') throw new Error(`family ${name} has no help`)
      current = { name, type: '', help: rest, samples: [] }
      families.set(name, current)
    } else if (what === 'TYPE') {
      if (current?.name !== name || current.type !== '') throw new Error(`TYPE of ${name} stands apart from its HELP`)
      if (!['counter', 'gauge', 'histogram', 'summary'].includes(rest)) throw new Error(`${name} is a ${rest}`)
      current.type = rest
    } else {
      const sample = parseSample(line)
      if (current === undefined || !belongs(current, sample.name)) throw new Error(`"${line}" is in no family`)
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`
      if (series.has(key)) throw new Error(`series stands twice: ${line}`)
      series.add(key)
      current.samples.push(sample)
    }
  }
  for (const family of families.values()) lint(family)
  return families
}

const parseSample = (line: string): PrometheusSample => {
  const [, name = '', inside, number = ''] = LINE.exec(line) ?? []
  if (name === '') throw new Error(`"${line}" is no sample`)
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (inside !== undefined && LABEL.lastIndex < inside.length) {
    const [, label = '', value = ''] = LABEL.exec(inside) ?? []
    if (label === '' || label in labels) throw new Error(`labels of "${line}" cannot be read`)
    labels[label] = value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
  }
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number)
  if (Number.isNaN(value)) throw new Error(`"${line}" has no value`)
  return { name, labels, value }
}

const belongs = ({ name, type }: Pick<Family, 'name' | 'type'>, sample: string): boolean =>
  sample === name || (type === 'histogram' && [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample))

const lint = (family: Family): void => {
  const { name, type, samples } = family
  const object = (why: string): never => {
    throw new Error(`${name}: ${why}`)
  }
  if (!NAME.test(name)) object('is no name')
  if (type === '') object('has no type')
  if ((type === 'counter') !== name.endsWith('_total')) object('counters, and only they, end in _total')
  if (/_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)/.test(name)) object('has no base unit')
  if (type === 'counter' && samples.some(({ value }) => value < 0)) object('a counter is negative')
  if (type === 'histogram') for (const [key, of] of bySeries(samples)) lintHistogram(`${name}${key}`, name, of)
}

const bySeries = (samples: readonly PrometheusSample[]): ReadonlyMap<string, readonly PrometheusSample[]> => {
  const found = new Map<string, PrometheusSample[]>()
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    found.set(key, [...(found.get(key) ?? []), sample])
  }
  return found
}

const lintHistogram = (what: string, name: string, samples: readonly PrometheusSample[]): void => {
  const one = (suffix: string): number => {
    const found = samples.filter((sample) => sample.name === `${name}_${suffix}`)
    if (found.length !== 1) throw new Error(`${what} has ${found.length} of ${suffix}`)
    return found[0]?.value ?? Number.NaN
  }
  const buckets = samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map(({ labels, value }) => ({
      end: labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']),
      value,
    }))
  if (buckets.at(-1)?.end !== Number.POSITIVE_INFINITY) throw new Error(`${what} does not end at +Inf`)
  for (const [at, { end, value }] of buckets.entries()) {
    const before = buckets[at - 1]
    if (before !== undefined && (before.end >= end || before.value > value)) throw new Error(`${what} does not add up`)
  }
  if (buckets.at(-1)?.value !== one('count')) throw new Error(`${what}: count is not that of +Inf`)
  if (!(one('sum') >= 0)) throw new Error(`${what} has no sum`)
}

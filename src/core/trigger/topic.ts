// topic.ts: which MQTT topics and AMQP routing keys a trigger means, by the rules of the two protocols.

/** Why a text is no topic filter of MQTT; undefined when it is one. */
export const topicFilterProblem = (filter: string): string | undefined => {
  if (filter.length > 65_535 || filter.includes('\0')) return 'it is too long or has a NUL'
  if (filter.startsWith('$share/')) return 'a shared subscription is not needed: one process subscribes for all'
  const levels = filter.split('/')
  if (levels.some((level) => level !== '+' && level.includes('+'))) return '"+" stands for a whole level, as in a/+/b'
  const hash = levels.findIndex((level) => level.includes('#'))
  if (hash !== -1 && (levels[hash] !== '#' || hash !== levels.length - 1))
    return '"#" stands for all further levels, and only at the end, as in a/#'
  return undefined
}

/**
 * Whether the filter means the topic: `+` one level, `#` at the end the level before it and all below. Topics that begin
 * with `$` are only meant by filters that write that level (MQTT 5, 4.7.2).
 */
export const matchesTopic = (filter: string, topic: string): boolean => {
  const levels = topic.split('/')
  const wanted = filter.split('/')
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false
  for (const [at, level] of wanted.entries()) {
    if (level === '#') return true
    const here = levels[at]
    if (here === undefined || (level !== '+' && level !== here)) return false
  }
  return levels.length === wanted.length
}

/** Why a text binds no queue; undefined when it does. */
export const routingKeyProblem = (pattern: string): string | undefined => {
  if (new TextEncoder().encode(pattern).length > 255) return 'a routing key has at most 255 bytes'
  const words = pattern.split('.')
  if (words.some((word) => word.length > 1 && /[*#]/.test(word)))
    return '"*" and "#" stand for whole words, as in a.*.b'
  return undefined
}

/** Whether the pattern means the routing key of a topic exchange: `*` one word, `#` any number of words, none included. */
export const matchesRoutingKey = (pattern: string, key: string): boolean => {
  const [wanted, words] = [pattern.split('.'), key.split('.')]
  // Places in the pattern that the words so far lead to.
  let places = new Set([0])
  const settle = (): void => {
    for (const at of places) if (wanted[at] === '#') places.add(at + 1)
  }
  settle()
  for (const word of words) {
    const next = new Set<number>()
    for (const at of places) {
      const here = wanted[at]
      if (here === '#') next.add(at)
      else if (here === '*' || here === word) next.add(at + 1)
    }
    places = next
    settle()
  }
  return places.has(wanted.length)
}

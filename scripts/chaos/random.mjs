// random.mjs: chance that can be repeated: the same seed gives the same choices in the same order.

/** @param {number | string} seed */
export const createRandom = (seed) => {
  let state = hash(String(seed))
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    /** A whole number, both ends included. @param {number} from @param {number} to */
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    /** @param {number} share from 0 to 1 */
    chance: (share) => next() < share,
    /** @template T @param {readonly T[]} list @returns {T} */
    pick: (list) => /** @type {T} */ (list[Math.floor(next() * list.length)]),
    /** A key, each as often as its number says. @template {string} K @param {Readonly<Record<K, number>>} weights @returns {K} */
    weighted: (weights) => {
      const entries = /** @type {[K, number][]} */ (Object.entries(weights))
      let at = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [key, weight] of entries) {
        at -= weight
        if (at < 0) return key
      }
      return /** @type {[K, number]} */ (entries.at(-1))[0]
    },
  }
}

/** FNV-1a. @param {string} text */
const hash = (text) => {
  let value = 0x811c9dc5
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return value | 0
}

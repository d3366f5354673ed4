const LONGEST = 64

/**
 * The candidate that a misspelt word most likely means: at most one letter in three differs (two swapped neighbours count
 * as one). Undefined when none is that near.
 */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  const wanted = word.toLowerCase()
  if (wanted.length < 3 || wanted.length > LONGEST) return undefined
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of candidates) {
    if (Math.abs(name.length - wanted.length) > limit) continue
    const distance = distanceOf(wanted, name.toLowerCase())
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance }
  }
  return best?.name
}

/** `Did you mean "x"?` for the nearest candidate, or undefined. */
export const didYouMean = (word: string, candidates: Iterable<string>): string | undefined => {
  const name = nearest(word, candidates)
  return name === undefined ? undefined : `Did you mean "${name}"?`
}

/** Edits between two words, where swapping two neighbours is one edit (optimal string alignment). */
const distanceOf = (a: string, b: string): number => {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      next.push(least)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}

import type { PinnedSop } from '../core/run/run.ts'

// keep-sources.ts: with a definition its text is kept, so that people can see later what they ran, and what changed since.

interface Keeps {
  keepDefinition(pinned: PinnedSop): Promise<void>
  keepSource(digest: string, source: Readonly<Record<string, string>>): Promise<void>
}

/** A text is kept again after so long: a definition that nothing ran by is removed with its text. */
const AGAIN_MS = 3_600_000

/**
 * The store, which keeps the text of every definition that it is given, where `sourceOf` has it. That a text cannot be
 * kept stands in nobody's way.
 */
export const keepSources = <Store extends Keeps>(
  store: Store,
  sourceOf: (digest: string) => Readonly<Record<string, string>> | undefined,
  warn: (message: string, details: Readonly<Record<string, unknown>>) => void,
  now: () => number = Date.now,
): Store => {
  const keptAt = new Map<string, number>()
  const keepSource = async (digest: string): Promise<void> => {
    const isKept = (keptAt.get(digest) ?? Number.NEGATIVE_INFINITY) > now() - AGAIN_MS
    const source = isKept ? undefined : sourceOf(digest)
    if (source === undefined) return
    try {
      await store.keepSource(digest, source)
      keptAt.set(digest, now())
    } catch (error) {
      warn('the text of an SOP could not be kept', { digest, error })
    }
  }
  return {
    ...store,
    keepDefinition: async (pinned: PinnedSop) => {
      await store.keepDefinition(pinned)
      await keepSource(pinned.digest)
    },
  }
}

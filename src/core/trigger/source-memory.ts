import type { Json } from '../definition.ts'

/** Small things that sources of triggers remember over restarts. Names are their own: letters, digits and `-`. */
export interface SourceMemory {
  /** Undefined where nothing was remembered, or where it cannot be read any more. */
  get(name: string): Promise<Json | undefined>
  /** Fulfilled when it is kept. */
  put(name: string, value: Json): Promise<void>
}

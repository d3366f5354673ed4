import { z } from 'zod'
import type { Json } from '../../core/definition.ts'

/** The schemas that the OpenAPI document names; each registers itself where it is defined. */
export const components = z.registry<{ readonly id: string; readonly description?: string }>()

/** A list whose type says that it is only read, as the contracts' lists are. */
export const list = <S extends z.ZodType>(item: S): z.ZodType<readonly z.output<S>[]> => z.array(item)

/** Any JSON value. Bodies are parsed JSON already, so there is nothing left to check. */
export const json = z
  .unknown()
  .register(components, { id: 'Json', description: 'Any JSON value' }) as z.ZodType<unknown> as z.ZodType<Json>

export const jsonRecord: z.ZodType<Readonly<Record<string, Json>>> = z.record(z.string(), json)

/** An instant, ISO-8601 UTC. */
export const instant = z.string().describe('ISO-8601, UTC')

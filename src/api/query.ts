import { z } from 'zod'

/** A whole number as a query writes it: digits only, within bounds. */
export const whole = (min: number, max: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,16}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max))

/** `true`, `1` or the bare key; `false` or `0`. */
export const flag: z.ZodType<boolean> = z
  .enum(['', 'true', '1', 'false', '0'])
  .transform((text) => text !== 'false' && text !== '0')
  .pipe(z.boolean())

import { z } from 'zod'
import { principal } from './principal.ts'
import { components, instant } from './registry.ts'

export interface SignIn {
  readonly token?: string
  readonly code?: string
}

export const signIn: z.ZodType<SignIn> = z
  .strictObject({
    token: z.string().min(1).max(512).exactOptional().describe('A token, as a person pastes it'),
    code: z.string().min(1).max(512).exactOptional().describe('The code of a one-time link'),
  })
  .register(components, { id: 'SignIn', description: 'One of both' })

export const session = z
  .object({
    principal,
    expiresAt: instant.exactOptional().describe('When the session of this browser ends; absent for a bearer token'),
    version: z.string().describe('Of the engine'),
    temporalUiUrl: z.string().exactOptional(),
  })
  .register(components, { id: 'Session', description: 'Who you are' })

export const sessionLink = z
  .object({ url: z.string(), code: z.string(), expiresAt: instant })
  .register(components, { id: 'SessionLink', description: 'Signs one browser in, once' })

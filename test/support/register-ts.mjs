// `node --import ./test/support/register-ts.mjs file.ts` runs TypeScript from source on every Node that we support:
// for tests that need a process of its own without a build.
import { register } from 'node:module'

register('./ts-hooks.mjs', import.meta.url)

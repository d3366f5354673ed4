// hooks.mjs: puts faults.mjs around what the build exports. `?real` is the module as it was built.

/** What is wrapped: the module's end of path, the export, and the function of faults.mjs that goes around it. */
const WRAPPED = [
  { path: '/dist/activities/index.js', name: 'createActivities', by: 'aroundActivities' },
  { path: '/dist/client/send-decision.js', name: 'sendDecision', by: 'aroundDecisions' },
]

const FAULTS = new URL('./faults.mjs', import.meta.url).href

/** @type {import('node:module').LoadHook} */
export const load = async (url, context, nextLoad) => {
  const wrapped = WRAPPED.find(({ path }) => url.endsWith(path))
  if (wrapped === undefined) return nextLoad(url, context)
  const { name, by } = wrapped
  return {
    format: 'module',
    shortCircuit: true,
    source: `export * from '${url}?real'
import { ${name} as real } from '${url}?real'
import { ${by} } from '${FAULTS}'
export const ${name} = ${by}(real)`,
  }
}

// bench.mjs [SECTION…] [--quick]: measures. Without a name the sections of the README; each other one by its name.

import { closeAll } from './rig.mjs'
import { cli, steps } from './steps.mjs'

/** @type {Record<string, () => Promise<void>>} */
const SECTIONS = {
  steps,
  cli,
  parked: async () => (await import('./parked.mjs')).parked(),
  recovery: async () => (await import('./recovery.mjs')).recovery(),
  logs: async () => (await import('./logs.mjs')).logs(),
  wide: async () => (await import('./wide.mjs')).wide(),
  triggers: async () => (await import('./triggers.mjs')).triggers(),
  admission: async () => (await import('./admission.mjs')).admission(),
  long: async () => (await import('./long.mjs')).long(),
  page: async () => (await import('./page.mjs')).page(),
  schedules: async () => (await import('./schedules.mjs')).schedules(),
  'page-log': async () => (await import('./page-log.mjs')).pageLog(),
}
const DEFAULT = ['steps', 'cli']

const named = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const unknown = named.filter((name) => !(name in SECTIONS))
if (unknown.length > 0) {
  console.error(`Cannot measure "${unknown.join('", "')}": the sections are ${Object.keys(SECTIONS).join(', ')}`)
  process.exit(2)
}
try {
  for (const name of named.length > 0 ? named : DEFAULT) await SECTIONS[name]()
} finally {
  await closeAll()
}
process.exit(0)

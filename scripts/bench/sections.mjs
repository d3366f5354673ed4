// sections.mjs: what `npm run bench` can measure, by name. Each is read when it is measured.

/** @type {Record<string, () => Promise<void>>} */
export const SECTIONS = {
  steps: async () => (await import('./steps.mjs')).steps(),
  cli: async () => (await import('./steps.mjs')).cli(),
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

const USAGE = `Usage: npm run bench -- [SECTION…] [--quick]
Measures, ${DEFAULT.join(' and ')} unless named. Sections: ${Object.keys(SECTIONS).join(', ')}
--quick  fewer rounds`

/**
 * The sections that the arguments name. Ends the process where they ask for help, or cannot be read: before anything is
 * built or started.
 *
 * @param {readonly string[]} args
 */
export const sectionsOf = (args) => {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE)
    process.exit(0)
  }
  const unknown = args.filter((word) => word !== '--quick' && !Object.hasOwn(SECTIONS, word))
  if (unknown.length > 0) {
    console.error(`Cannot measure "${unknown.join('", "')}"\n${USAGE}`)
    process.exit(2)
  }
  const named = args.filter((word) => word !== '--quick')
  return named.length > 0 ? named : DEFAULT
}

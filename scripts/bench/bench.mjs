// bench.mjs [SECTION…] [--quick]: measures. Without a name the sections of the README; each other one by its name.

import { closeAll } from './rig.mjs'
import { SECTIONS, sectionsOf } from './sections.mjs'

try {
  for (const name of sectionsOf(process.argv.slice(2))) await SECTIONS[name]()
} finally {
  await closeAll()
}
process.exit(0)

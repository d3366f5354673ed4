// node-version.mjs: runs first and on any Node, so it uses nothing that an old one lacks.

/** What `engines` in package.json says. */
export const SUPPORTED = 'Node 20.19 or later (22.12 or later of the 22 series)'

/** Whether a version such as `20.19.0` is one that the engine runs on. @param {string} version */
export function isSupported(version) {
  const parts = version.split('.').map(Number)
  const [major = 0, minor = 0] = parts
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22
}

/** Ends the process with a sentence when this Node is not supported. */
export function checkNode() {
  const version = process.versions.node
  if (isSupported(version)) return
  console.error(`Cannot run on Node ${version}: SOP Engine needs ${SUPPORTED}.`)
  console.error(
    'Install a newer one from https://nodejs.org or with your version manager (`nvm install`, `fnm use`), then run this again.',
  )
  process.exit(1)
}

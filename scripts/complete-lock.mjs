// complete-lock.mjs: adds to package-lock.json the optional packages of other platforms that npm left out, as it does
// where a mirror has only the packages of one platform. Without them `npm ci` refuses the lock file everywhere. They carry
// no integrity: npm takes it from the registry when such a platform installs them. Run it after `npm install`.

import { readFileSync, writeFileSync } from 'node:fs'

const path = process.argv[2] ?? 'package-lock.json'
const lock = JSON.parse(readFileSync(path, 'utf8'))

const SYSTEMS = ['android', 'darwin', 'linux', 'win32', 'freebsd', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'aix']
const CPUS = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32']

/** Platform of a package by its name, as all of these packages have it. @param {string} name */
function platformOf(name) {
  const words = name.split('/').at(-1)?.split('-') ?? []
  const os = SYSTEMS.find((system) => words.includes(system)) ?? (name === 'fsevents' ? 'darwin' : undefined)
  const cpu = CPUS.find((each) => words.includes(each))
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.includes('gnu') ? 'glibc' : undefined
  return { ...(cpu && { cpu: [cpu] }), ...(os && { os: [os] }), ...(libc && os === 'linux' && { libc: [libc] }) }
}

let added = 0
for (const [parent, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const places = [`${parent}/node_modules/${name}`, `node_modules/${name}`]
    const platform = platformOf(name)
    if (places.some((place) => lock.packages[place]) || Object.keys(platform).length === 0) continue
    lock.packages[`node_modules/${name}`] = {
      version: String(version).replace(/^[^\d]*/, ''),
      ...(entry.dev && { dev: true }),
      optional: true,
      ...platform,
    }
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} added`)

// import-rules.mjs: who may import what. Arrows point down only; docs/architecture.md shows the same table.

/**
 * @typedef {object} Rule
 * @property {readonly string[]} [paths] files of src that may be imported: a folder (`core/`), or a file (`client/client.ts`)
 * @property {readonly string[]} [notPaths] files of `paths` that may not
 * @property {readonly string[]} [typePaths] files that may be named in `import type` besides
 * @property {readonly (string | RegExp)[]} [packages] packages; `*` is any but Temporal's
 * @property {readonly (string | RegExp)[]} [typePackages] packages that may be named in `import type` besides
 * @property {boolean} [node] whether node:* is allowed
 */

/** One rule for each folder of src. A folder without a rule may not exist. @type {Readonly<Record<string, Rule>>} */
export const RULES = {
  core: {
    paths: ['core/'],
    packages: [
      'smol-toml',
      'yaml',
      'jsonc-parser',
      'markdown-it',
      '@marcbachmann/cel-js',
      're2js',
      '@noble/hashes',
      '@noble/ed25519',
    ],
  },
  workflows: {
    paths: ['core/', 'workflows/'],
    notPaths: ['core/dialect/', 'core/compile.ts', 'core/compile/'],
    typePaths: ['activities/'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  activities: {
    paths: ['core/', 'activities/'],
    packages: ['@temporalio/activity', '@temporalio/common'],
    node: true,
  },
  adapters: { paths: ['core/', 'activities/deps.ts', 'adapters/shared/'], packages: ['*'], node: true },
  client: {
    paths: ['core/', 'client/', 'workflows/messages.ts', 'config/client-config.ts'],
    typePaths: ['workflows/'],
    packages: ['@temporalio/client', '@temporalio/common', 'ulid'],
    node: true,
  },
  triggers: {
    paths: ['core/', 'triggers/', 'client/client.ts'],
    typePaths: ['client/', 'activities/deps.ts', 'engine/catalog-watch.ts', 'config.ts', 'log.ts'],
    packages: ['*'],
    node: true,
  },
  api: { paths: ['core/', 'api/', 'client/client.ts'], typePaths: ['client/'], packages: ['*'], node: true },
  cli: { paths: ['core/', 'cli/', 'client/client.ts'], typePaths: ['client/'], packages: ['*'], node: true },
  mcp: { paths: ['core/', 'mcp/', 'client/client.ts'], typePaths: ['client/'], packages: ['*'], node: true },
  worker: {
    paths: ['core/', 'worker/', 'activities/', 'adapters/', 'config.ts', 'config/', 'log.ts'],
    packages: ['@temporalio/worker', '@temporalio/common'],
    node: true,
  },
  web: { paths: ['web/'], typePaths: ['core/', 'client/client.ts'], packages: ['*'] },
  engine: { paths: [''], packages: ['*', /^@temporalio\//], node: true },
  config: { paths: ['core/', 'config.ts', 'config/'], packages: ['zod', 'smol-toml'], node: true },
  log: { paths: ['core/'] },
}

/** The files of a face that wire the rest, and so may import everything: `main.ts`, and `wire.ts` where a main loads late what few commands need. */
export const MAINS = /^(api|cli|mcp|worker)\/(main|wire)\.ts$/

/** A rule in words, for messages. @param {Rule} rule */
export function describeRule(rule) {
  const parts = [
    ...(rule.paths ?? []).map((path) => (path === '' ? 'everything' : `src/${path}`)),
    ...(rule.typePaths ?? []).map((path) => `import type of src/${path}`),
  ]
  const packages = (rule.packages ?? []).map((name) =>
    name === '*' ? "any package but Temporal's" : typeof name === 'string' ? name : name.source,
  )
  return [...parts, ...packages, ...(rule.node === true ? ['node:*'] : [])].join(', ')
}

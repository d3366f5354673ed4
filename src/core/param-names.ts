import type { Json } from './definition.ts'

// param-names.ts: what a param may be called, and the environment variables that it becomes in a step.

/** Names that steer a shell, a loader or an interpreter, or that the engine sets itself. Upper case as written. */
const RESERVED: readonly string[] = [
  ...['PATH', 'HOME', 'USER', 'SHELL', 'LANG', 'TZ', 'TMPDIR', 'PWD', 'OLDPWD'],
  ...[
    'BASHOPTS',
    'SHELLOPTS',
    'ENV',
    'IFS',
    'PS0',
    'PS1',
    'PS2',
    'PS3',
    'PS4',
    'PROMPT_COMMAND',
    'CDPATH',
    'GLOBIGNORE',
    'EXECIGNORE',
  ],
  ...[
    'POSIXLY_CORRECT',
    'UID',
    'EUID',
    'PPID',
    'GROUPS',
    'FUNCNAME',
    'DIRSTACK',
    'LINENO',
    'RANDOM',
    'SECONDS',
    'ZDOTDIR',
    'FPATH',
  ],
  ...[
    'PERL5LIB',
    'PERL5OPT',
    'PERL5DB',
    'PERLLIB',
    'RUBYOPT',
    'RUBYLIB',
    'PSModulePath',
    'JAVA_TOOL_OPTIONS',
    '_JAVA_OPTIONS',
    'JDK_JAVA_OPTIONS',
  ],
  ...[
    'SSH_ASKPASS',
    'EDITOR',
    'VISUAL',
    'PAGER',
    'LESSOPEN',
    'LESSCLOSE',
    'MANPAGER',
    'GCONV_PATH',
    'HOSTALIASES',
    'LOCPATH',
    'NLSPATH',
    '_',
  ],
  ...['__proto__', 'constructor', 'prototype'],
]
const RESERVED_PREFIXES = [
  'LD_',
  'DYLD_',
  'LC_',
  'BASH_',
  'NODE_',
  'PYTHON',
  'GIT_',
  'MALLOC_',
  'SOP_',
  'npm_config_',
  'NPM_CONFIG_',
]

/** Whether a variable of that name would steer the step's own machinery, so that no param may have it. */
export const isReservedName = (name: string): boolean =>
  RESERVED.includes(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))

/** The name of the environment variable of a param; undefined where it can have none (`1`, `a.b`). */
export const variableOf = (name: string): string | undefined => {
  const variable = name.replaceAll('-', '_')
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(variable) ? variable : undefined
}

/**
 * Why a param cannot have that name, as a reason; undefined when it can. `1`, `2`… are the names of capture groups.
 */
export const paramNameProblem = (name: string): string | undefined => {
  if (name.length > 100) return 'a name has at most 100 characters'
  if (!/^(?:[A-Za-z_][A-Za-z0-9_-]*|\d{1,3})$/.test(name))
    return 'a name has letters, digits, "_" and "-", and begins with a letter or "_"'
  if (isReservedName(name.replaceAll('-', '_'))) return 'this name is reserved, since it steers the shell or the engine'
  return undefined
}

/** What stays of a name in a variable: `a-b` and `a_b`, or `Version` and `VERSION`, would be one (`$SOP_PARAM_VERSION`). */
export const foldName = (name: string): string => name.replaceAll('-', '_').toUpperCase()

/** The other name that would be the same variable, if one is taken. */
export const clashOf = (name: string, taken: readonly string[]): string | undefined =>
  taken.find((each) => each !== name && foldName(each) === foldName(name))

const asText = (value: Json): string =>
  typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)

/**
 * The environment variables of params: `version` gives `version` and `SOP_PARAM_VERSION`, `dry-run` gives `dry_run` and
 * `SOP_PARAM_DRY_RUN`; objects and lists as JSON. A reserved name gives none of the first kind.
 */
export const environmentOf = (params: Readonly<Record<string, Json>>): Record<string, string> => {
  const environment: [string, string][] = []
  for (const [name, value] of Object.entries(params)) {
    const variable = variableOf(name)
    const suffix = name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()
    environment.push([`SOP_PARAM_${suffix}`, asText(value)])
    if (variable !== undefined && !isReservedName(variable)) environment.push([variable, asText(value)])
  }
  return Object.fromEntries(environment)
}

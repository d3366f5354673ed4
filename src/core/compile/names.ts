import type { Place } from '../diagnostic.ts'
import type { Report } from '../dialect/report.ts'
import type { LocatedText } from '../dialect/values.ts'
import { isReservedName, paramNameProblem } from '../param-names.ts'

// names.ts: the names that a document may give to params, variables, secrets and outputs.

// Reserved for params, which anybody may give; an author may set these for a command.
const AUTHORS_MAY =
  /^(?:TZ|LANG|LC_\w+|HOME|TMPDIR|EDITOR|PAGER|NODE_ENV|NODE_AUTH_TOKEN|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE|PYTHONIOENCODING|GIT_(?:AUTHOR|COMMITTER|TERMINAL|TOKEN|USER|PASSWORD|BRANCH)\w*)$/

/** Reports a name that no variable of a command may have. */
export const checkVariableName = ({ text, place }: LocatedText, what: string, report: Report): boolean => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) {
    report.add(
      'bad-value',
      place,
      `Cannot use "${text.slice(0, 60)}" as the name of ${what}: a name has letters, digits and "_", and begins with a letter or "_"`,
    )
    return false
  }
  if (!isReservedName(text) || AUTHORS_MAY.test(text)) return true
  report.add(
    'reserved-name',
    place,
    `Cannot use "${text}" as the name of ${what}: it steers the shell or the engine`,
    'Choose another name',
  )
  return false
}

/** Reports a name that no param, field or output may have. */
export const checkParamName = (name: string, place: Place, what: string, report: Report): boolean => {
  const problem = paramNameProblem(name)
  if (problem === undefined) return true
  const isReserved = isReservedName(name.replaceAll('-', '_'))
  report.add(
    isReserved ? 'reserved-name' : 'bad-value',
    place,
    `Cannot use "${name.slice(0, 60)}" as the name of ${what}: ${problem}`,
  )
  return false
}

/** Lower case with `_` between words; letters of every alphabet stay. */
export const slugOf = (title: string): string =>
  title
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 80)
    .replace(/_+$/, '')

import type { Severity } from '../diagnostic.ts'

const error = (doc: string): Rule => ({ severity: 'error', doc })
const warning = (doc: string): Rule => ({ severity: 'warning', doc })
const hint = (doc: string): Rule => ({ severity: 'hint', doc })

interface Rule {
  readonly severity: Severity
  /** One line for docs/sop-format.md. */
  readonly doc: string
}

/** Every rule of the compiler by its stable name. */
export const CODES = {
  'too-large': error(
    'A file is larger than 1 MiB, front matter larger than 32 KiB, the definition larger than 1 MiB of JSON, or there are too many blocks',
  ),
  'not-utf8': error('A file is not UTF-8'),
  'empty-file': error('A file holds nothing'),
  'too-deep': error('Lists, quotes or values are nested deeper than 100 levels'),
  'too-many-steps': error('An SOP has more than 1,000 steps'),
  'too-many-items': error('A list has more items than anybody can mean'),
  'too-many-findings': error('There are more findings than are listed'),
  'toml-syntax': error('A manifest is not TOML'),
  'toml-table-and-list': error(
    'An empty table such as `[triggers]` stands before a list `[[triggers]]` of the same name',
  ),
  'json-syntax': error('A manifest is not JSON'),
  'yaml-syntax': error('Front matter is not YAML'),
  'duplicate-key': error('A key stands twice in its table'),
  'unclosed-front-matter': error('Front matter begins with `---` and never ends'),
  'unclosed-fence': error('A fence that would be run is never closed, so all that follows would be run as well'),
  'unclosed-text-fence': warning('A fence is never closed, so all that follows is text'),
  'unclosed-comment': warning('An HTML comment is never closed, so all that follows is hidden'),
  'no-steps': error('A document has no steps'),
  'no-steps-yet': warning('A manifest stands alone and has no steps: it is listed and cannot start'),
  'two-manifests': warning('SOP.toml and manifest.json stand side by side; only SOP.toml is read'),
  'wrong-type': error('A setting has a value of another type than it takes'),
  'bad-value': error('A setting does not know its value'),
  'missing-setting': error('Something lacks a setting that it cannot do without'),
  'unknown-key': warning('A key is not known'),
  'unknown-word': warning('A word behind the language of a fence is not known'),
  'misspelt-fence-word': error(
    'A word behind the language of a fence looks like `rollback` or `verify` and is neither',
  ),
  'duplicate-setting': warning('A setting stands twice with different values'),
  contradiction: warning('Manifest and Markdown say different things'),
  'ignored-setting': warning('A setting has no effect where it stands'),
  'bad-name': error('The name of the SOP is not one that a file and a URL can bear'),
  'empty-title': error('A step has no title'),
  'name-differs': hint('File or folder bear another name than the SOP'),
  'odd-version': warning('The version is not a semantic version'),
  numbering: warning('The numbers of the steps do not go up, or steps are counted by position'),
  gap: warning('Numbers of steps are missing'),
  'duplicate-number': error('A manifest describes one step twice'),
  'duplicate-name': error('Two params, gates or fields have one name'),
  'reserved-name': error('A param, secret, output or variable has a name that the engine or the shell needs'),
  'unknown-step': error('A setting names a step that does not exist'),
  cycle: error('Steps need each other in a circle'),
  'stray-jump': error('A failed step goes on at a step of another branch'),
  'sop-cycle': error('SOPs run each other in a circle'),
  'unknown-sop': error('A step runs an SOP that does not exist'),
  'trigger-cycle': error('SOPs start each other by their ends, in a circle'),
  'unknown-trigger-sop': warning('A trigger waits for the end of an SOP that does not exist'),
  'two-actions': error('A step would do two things at once'),
  'template-in-command': error('A command holds `{{x}}`; values reach commands as variables'),
  'undeclared-variable': warning('A command reads an UPPER_CASE variable that nothing declares'),
  'hidden-character': warning('A command holds characters that cannot be seen, or a blank that is none to a shell'),
  'bad-condition': error('A condition cannot be read'),
  'odd-condition': warning('A condition can be read and looks like a mistake'),
  'nothing-sets': warning('A condition reads a name that nothing sets'),
  'bad-expression': error('A param of a trigger, or its idempotency key, cannot be worked out of anything'),
  'trigger-params': warning('A trigger gives params that its runs cannot take, or lacks one that they need'),
  'bad-pattern': error('A regular expression is not one that RE2 runs'),
  'bad-cron': error('A cron expression cannot be read'),
  'cron-without-zone': warning('A cron of dialect Z has no timezone: it fires in UTC'),
  'reserved-path': error('A webhook path belongs to the engine'),
  'bad-glob': error('The pattern of a file_watch cannot be read, or means too much'),
  'bad-topic': error('An MQTT topic or an AMQP routing key is none'),
  'plain-secret': warning('A webhook holds its secret itself instead of the name of a declared one'),
  unserved: warning('A trigger has a type that this engine cannot serve'),
  'zeroclaw-hint': hint('A ZeroClaw setting is shown and changes nothing here'),
  'zeroclaw-refused': warning('A ZeroClaw setting keeps the SOP from starting here'),
  'unread-steps': warning('Steps, or what looks like steps, are not read because others are'),
  'stray-commands': warning('Commands stand among the steps and belong to none'),
} as const satisfies Readonly<Record<string, Rule>>

export type DiagnosticCode = keyof typeof CODES

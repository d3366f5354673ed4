// odd-input.ts: the shape of a row, and the forms that most rows have.

export type Files = Readonly<Record<string, string>>

/**
 * Name, files, and the findings in order: `severity code file:line:column beginning of the message`, and behind ` => ` the
 * way out where it names what was meant. `reading` is what the definition says of it, where there is one.
 */
export type OddInput = readonly [name: string, files: Files, findings: readonly string[], reading?: object]

/** Dialect A with these lines below "Steps"; they begin in line 3. */
export const list = (...lines: readonly string[]): Files => ({
  'x/SOP.toml': '[sop]\nname = "x"\n',
  'x/SOP.md': `## Steps\n\n${lines.join('\n')}\n`,
})

/** One step with this behind its title. */
export const step = (settings: string, ...lines: readonly string[]): Files => list(`1. **Do it** ${settings}`, ...lines)

/** One step with these commands; they begin in line 5. */
export const commands = (...lines: readonly string[]): Files =>
  list('1. **Do it**', '   ```bash', ...lines.map((line) => `   ${line}`), '   ```')

/** A single Markdown file. */
export const single = (...lines: readonly string[]): Files => ({ 'x.md': lines.join('\n') })

/** A single Markdown file with front matter, which begins in line 2. */
export const frontMatter = (yaml: string, ...lines: readonly string[]): Files => ({
  'x.md': `---\n${yaml}\n---\n\n${lines.join('\n')}\n`,
})

/** A manifest beside one step. */
export const toml = (...lines: readonly string[]): Files => ({
  'x/SOP.toml': `${lines.join('\n')}\n`,
  'x/SOP.md': '## Step 1: Do it\n',
})

/** Lines of `[sop]`, which begin in line 2, beside one step. */
export const settings = (...lines: readonly string[]): Files => toml('[sop]', ...lines)

/** A manifest.json, as text or as a value. */
export const manifest = (value: unknown, markdown?: string): Files => ({
  'x/manifest.json': typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`,
  ...(markdown === undefined ? {} : { 'x/SOP.md': markdown }),
})

import { createHash } from 'node:crypto'

/** Text that is already HTML. */
export interface Html {
  readonly html: string
}

/** HTML with every inserted value escaped; lists are joined, and `Html` goes in as it is. */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return { html: parts.reduce((text, part, at) => text + render(values[at - 1]) + part) }
}

function render(value: unknown): string {
  if (value === undefined || value === null || value === false) return ''
  if (Array.isArray(value)) return value.map(render).join('')
  if (typeof value === 'object' && 'html' in value) return (value as Html).html
  return (typeof value === 'string' ? value : JSON.stringify(value)).replace(
    /[&<>"']/g,
    (char) => `&#${char.charCodeAt(0)};`,
  )
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code, pre { font: 0.875em/1.5 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: 0.1em 0.3em; } pre { padding: 0.75rem; overflow-x: auto; } pre code { background: none; padding: 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.5rem; border-top: 1px solid var(--line); }
details { margin: 0.5rem 0; } .method { font-weight: 700; text-transform: uppercase; }
`

/** A whole page without script; its one style is named to the browser by hash. */
export function page(title: string, body: Html): string {
  return `<!doctype html>\n${
    html`<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${{ html: STYLE }}</style></head>
<body>${body}</body></html>`.html
  }\n`
}

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** What a page of ours may load: its own style, and nothing else. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

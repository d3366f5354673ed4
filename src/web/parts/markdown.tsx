import ReactMarkdown, { type Components } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { visible } from './visible.ts'

const SAFE = /^(https?:|mailto:)/i

const components: Components = {
  a: ({ href, children }) =>
    href !== undefined && SAFE.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  // No foreign host at run time: an image is its words.
  img: ({ alt }) => <span className="muted">[{alt === undefined || alt === '' ? 'image' : alt}]</span>,
  // A box that nobody can tick here is a mark.
  input: ({ checked }) => (
    <span aria-label={checked === true ? 'done:' : 'to do:'} role="img">
      {checked === true ? '☑' : '☐'}{' '}
    </span>
  ),
  // Wide code scrolls, by keyboard too.
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children }) => (
    <div className="scroll-x" tabIndex={0} role="group" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
}

/** Below a heading of the screen its own headings are a rank lower. */
const belowComponents: Components = { ...components, h1: 'h2', h2: 'h3', h3: 'h4', h4: 'h5', h5: 'h6' }

interface MarkdownProps {
  readonly text: string
  /** It stands below the heading of its screen. */
  readonly below?: boolean
}

/** Markdown that somebody wrote: no HTML of it becomes markup, links lead to http(s) and mail only, images stay words. */
export function Markdown({ text, below = false }: MarkdownProps) {
  return (
    <div className="markdown">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        components={below ? belowComponents : components}
        urlTransform={(url) => (SAFE.test(url) ? url : '')}
      >
        {visible(text, 200_000)}
      </ReactMarkdown>
    </div>
  )
}

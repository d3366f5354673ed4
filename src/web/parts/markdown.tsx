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
  table: ({ children }) => (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
}

/** Markdown that somebody wrote: no HTML of it becomes markup, links lead to http(s) and mail only, images stay words. */
export function Markdown({ text }: { readonly text: string }) {
  return (
    <div className="markdown">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        components={components}
        urlTransform={(url) => (SAFE.test(url) ? url : '')}
      >
        {visible(text, 200_000)}
      </ReactMarkdown>
    </div>
  )
}

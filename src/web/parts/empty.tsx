import type { ReactNode } from 'react'

/** Where there is nothing: what would stand here, and how to begin. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children}
    </div>
  )
}

import { type ReactNode, useEffect } from 'react'

interface ScreenProps {
  readonly title: string
  /** Beside the title: buttons, counts. */
  readonly aside?: ReactNode
  readonly children: ReactNode
}

/** A screen: its heading, and the title of the browser's tab. */
export function Screen({ title, aside, children }: ScreenProps) {
  useTabTitle(title)
  return (
    <div className="screen">
      <div className="screen-head">
        <h1>{title}</h1>
        {aside}
      </div>
      {children}
    </div>
  )
}

let count = 0
let name = ''
const show = () => {
  document.title = `${count > 0 ? `(${count}) ` : ''}${name === '' ? '' : `${name} · `}SOP Engine`
}

/** How many things wait for the viewer: stands in the tab's title on every screen. */
export function setTabCount(waiting: number): void {
  count = waiting
  show()
}

export function useTabTitle(title: string): void {
  useEffect(() => {
    name = title
    show()
  }, [title])
}

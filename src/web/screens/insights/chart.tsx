import type { ReactNode } from 'react'
import { dayName } from './figures.ts'

// chart.tsx: the frame of the charts. They are small pictures of our own: bars and lines need no library, the content security
// policy stays as it is, and what a chart says stands in the table behind it, for eyes and for screen readers alike.

export const WIDTH = 720
export const HEIGHT = 150

interface ChartProps {
  readonly title: string
  readonly legend: readonly { readonly name: string; readonly className: string }[]
  readonly days: readonly string[]
  /** What the top of the scale stands for. */
  readonly top: string
  readonly children: ReactNode
  /** The same as a table. */
  readonly table: ReactNode
}

/** A chart over days with its legend, and its table behind it. */
export function Chart({ title, legend, days, top, children, table }: ChartProps) {
  const [first, last] = [days[0], days.at(-1)]
  return (
    <figure className="chart card">
      <figcaption>
        <h2>{title}</h2>
        <span className="chart-legend" aria-hidden="true">
          {legend.map(({ name, className }) => (
            <span key={name}>
              <span className={`chart-key ${className}`} />
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <div className="chart-plot" aria-hidden="true">
        <span className="chart-top">{top}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
          <line className="chart-line" x1="0" x2={WIDTH} y1="0.5" y2="0.5" />
          <line className="chart-line" x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
          {children}
          <line className="chart-base" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        </svg>
        <span className="chart-days">
          <span>{first === undefined ? '' : dayName(first)}</span>
          <span>{last === undefined ? '' : dayName(last)}</span>
        </span>
      </div>
      <details className="chart-table">
        <summary>As a table</summary>
        <div className="scroll-x" tabIndex={0} role="region" aria-label={title}>
          {table}
        </div>
      </details>
    </figure>
  )
}

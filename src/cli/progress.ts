import type { RunView, StepView } from '../core/run/view.ts'
import type { Context } from './context.ts'
import type { Io } from './io.ts'
import { cleanDeep } from './render/clean.ts'
import { nextCommands } from './render/next-commands.ts'
import { renderGate, renderInput, renderPoolWait } from './render/run-view.ts'
import { renderState } from './render/state.ts'
import { fit, oneLine } from './render/table.ts'
import { renderClock, renderDuration } from './render/time.ts'

/** Shows how a run moves. */
export interface Progress {
  update(view: RunView): void
  /** Leaves what was shown on the screen. */
  end(): void
}

/** Live on a terminal, plain lines elsewhere, nothing with `--json`. */
export const createProgress = (context: Context): Progress => {
  if (context.json) return { update: () => {}, end: () => {} }
  const plain = createPlainProgress(context)
  return context.io.isTTY && context.io.env.TERM !== 'dumb' ? createLiveProgress(context, plain) : plain
}

/** One line for each change of state of the run or a step; what opens for a decision is shown with its commands. */
const createPlainProgress = (context: Context): Progress => {
  const { io, colours } = context
  const seen = new Map<string, string>()
  const changed = (key: string, value: string): boolean => {
    if (seen.get(key) === value) return false
    seen.set(key, value)
    return true
  }
  const line = (text: string): void => void io.out.write(`${colours.dim(renderClock(io.now()))} ${text}\n`)
  return {
    update(raw) {
      const view = cleanDeep(raw)
      for (const step of view.stepResults) {
        const isNews = changed(`step ${step.number}`, `${step.status} ${step.attempt}`)
        if (isNews && step.status !== 'pending') line(stepLine(view, step, colours))
      }
      if (changed('run', `${view.status} ${view.reason ?? ''}`)) {
        line(`run ${renderState(colours, view.status)}${view.reason === undefined ? '' : `: ${oneLine(view.reason)}`}`)
      }
      if (changed('waits', waitsOf(view))) showWaits(context, view)
    },
    end: () => {},
  }
}

const stepLine = (view: RunView, step: StepView, colours: Context['colours']): string => {
  const took = step.durationMs === undefined ? '' : ` (${renderDuration(step.durationMs)})`
  const attempt = step.attempt > 1 ? ` attempt ${step.attempt}` : ''
  const why = step.error ?? step.reason
  return `step ${step.number}/${view.totalSteps} ${oneLine(step.title)}: ${renderState(colours, step.status)}${attempt}${took}${why === undefined ? '' : `: ${oneLine(why)}`}`
}

const waitsOf = (view: RunView): string =>
  [
    ...view.openGates.map(({ gate, attempt }) => `${gate} ${attempt}`),
    ...view.openInputs.map(({ stepNumber }) => `input ${stepNumber}`),
    ...(view.poolWaits ?? []).map(({ stepNumber, pool }) => `pool ${stepNumber} ${pool}`),
  ].join()

const showWaits = (context: Context, view: RunView): void => {
  const look = { colours: context.colours, now: context.io.now(), long: false }
  for (const gate of view.openGates) context.io.out.write(`${renderGate(gate, look)}\n`)
  for (const input of view.openInputs) context.io.out.write(`${renderInput(input, look)}\n`)
  for (const wait of view.poolWaits ?? []) context.io.out.write(`${renderPoolWait(wait, look)}\n`)
  for (const command of nextCommands(view)) context.hint(command)
}

/** A block of one line per step, drawn over itself. Long lists show the steps around the one that moves. */
const createLiveProgress = (context: Context, plain: Progress): Progress => {
  let height = 0
  let shown = ''
  let waits = ''
  const draw = (lines: readonly string[]): void => {
    const block = lines.map((line) => `${line}\n`).join('')
    if (block === shown) return
    context.io.out.write(`${height > 0 ? `\u001b[${height}A\u001b[J` : ''}${block}`)
    height = lines.length
    shown = block
  }
  return {
    update(raw) {
      const view = cleanDeep(raw)
      draw(liveLines(context, view))
      const now = waitsOf(view)
      if (now === waits) return
      waits = now
      if (now === '') return
      // What waits for a decision stays on the screen, and the block starts anew below it.
      showWaits(context, view)
      height = 0
      shown = ''
    },
    end: () => plain.end(),
  }
}

const MARKS = {
  success: '✔',
  failed: '✖',
  running: '▶',
  awaiting_input: '?',
  awaiting_approval: '?',
  skipped: '-',
  unknown: '!',
  rolled_back: '↩',
  pending: ' ',
} as const
const PLAIN_MARKS = { ...MARKS, success: '+', failed: 'x', running: '>', rolled_back: '<' } as const

const liveLines = (context: Context, view: RunView): readonly string[] => {
  const { io, colours } = context
  const columns = Math.max(20, (io.out.columns || 80) - 1)
  const marks = context.utf8 ? MARKS : PLAIN_MARKS
  const lines = around(view, roomFor(io)).map((step) => {
    const took =
      step.durationMs === undefined
        ? step.status === 'running'
          ? runningFor(step, io.now())
          : ''
        : renderDuration(step.durationMs)
    const text = fit(
      ` ${marks[step.status]} ${step.number}. ${oneLine(step.title)}${took === '' ? '' : `  ${took}`}`,
      columns,
    )
    return step.status === 'success'
      ? colours.green(text)
      : step.status === 'failed' || step.status === 'unknown'
        ? colours.red(text)
        : step.status === 'running'
          ? colours.cyan(text)
          : text
  })
  const reason = view.reason === undefined ? '' : `: ${oneLine(view.reason)}`
  return [...lines, colours.bold(fit(`${view.sopName} ${view.status}${reason}`, columns))]
}

const runningFor = ({ startedAt }: StepView, now: number): string => {
  const ms = startedAt === undefined ? 0 : now - Date.parse(startedAt)
  return ms >= 1_000 ? renderDuration(Math.floor(ms / 1_000) * 1_000) : ''
}

const roomFor = (io: Io): number => Math.max(5, (io.out.rows || 24) - 12)

const around = (view: RunView, room: number): readonly StepView[] => {
  const at = Math.max(
    0,
    view.stepResults.findIndex(({ number }) => number === view.currentStep),
  )
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), view.stepResults.length - room))
  return view.stepResults.slice(from, from + room)
}

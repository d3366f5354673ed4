import { expect, test } from 'vitest'
import { createContext } from '../../src/cli/context.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { sentence } from '../../src/core/run/sentence.ts'
import { renderAudit } from '../../src/cli/render/audit.ts'
import { compile } from '../../src/core/compile.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import { newRun, evolve } from '../../src/core/run/evolve.ts'
import { NOT_CARRIED_OUT } from '../../src/core/run/supported.ts'
import { viewOf } from '../../src/core/run/view.ts'
import { createFakeIo } from '../cli/support/fake-io.ts'
import { createFakePorts } from '../cli/support/fake-ports.ts'
import { ok, Play } from '../support/play.ts'
import { fencesOf, readPage } from './markdown.ts'

const fences = fencesOf(readPage('README.md'))
const consoles = fences.filter(({ language }) => language === 'console').map(({ text }) => text)
const source = fences.find(({ language }) => language === 'markdown')?.text ?? ''

const definitionOf = (text: string): SopDefinition => {
  const { definition, diagnostics } = compile({
    files: [{ path: 'restart-web.md', text }],
    fallbackName: 'restart-web',
  })
  expect(diagnostics).toEqual([])
  if (definition === undefined) throw new Error('the procedure of the README does not compile')
  return definition
}

/** The run of the README: a second of work, a few seconds until somebody approves. */
const play = (): Play => {
  const alice = { id: 'alice', kind: 'user' } as const
  const run = new Play(definitionOf(source)).start().ends(ok({ durationMs: 54 }))
  run.wait(6_000)
  run.decide('approve', { comment: 'Site is quiet', principal: alice })
  return run.ends(ok({ durationMs: 24 }))
}

/** What differs from run to run: ids, times and how long something took. */
const masked = (text: string): string =>
  text
    .replace(/sop_run_\w+/g, 'RUN')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'DATE')
    .replace(/\b\d\d:\d\d:\d\d\b/g, 'TIME')
    .replace(/Since: .*/g, 'Since: AGO')
    .replace(/\b\d+(?:\.\d+)? ?m?s(?:\d+ms)?\b/g, 'LONG')
    .replace(/ +/g, ' ')
    .trim()

test('the procedure of the README has twelve lines', () => {
  expect(source.trimEnd().split('\n')).toHaveLength(12)
})

test('the README shows what running it prints', () => {
  const io = createFakeIo()
  const progress = createProgress(createContext(io, createFakePorts(undefined), {}))
  const { seed, events } = play()
  let run = newRun(seed)
  for (const event of events) {
    run = evolve(run, event)
    progress.update(viewOf(run))
  }
  const printed = masked(`${io.stdout()}${viewOf(run).status} after 6.1 s`).split('\n')
  const shown = masked(consoles.find((text) => text.includes('sop run'))?.split('…\n')[1] ?? '').split('\n')
  // Who asks now and then may miss a state that is over in a moment; what is shown must come, and in this order.
  const places = shown.map((line) => printed.indexOf(line))
  expect(shown.filter((_, index) => places[index] === -1)).toEqual([])
  expect(places).toEqual([...places].sort((a, b) => a - b))
  expect(shown.at(-1)).toBe(printed.at(-1))
})

test('the README shows the record of that run', () => {
  const { seed, events } = play()
  const recorded = events.map((event) => ({ ...event, previousHash: '', hash: '' }))
  const { colours } = createContext(createFakeIo(), createFakePorts(undefined), {})
  const record = renderAudit(
    { runId: seed.runId, events: recorded, sentences: recorded.map(sentence) },
    { colours, now: 0, long: false },
  )
  const shown = consoles.find((text) => text.includes('sop audit'))?.split('$ npx sop audit restart-web\n')[1] ?? ''
  expect(masked(shown)).toBe(masked(record))
})

test('the README names what is not carried out, all of it and nothing else', () => {
  const section = readPage('README.md').text.split('## Not there yet')[1] ?? ''
  const named = (whose: string): readonly string[] =>
    [...(section.match(new RegExp(`^- ${whose}: (.*)$`, 'm'))?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(
      ([, key]) => `${key}`,
    )
  expect({ step: named('A step'), gate: named('A gate') }).toEqual({
    step: NOT_CARRIED_OUT.step,
    gate: NOT_CARRIED_OUT.gate,
  })
  // None that concerns a whole SOP is left; the list above would need a line for it.
  expect(NOT_CARRIED_OUT.sop).toEqual([])
})

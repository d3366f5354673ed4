import { letIn, longGame } from '../../support/games.ts'
import fc from '../../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { coverOf } from '../../../src/core/run/covers.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { fold } from '../../../src/core/run/evolve.ts'
import { frontier } from '../../../src/core/run/frontier.ts'
import { openGates } from '../../../src/core/run/gates.ts'
import { isWide } from '../../../src/core/run/graph.ts'
import { RUN_STATES, STEP_STATES } from '../../../src/core/run/state.ts'
import { effectsOf } from '../../../src/core/run/transition.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { Play } from '../../support/play.ts'

// laws.test.ts: what holds for every SOP and every sequence of inputs, whatever they are.

/** Plays the game and looks at the run after every move. */
/** `remind:1-deploy#2.5` is about `1-deploy#2`. */
const gateOf = (reminder: string): string => reminder.slice('remind:'.length).replace(/\.\d+$/, '')

const always = (look: (play: Play) => void) =>
  fc.assert(
    fc.property(longGame, ({ sop, moves, flag, strict }) => {
      const play = new Play(sop, { params: { flag } }, { priorityBasedStrict: strict, maxStepVisits: 3 }).start()
      look(play)
      for (const each of moves) {
        each(play)
        look(play)
      }
    }),
    { numRuns: 250 },
  )

const opened = (events: readonly RunEvent[], gate: string) =>
  events.filter((event) => event.eventType === 'approval_requested' && event.details.gate === gate)

describe('in every run', () => {
  test('no step begins while its record cannot be written and it is held', () => {
    let held = 0
    always((play) => {
      let isHeld = false
      for (const { eventType } of play.events) {
        if (eventType === 'run_held') isHeld = true
        else if (eventType === 'run_released') isHeld = false
        if (isHeld) held += 1
        if (isHeld) expect(eventType).not.toBe('step_started')
      }
    })
    expect(held).toBeGreaterThan(0)
  })

  test('no step begins without the slot, where the SOP asks for one, and none gives away what it lacks', () => {
    let gave = 0
    const look = (play: Play): void => {
      let has = false
      for (const { eventType, details } of play.events) {
        if (eventType === 'run_admitted' && details.phase === 'slot') has = true
        if (eventType === 'slot_released') {
          expect(has).toBe(true)
          has = false
          gave += 1
        }
        if (eventType === 'step_started') expect(has).toBe(true)
      }
    }
    fc.assert(
      fc.property(
        longGame,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        ({ sop, moves, flag }, answers) => {
          const { blackout: _, ...rest } = sop
          const play = new Play({ ...rest, maxConcurrent: 1, releaseSlotAtGate: true }, { params: { flag } }).start()
          for (const [index, each] of moves.entries()) {
            if (answers[index] === true) letIn(play)
            each(play)
            look(play)
          }
        },
      ),
      { numRuns: 300 },
    )
    expect(gave).toBeGreaterThan(0)
  })

  test('states are only those that the product names', () =>
    always((play) => {
      expect(RUN_STATES).toContain(play.state)
      for (const step of play.run.steps) expect(STEP_STATES).toContain(step.state)
      expect(viewOf(play.run).status).toBe(play.state)
    }))

  test('the record tells the whole state: folding it gives the same run, also after JSON', { timeout: 60_000 }, () =>
    always((play) => {
      expect(fold(play.seed, JSON.parse(JSON.stringify(play.events)) as RunEvent[])).toEqual(play.run)
      expect(JSON.parse(JSON.stringify(play.run))).toEqual(play.run)
    }),
  )

  test('sequences count from 1 without gaps', () =>
    always((play) =>
      expect(play.events.map((event) => event.sequence)).toEqual(play.events.map((_, index) => index + 1)),
    ))

  test('guarantee 1: a step with a gate of its own starts only after that gate was passed, every time it is visited', () =>
    always((play) => {
      for (const [at, event] of play.events.entries()) {
        if (event.eventType !== 'step_started') continue
        const before = play.events.slice(0, at)
        const step = play.seed.pinned.definition.steps.find(({ number }) => number === event.stepNumber)
        const gates = Object.values(play.run.gates).filter(
          (gate) => gate.stepNumber === step?.number && gate.id.startsWith(`${step?.number}-`),
        )
        if (step?.requiresApproval !== true || gates.length === 0) continue
        const decided = before.filter(
          (each) =>
            (each.eventType === 'approval_granted' ||
              (each.eventType === 'approval_timeout' && each.details.action === 'approve')) &&
            each.stepNumber === step.number,
        )
        expect(decided.length).toBeGreaterThan(0)
        const asked = opened(before, gates[0]?.id ?? '').at(-1)
        const passed = decided.at(-1)
        expect(passed?.sequence ?? 0).toBeGreaterThan(asked?.sequence ?? 0)
      }
    }))

  test('guarantee 2: an attempt of a gate is decided at most once', () =>
    always((play) => {
      const decided = play.events.flatMap((event) =>
        event.eventType === 'approval_granted' ||
        event.eventType === 'approval_rejected' ||
        (event.eventType === 'approval_timeout' && event.details.action !== 'escalate')
          ? [`${event.details.gate}#${event.details.attempt}`]
          : [],
      )
      expect(new Set(decided).size).toBe(decided.length)
    }))

  test('guarantee 3: the timers that are armed are those that the state calls for, and no gate has one once it closed', () =>
    always((play) => {
      const at = new Date(play.nowMs).toISOString()
      const wanted = effectsOf(play.run, at).flatMap((effect) => (effect.kind === 'arm' ? [effect.timer.id] : []))
      expect([...play.timers.keys()].sort()).toEqual(wanted.sort())
      const open = openGates(play.run).map((gate) => `gate:${gate.id}#${gate.attempt}`)
      for (const id of play.timers.keys()) {
        if (id.startsWith('gate:')) expect(open).toContain(id)
        if (id.startsWith('remind:')) expect(open.map((gate) => gate.slice('gate:'.length))).toContain(gateOf(id))
      }
    }))

  test('an approval is of what the gate showed when it was asked for', () =>
    always((play) => {
      for (const [at, event] of play.events.entries()) {
        if (event.eventType !== 'approval_granted') continue
        const { gate, covers } = event.details
        expect(covers).toMatch(/^[0-9a-f]{64}$/)
        expect(opened(play.events.slice(0, at), gate).at(-1)).toMatchObject({ details: { covers } })
      }
    }))

  test('a step that starts goes by params that its own gate showed', () =>
    always((play) => {
      const started = play.run.steps.filter((step) => play.works.has(`step:${step.number}#${step.attempt}`))
      for (const { number } of started) {
        for (const gate of Object.values(play.run.gates)) {
          if (gate.state !== 'passed' || gate.covers === undefined) continue
          if (gate.stepNumber === number && gate.id !== 'sign_off') expect(gate.covers).toBe(coverOf(play.run, number))
          if (gate.id === 'start') expect(gate.covers).toBe(coverOf(play.run, 0))
        }
      }
    }))

  test('once the walk back began no step begins, and each finished step is undone at most once, the last one first', () =>
    always((play) => {
      const from = play.events.findIndex((event) => event.eventType === 'rollback_started')
      if (from < 0) return
      const walk = play.events.slice(from)
      expect(walk.map(({ eventType }) => eventType)).not.toContain('step_started')
      expect(walk.filter(({ eventType }) => eventType === 'rollback_started')).toHaveLength(1)
      const undone = walk.flatMap((event) => (event.eventType === 'step_rolled_back' ? [event.stepNumber ?? 0] : []))
      expect(new Set(undone).size).toBe(undone.length)
      const before = play.events.slice(0, from)
      const endOf = (step: number): number =>
        before.findLastIndex(
          ({ eventType, stepNumber }) =>
            stepNumber === step && ['step_completed', 'verification_failed', 'step_unknown'].includes(eventType),
        )
      for (const [at, step] of undone.entries()) {
        expect(endOf(step)).toBeGreaterThanOrEqual(0)
        if (at > 0) expect(endOf(step)).toBeLessThan(endOf(undone[at - 1] ?? 0))
      }
      for (const work of play.works.values()) expect(work.kind).toBe('rollback')
    }))

  test('no walk back goes past a point of no return, or an unknown step, that nobody answered for', () =>
    always((play) => {
      for (const [at, event] of play.events.entries()) {
        if (event.eventType !== 'step_rolled_back' && event.eventType !== 'rollback_failed') continue
        const step = play.seed.pinned.definition.steps.find(({ number }) => number === event.stepNumber)
        const began = play.events.findIndex(({ eventType }) => eventType === 'rollback_started')
        const was = play.events.slice(0, began).findLast((each) => each.stepNumber === event.stepNumber)
        if (step?.pointOfNoReturn !== true && was?.eventType !== 'step_unknown') continue
        const answers = play.events
          .slice(began, at)
          .filter((each) => each.eventType === 'run_retried' && each.stepNumber === event.stepNumber)
        expect(answers.length).toBeGreaterThan(0)
      }
    }))

  test('at rest nothing follows by itself, and a closed run calls for nothing', () =>
    always((play) => {
      const now = frontier(play.run, new Date(play.nowMs).toISOString())
      expect(now.next).toBeUndefined()
      if (play.run.outcome === undefined) return
      expect(now).toMatchObject({ works: [], timers: [] })
      expect(play.timers.size).toBe(0)
    }))

  test('after it closed, no event is added', () =>
    always((play) => {
      const end = play.events.findIndex((event) =>
        ['run_completed', 'run_failed', 'run_cancelled'].includes(event.eventType),
      )
      if (end >= 0) expect(play.events).toHaveLength(end + 1)
    }))

  test('at most one command runs at a time without "needs" and "for_each"', () =>
    always((play) => {
      if (isWide(play.seed.pinned.definition)) return
      expect(commandsOf(play).length).toBeLessThanOrEqual(1)
    }))

  test('a step begins only once all that it needs is settled', () =>
    always((play) => {
      const { definition } = play.seed.pinned
      const settled = new Set<number>()
      for (const { eventType, stepNumber = 0, details } of play.events) {
        if ('item' in details) continue
        if (eventType === 'step_started') {
          const at = definition.steps.findIndex(({ number }) => number === stepNumber)
          const needs = definition.steps[at]?.needs ?? (at > 0 ? [definition.steps[at - 1]?.number ?? 0] : [])
          for (const need of needs) expect(settled, `step ${stepNumber} needs ${need}`).toContain(need)
        }
        if (eventType === 'step_completed' || eventType === 'step_skipped') settled.add(stepNumber)
        if (eventType === 'step_failed' && ['continue', 'goto'].includes(String((details as { then?: string }).then))) {
          settled.add(stepNumber)
        }
      }
    }))

  test('no more is under way than the SOP allows', () =>
    always((play) => {
      const { maxParallel = 100, steps } = play.seed.pinned.definition
      const commands = commandsOf(play).filter(({ kind }) => kind === 'action' || kind === 'verify')
      if (isWide(play.seed.pinned.definition)) expect(commands.length).toBeLessThanOrEqual(Math.max(maxParallel, 1))
      for (const step of steps) {
        const items = commands.filter((work) => 'step' in work && work.step === step.number)
        expect(items.length).toBeLessThanOrEqual(step.maxParallel ?? 5)
      }
    }))

  test('when it closes, no command of it is left running', () =>
    always((play) => {
      if (play.closedAs !== undefined) expect(commandsOf(play)).toEqual([])
    }))

  test('no execution of a command has the name of another', () =>
    always((play) => {
      const names = play.events.flatMap((event) =>
        event.eventType === 'step_started'
          ? [`${event.stepNumber}[${event.details.item ?? ''}]#${event.details.attempt}`]
          : [],
      )
      expect(new Set(names).size).toBe(names.length)
    }))
})

const commandsOf = (play: Play) =>
  [...play.works.values()].filter((work) => work.kind !== 'facts' && work.kind !== 'admission')

import { expect, test } from 'vitest'
import type { Actor } from '../../../src/core/access.ts'
import { controlsOf } from '../../../src/core/run/controls.ts'
import { openGates } from '../../../src/core/run/gates.ts'
import type { RunInput } from '../../../src/core/run/input.ts'
import { effectsOf } from '../../../src/core/run/transition.ts'
import { longGame } from '../../support/games.ts'
import fc from '../../support/laws.ts'
import { ok, Play } from '../../support/play.ts'

// liveness.test.ts: no run is ever stranded. Whatever happened, an open run waits for something that comes, or for a person who
// can do something about it; and a cancel ends it.

const HOUR = 3_600_000

/** Questions are answered by what was asked, and admission lets nobody in before the time that it was told. */
class FairPlay extends Play {
  override ends(result: Parameters<Play['ends']>[0], id = [...this.works.keys()][0] ?? ''): this {
    const kind = this.works.get(id)?.kind
    return kind === 'facts' || kind === 'admission' ? this : super.ends(result, id)
  }

  override facts(values: Parameters<Play['facts']>[0], errors?: Record<string, string>): this {
    const asked = [...this.works.values()].find(({ kind }) => kind === 'facts')
    const isCalendar = asked?.id.startsWith('facts:blackout') === true
    return asked === undefined || isCalendar !== 'blackout' in values ? this : super.facts(values, errors)
  }

  override tell(input: RunInput): ReturnType<Play['tell']> {
    const { calendar } = this.run
    if (input.kind === 'admission' && calendar?.because !== undefined)
      this.nowMs = Math.max(this.nowMs, Date.parse(calendar.until))
    return super.tell(input)
  }
}

const admin: Actor = { principal: { id: 'root', kind: 'user', role: 'admin' }, via: 'http' }
const allowed = (play: Play): readonly string[] =>
  controlsOf(play.run, admin, new Date(play.nowMs).toISOString())
    .filter((control) => control.allowed)
    .map(({ name }) => name)

const waits = ({ run, works, timers }: Play): boolean =>
  works.size > 0 ||
  [...timers.keys()].some((id) => id !== 'run') ||
  openGates(run).length > 0 ||
  run.steps.some(({ state }) => state === 'awaiting_input') ||
  run.held !== undefined ||
  run.paused !== undefined

const look = (play: Play): void => {
  if (play.run.outcome !== undefined) return
  expect(waits(play)).toBe(true)
  const names = allowed(play)
  if (play.run.ending === undefined) expect(names).toContain('cancel')
  if (play.run.paused === undefined || play.works.size > 0) return
  // Ending it is no way on.
  expect(names.filter((name) => !['cancel', 'roll_back', 'pause'].includes(name))).not.toEqual([])
}

test('what a run waits for does not change by the clock alone, or nobody would be told', () =>
  fc.assert(
    fc.property(longGame, ({ sop, moves, flag, strict }) => {
      const play = new FairPlay(sop, { params: { flag } }, { priorityBasedStrict: strict, maxStepVisits: 3 }).start()
      const wanted = (afterMs: number) =>
        effectsOf(play.run, new Date(play.nowMs + afterMs).toISOString()).flatMap((effect) =>
          effect.kind === 'start' ? [effect.work.id] : effect.kind === 'arm' ? [effect.timer.id, effect.timer.at] : [],
        )
      for (const move of moves) {
        move(play)
        if (play.run.outcome === undefined) expect(wanted(100 * HOUR)).toEqual(wanted(0))
      }
    }),
    { numRuns: 150 },
  ))

test('an open run always waits for something, a paused one has a way on, and a cancel ends it', () =>
  fc.assert(
    fc.property(longGame, ({ sop, moves, flag, strict }) => {
      const play = new FairPlay(sop, { params: { flag } }, { priorityBasedStrict: strict, maxStepVisits: 3 }).start()
      look(play)
      for (const move of moves) {
        move(play)
        look(play)
      }
      if (play.run.outcome !== undefined) return
      play.decide('cancel', { principal: admin.principal })
      for (let left = 50; left > 0 && play.works.size > 0; left -= 1) play.ends(ok())
      expect(play.run.outcome).toBeDefined()
      expect(play.timers.size).toBe(0)
    }),
    { numRuns: 250 },
  ))

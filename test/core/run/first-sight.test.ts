import { describe, expect, test } from 'vitest'
import { isWorthSeeing, refusalOf } from '../../../src/core/run/first-sight.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { sopOf } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const COOLDOWN = { cooldownMs: 60_000, steps: [{}] }
const fresh = (sketch: Parameters<typeof sopOf>[0]): Play => new Play(sopOf(sketch)).start()
const refused = (): Play => {
  const play = fresh(COOLDOWN)
  play.tell({ kind: 'admission', workId: 'admission:arrival', verdict: { kind: 'refused', reason: 'it ran just now' } })
  return play
}

describe('of a run that was just started', () => {
  test.each<[what: string, play: Play, seen: boolean]>([
    ['which waits for admission, nothing', fresh(COOLDOWN), false],
    ['whose first step runs, the step', fresh({ steps: [{}] }), true],
    ['which waits for its approval, the gate', fresh({ mode: 'supervised', steps: [{}] }), true],
    ['which is refused, the refusal', refused(), true],
    ['which is over, its end', fresh({ steps: [{}] }).ends(ok()), true],
  ])('%s is seen: %s', (_, { run }, seen) => {
    expect(isWorthSeeing(viewOf(run))).toBe(seen)
  })

  test('a refusal at the door is told with its reason, and no other end is one', () => {
    expect(refusalOf(viewOf(refused().run))).toBe('it ran just now')
    const cancelled = fresh({ steps: [{}] })
    cancelled.decide('cancel', { comment: 'no' })
    cancelled.ends(failed({ outcome: 'cancelled' }))
    for (const { run } of [cancelled, fresh({ steps: [{}] }), fresh(COOLDOWN), fresh({ steps: [{}] }).ends(ok())])
      expect(refusalOf(viewOf(run))).toBeUndefined()
  })
})

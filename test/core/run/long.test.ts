import { expect, test } from 'vitest'
import { sopOf } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

// long.test.ts: ten thousand step executions of one run, in the rules alone.

test('transition() carries ten thousand executions of a loop, and the state stays small', { timeout: 60_000 }, () => {
  const rounds = 5_000
  const loop = sopOf({ steps: [{}, { onFailure: { kind: 'goto', step: 1 } }] })
  const play = new Play(loop, {}, { maxStepVisits: rounds }).start()
  for (let round = 1; round < rounds; round++) play.ends(ok()).ends(failed())
  play.ends(ok()).ends(ok())
  expect(play.state).toBe('completed')
  expect(play.events.filter(({ eventType }) => eventType === 'step_started')).toHaveLength(2 * rounds)
  expect(play.events.at(-1)?.sequence).toBe(play.events.length)
  expect(JSON.stringify(play.run).length).toBeLessThan(20_000)
})

test('transition() carries the items of several steps, one after the other', { timeout: 60_000 }, () => {
  const list = Array.from({ length: 1_000 }, (_, index) => index)
  const each = sopOf({ steps: Array.from({ length: 3 }, () => ({ forEach: list, maxParallel: 20 })) })
  const play = new Play(each).start()
  while (play.works.size > 0) play.ends(ok())
  expect(play.state).toBe('completed')
  expect(
    play.events.filter((event) => event.eventType === 'step_completed' && event.details.item !== undefined),
  ).toHaveLength(3_000)
})

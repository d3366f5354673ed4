import { describe, expect, test } from 'vitest'
import { viewOf } from '../../../src/core/run/view.ts'
import { command, sopOf } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const waits = (play: Play) => viewOf(play.run).poolWaits?.map(({ stepNumber, pool }) => `${stepNumber} ${pool}`)
const start = () => new Play(sopOf({ steps: [{ runsOn: 'dba', verify: [command('true')] }, {}] })).start()

describe('a step whose pool has no worker', () => {
  test('is shown to wait, and no longer once a worker takes it', () => {
    const play = start()
    expect(waits(play)).toBeUndefined()
    play.poolNews('step:1#1', true)
    expect(waits(play)).toEqual(['1 dba'])
    expect(play.state).toBe('running')
    play.wait(5000)
    play.poolNews('step:1#1', false)
    expect(waits(play)).toBeUndefined()
    expect(play.events.at(-1)).toMatchObject({ eventType: 'step_taken', details: { pool: 'dba', duration_ms: 5000 } })
    expect([...play.works.keys()]).toEqual(['step:1#1'])
  })

  test('the same news twice are told once, and news of what is over not at all', () => {
    const play = start()
    play.poolNews('step:1#1', false).poolNews('step:9#1', true)
    play.poolNews('step:1#1', true).poolNews('step:1#1', true)
    expect(play.types.filter((type) => type === 'step_waiting')).toHaveLength(1)
    expect(play.types).not.toContain('step_taken')
  })

  test.each([
    ['its command ends', (play: Play) => play.ends(ok())],
    ['its time is up', (play: Play) => play.ends(failed({ outcome: 'timed_out' }))],
    ['its worker dies', (play: Play) => play.ends({ outcome: 'lost', error: 'gone' })],
    ['the run is cancelled', (play: Play) => (play.decide('cancel'), play.ends(failed({ outcome: 'cancelled' })))],
  ])('waits no more when %s', (_, end) => {
    const play = start()
    play.poolNews('step:1#1', true)
    end(play)
    expect(waits(play)).toBeUndefined()
  })

  test('its verification waits by itself', () => {
    const play = start()
    play.poolNews('step:1#1', true).ends(ok(), 'step:1#1')
    play.poolNews('verify:1#1', true)
    expect(waits(play)).toEqual(['1 dba'])
  })
})

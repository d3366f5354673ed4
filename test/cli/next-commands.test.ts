import { expect, test } from 'vitest'
import { nextCommands } from '../../src/cli/render/next-commands.ts'
import { viewOf } from '../../src/core/run/view.ts'
import { sopOf, type StepSketch } from '../support/definitions.ts'
import { Play } from '../support/play.ts'

const start = (step: StepSketch) => new Play(sopOf({ steps: [step] })).start()
const commands = (play: Play) => nextCommands(viewOf(play.run))

test('of several items of which nobody knows whether they ran, each command names one, as its answer has to', () => {
  const play = start({ forEach: ['a', 'b', 'c'], maxParallel: 3 })
  const loses = (item: number) => play.ends({ outcome: 'lost', error: 'gone' }, `step:1[${item}]#1`)
  loses(2)
  expect(commands(play)).toContain('It ran:  sop resolve sop_run_test 1 --ran')
  loses(3)
  expect(commands(play)).toEqual(
    expect.arrayContaining([
      'It ran:  sop resolve sop_run_test 1 --item 2 --ran',
      'It did not: sop resolve sop_run_test 1 --item 2 --did-not-run',
      'Again in any case: sop resolve sop_run_test 1 --item 2 --retry',
    ]),
  )
  expect(play.decide('complete', { step: 1 })).toMatchObject({ accepted: false })
  expect(play.decide('complete', { step: 1, item: 2 })).toMatchObject({ accepted: true })
  expect(commands(play)).toContain('It ran:  sop resolve sop_run_test 1 --ran')
})

test('of a sub-SOP that failed the run is named that can be retried by itself', () => {
  const play = start({ action: { kind: 'sop', sop: 'other' }, onFailure: { kind: 'pause' } })
  play.tell({ kind: 'child_ended', workId: 'child:1#1', result: { outcome: 'failed', reason: 'it broke' } })
  expect(commands(play)).toContain('Retry only what failed in it: sop retry sop_run_test-s1-1')
})

import { describe, expect, test } from 'vitest'
import { isWantedLog, logNameOf, type LogWish } from '../../src/core/log-name.ts'
import { parseLogPosition, renderLogPosition } from '../../src/core/log-position.ts'
import { plainLog } from '../../src/core/plain-log.ts'
import type { ExecutableId } from '../../src/core/run/task.ts'

test.each<[ExecutableId, object]>([
  ['step:3', { stepNumber: 3, attempt: 2, source: 'step' }],
  ['step:3[5]', { stepNumber: 3, attempt: 2, source: 'step', item: 5 }],
  ['verify:12', { stepNumber: 12, attempt: 2, source: 'verify' }],
  ['gate:post_patch', { stepNumber: 0, attempt: 2, source: 'post_patch' }],
])('logNameOf() of %s', (executableId, name) => {
  expect(logNameOf({ executableId, attempt: 2 })).toEqual(name)
})

describe('isWantedLog()', () => {
  test.each<[LogWish, ExecutableId, boolean]>([
    [{}, 'step:3[5]', true],
    [{ step: 3 }, 'step:3[5]', true],
    [{ step: 3, item: 5 }, 'step:3[5]', true],
    [{ step: 3, item: 4 }, 'step:3[5]', false],
    [{ step: 3, item: 5 }, 'step:3', false],
    [{ step: 3 }, 'verify:3', false],
    [{ step: 3, source: 'verify' }, 'verify:3', true],
    [{ source: 'post_patch' }, 'gate:post_patch', true],
    [{ source: 'gate' }, 'gate:post_patch', true],
    [{ step: 3, attempt: 2 }, 'step:3', false],
  ])('%j of %s: %s', (wish, executableId, wanted) => {
    expect(isWantedLog({ executableId, attempt: 1 }, wish)).toBe(wanted)
  })
})

test('a place in the log of an item survives the way through a stream', () => {
  const place = { step: 3, item: 5, attempt: 2, source: 'pre_check.it', offset: 99 }
  expect(parseLogPosition(renderLogPosition(place))).toEqual(place)
})

test.each([
  ['plain', 'plain'],
  ['\u001b[1;31mred\u001b[0m', 'red'],
  ['10%\r50%\r100%', '100%'],
  ['windows\r', 'windows'],
  ['\u001b]0;title\u0007text', 'text'],
])('plainLog(%j)', (row, text) => expect(plainLog(row)).toBe(text))

import { describe, expect, test } from 'vitest'
import { changeKey, changeOf, type FileMark, observe, type WatchedFile } from '../../../src/core/trigger/file-change.ts'

const mark = (content: string, changedNs = '1'): FileMark => ({ content, changedNs })
const [A, B] = [mark('a'), mark('b')]

/** What is told of a file that is seen like this, one look each 100 ms, with a settle time of 250 ms. */
const told = (looks: readonly (FileMark | undefined)[], known?: FileMark): readonly string[] => {
  let file: WatchedFile = known === undefined ? {} : { known }
  return looks.flatMap((seen, at) => {
    file = observe(file, seen, { nowMs: at * 100 })
    const change = changeOf(file, at * 100, 250)
    if (change === undefined) return []
    file = change.action === 'delete' ? {} : { known: change.mark }
    return [`${at}: ${change.action} ${change.mark.content}`]
  })
}

describe('observe() and changeOf()', () => {
  test.each<
    [what: string, looks: readonly (FileMark | undefined)[], known: FileMark | undefined, told: readonly string[]]
  >([
    ['a file that stays', [A, A, A, A, A], A, []],
    ['a new file, once it was left alone', [A, A, A, A, A], undefined, ['3: create a']],
    ['a file that is being written', [A, B, A, B, B, B, B], undefined, ['6: create b']],
    ['a file that was changed', [B, B, B, B], A, ['3: modify b']],
    ['a file that was changed and changed back', [B, A, A, A, A], A, []],
    ['a file that is gone', [undefined, undefined, undefined, undefined], A, ['3: delete a']],
    ['a file that came and went', [A, undefined, undefined, undefined, undefined], undefined, []],
    ['a file in the place of another', [undefined, B, B, B, B], A, ['4: modify b']],
    ['a file that was gone for a moment', [undefined, A, A, A, A], A, []],
    [
      'a file that was gone for longer',
      [undefined, undefined, undefined, undefined, A, A, A, A],
      A,
      ['3: delete a', '7: create a'],
    ],
  ])('tell of %s', (_what, looks, known, expected) => expect(told(looks, known)).toEqual(expected))

  test('know what was otherwise already when the engine started, until it changes again', () => {
    const old = observe({ known: A }, B, { nowMs: 0, isOld: true })
    expect(old.waiting?.isOld).toBe(true)
    expect(observe(old, B, { nowMs: 1 }).waiting?.isOld).toBe(true)
    expect(observe(old, mark('c'), { nowMs: 1, isOld: true }).waiting).toEqual({ mark: mark('c'), sinceMs: 1 })
  })
})

test('changeKey() tells actions, paths and states of a file apart', () => {
  const keys = [
    changeKey('/a', { action: 'create', mark: A }),
    changeKey('/a', { action: 'modify', mark: A }),
    changeKey('/a', { action: 'create', mark: B }),
    changeKey('/a', { action: 'create', mark: mark('a', '2') }),
    changeKey('/b', { action: 'create', mark: A }),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(changeKey('/a', { action: 'create', mark: mark('a') })).toBe(keys[0])
})

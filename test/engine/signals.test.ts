import { afterEach, expect, test, vi } from 'vitest'
import { listenForSignals } from '../../src/engine/signals.ts'

afterEach(() => vi.restoreAllMocks())

/** Listens while `act` sends SIGHUP at given times, and returns what was heard. */
function heard(times: readonly number[]) {
  const calls: string[] = []
  const clock = vi.spyOn(performance, 'now')
  const stop = listenForSignals({ onFirst: () => calls.push('first'), onFurther: () => calls.push('further') })
  for (const ms of times) {
    clock.mockReturnValue(ms)
    process.emit('SIGHUP', 'SIGHUP')
  }
  stop()
  return calls
}

test('a signal that npm passes on right after the terminal has sent it counts once', () => {
  expect(heard([1000, 1003, 1400])).toEqual(['first'])
})

test('a signal that comes later says that nobody wants to wait', () => {
  expect(heard([1000, 1003, 1600, 1700])).toEqual(['first', 'further', 'further'])
})

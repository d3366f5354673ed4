import { describe, expect, test } from 'vitest'
import {
  matchesRoutingKey,
  matchesTopic,
  routingKeyProblem,
  topicFilterProblem,
} from '../../../src/core/trigger/topic.ts'

describe('matchesTopic()', () => {
  test.each([
    ['ci/+/done', 'ci/app/done', true],
    ['ci/+/done', 'ci//done', true],
    ['ci/+/done', 'ci/a/b/done', false],
    ['ci/#', 'ci', true],
    ['ci/#', 'ci/a/b', true],
    ['ci/#', 'cix', false],
    ['#', 'a/b', true],
    ['#', '$SYS/uptime', false],
    ['+/uptime', '$SYS/uptime', false],
    ['$SYS/#', '$SYS/uptime', true],
    ['a', 'A', false],
    ['a/b', 'a', false],
    ['+', '/a', false],
    ['/+', '/a', true],
  ])('%s of %s is %s', (filter, topic, is) => expect(matchesTopic(filter, topic)).toBe(is))
})

describe('topicFilterProblem()', () => {
  test.each(['a', 'a/+/b', '+', '#', 'a/#', '/'])('takes %s', (filter) =>
    expect(topicFilterProblem(filter)).toBeUndefined(),
  )
  test.each(['a+', 'a/#/b', 'a#', '$share/g/a', 'a\0'])('refuses %j', (filter) =>
    expect(topicFilterProblem(filter)).toBeTypeOf('string'),
  )
})

describe('matchesRoutingKey()', () => {
  test.each([
    ['release.*.ready.#', 'release.app.ready', true],
    ['release.*.ready.#', 'release.app.ready.now.x', true],
    ['release.*.ready.#', 'release.ready', false],
    ['#', '', true],
    ['#', 'a.b', true],
    ['*', '', true],
    ['*', 'a.b', false],
    ['#.b', 'b', true],
    ['#.b.#', 'a.b.c', true],
    ['a.#.#.c', 'a.c', true],
    ['a.b', 'a.b.c', false],
    ['a', 'A', false],
  ])('%s of %s is %s', (pattern, key, is) => expect(matchesRoutingKey(pattern, key)).toBe(is))
})

describe('routingKeyProblem()', () => {
  test.each(['a.*.#', '*', 'x'])('takes %s', (pattern) => expect(routingKeyProblem(pattern)).toBeUndefined())
  test.each(['a.b*', '#x', 'ä'.repeat(128)])('refuses %s', (pattern) =>
    expect(routingKeyProblem(pattern)).toBeTypeOf('string'),
  )
})

import fc from '../../support/laws.ts'
import { expect, test } from 'vitest'
import type { AdmissionState } from '../../../src/core/admission.ts'
import { Door } from './support.ts'

// laws.test.ts: games of starts, ends and kills against admission. What a run was told arrives later and in another order
// than that of other runs, as signals do; a killed run says nothing more, and only the reconciliation finds it gone.

const SOPS = [
  { sop: 'deploy', locks: ['cluster-x'] },
  { sop: 'patch', locks: ['cluster-x'] },
  { sop: 'both', locks: ['cluster-x', 'cluster-y'] },
  { sop: 'other', locks: ['cluster-y'], maxConcurrent: 2 },
  { sop: 'free', maxConcurrent: 1 },
] as const

type Phase = 'waiting' | 'running' | 'killed' | 'over'
interface GameRun {
  readonly runId: string
  readonly locks: readonly string[]
  phase: Phase
  turn: number
}

const move = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('start' as const),
      sop: fc.nat(4),
      priority: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('yield' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      which: fc.nat(),
      action: fc.constantFrom('move' as const, 'drop' as const, 'admit' as const),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'reconcile' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
)
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never

/** Plays the moves and looks after each whether two runs that live have one lock. */
class Game {
  private door = new Door()
  readonly runs: GameRun[] = []
  private heard = 0
  started = 0

  play(next: Move): void {
    switch (next.kind) {
      case 'start':
        this.start(next.sop, next.priority)
        break
      case 'end':
        this.end(this.pick('running', next.which))
        break
      case 'kill':
        this.kill(this.pick('running', next.which) ?? this.pick('waiting', next.which))
        break
      case 'yield':
        this.yield(this.pick('running', next.which))
        break
      case 'again':
        this.again(this.pick('running', next.which))
        break
      case 'order':
        this.order(next.action, next.which)
        break
      case 'reconcile':
        this.reconcile()
        break
      case 'crash':
        // The next execution has only what was carried over.
        this.door = Object.assign(new Door(JSON.parse(JSON.stringify(this.door.state)) as AdmissionState), {
          nowMs: this.door.nowMs,
        })
        this.heard = 0
        break
    }
    this.hear()
    this.check()
  }

  /** Everybody ends in turn; what nobody releases is reconciled. */
  finish(): void {
    for (let round = 0; round <= this.runs.length; round++) {
      for (const run of this.runs) if (run.phase === 'running') this.end(run)
      this.reconcile()
      this.hear()
      this.check()
    }
  }

  private start(index: number, priority: number): void {
    const { sop, ...rest } = SOPS[index] ?? SOPS[0]
    const runId = `${sop}#${this.runs.length}`
    this.runs.push({ runId, locks: 'locks' in rest ? rest.locks : [], phase: 'waiting', turn: 1 })
    this.started += 1
    this.door.nowMs += 1000
    this.door.ask(runId, { ...rest, priority })
  }

  private end(run: GameRun | undefined): void {
    if (run === undefined) return
    run.phase = 'over'
    this.door.release(run.runId)
  }

  private kill(run: GameRun | undefined): void {
    if (run !== undefined) run.phase = 'killed'
  }

  private yield(run: GameRun | undefined): void {
    if (run !== undefined) this.door.tell({ kind: 'yield', runId: run.runId, turn: run.turn })
  }

  private again(run: GameRun | undefined): void {
    if (run === undefined) return
    const { sop, ...rest } = SOPS.find((each) => run.runId.startsWith(`${each.sop}#`)) ?? SOPS[0]
    run.turn += 1
    this.door.ask(run.runId, { sop, ...rest, turn: run.turn, begun: true })
  }

  private order(action: 'move' | 'drop' | 'admit', which: number): void {
    const run = this.pick('waiting', which)
    if (run !== undefined) this.door.order(run.runId, { action })
  }

  private reconcile(): void {
    const { holders, waiting } = this.door.state
    for (const { runId } of [...holders, ...waiting]) {
      const phase = this.runs.find((run) => run.runId === runId)?.phase
      if (phase === 'killed' || phase === 'over') this.door.release(runId)
    }
    this.door.tell({ kind: 'wake' })
  }

  private hear(): void {
    for (const { runId, verdict } of this.door.answers.slice(this.heard)) {
      const run = this.runs.find((each) => each.runId === runId)
      // A run that was killed hears nothing; its slot is held until the reconciliation.
      if (run?.phase !== 'waiting') continue
      if (verdict.kind === 'admitted') run.phase = 'running'
      if (verdict.kind === 'refused') run.phase = 'over'
    }
    this.heard = this.door.answers.length
  }

  private pick(phase: Phase, which: number): GameRun | undefined {
    const those = this.runs.filter((run) => run.phase === phase)
    return those[which % Math.max(1, those.length)]
  }

  private check(): void {
    const living = this.runs.filter(({ phase }) => phase === 'running').flatMap(({ locks }) => locks)
    expect(living).toEqual([...new Set(living)])
  }
}

test('two runs with one lock never overlap, and everybody gets in, over 200 random starts with kills', () => {
  let starts = 0
  fc.assert(
    fc.property(fc.array(move, { minLength: 20, maxLength: 60 }), (moves) => {
      const game = new Game()
      for (const each of moves) game.play(each)
      game.finish()
      starts += game.started
      expect(game.runs.filter(({ phase }) => phase === 'waiting' || phase === 'running')).toEqual([])
    }),
    { numRuns: 300 },
  )
  expect(starts).toBeGreaterThan(200)
})

test('a run that needs several locks gets in while runs that need one of them keep coming', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('cluster-x', 'cluster-y'), { minLength: 4, maxLength: 30 }), (asked) => {
      const door = new Door().ask('x#0', { locks: ['cluster-x'] }).ask('y#0', { locks: ['cluster-y'] })
      door.ask('both#0', { locks: ['cluster-x', 'cluster-y'] })
      for (const [index, lock] of asked.entries()) door.ask(`late#${index}`, { locks: [lock] })
      door.release('x#0').release('y#0')
      expect(door.inside).toEqual(['both#0'])
    }),
  )
})

test('slots are given in the order of priority and arrival, whatever the order in which they become free', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 }), (priorities) => {
      const door = new Door().ask('a#first', { maxConcurrent: 1 })
      for (const [index, priority] of priorities.entries()) door.ask(`a#${index}`, { maxConcurrent: 1, priority })
      const seen: string[] = []
      for (let [runId] = door.inside; runId !== undefined; [runId] = door.inside) {
        seen.push(runId)
        door.release(runId)
      }
      const wanted = priorities.map((priority, index) => ({ priority, index }))
      wanted.sort((a, b) => a.priority - b.priority || a.index - b.index)
      expect(seen).toEqual(['a#first', ...wanted.map(({ index }) => `a#${index}`)])
    }),
  )
})

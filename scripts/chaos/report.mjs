// report.mjs: what a chaos run tells of itself at its end.

/** @param {readonly any[]} list @param {(each: any) => any} key */
const count = (list, key) => [
  ...list.reduce((counts, each) => counts.set(key(each), (counts.get(key(each)) ?? 0) + 1), new Map()),
]

/** @param {readonly (readonly [string, number])[]} counts */
const inWords = (counts) => counts.map(([name, number]) => `${name} ${number}`).join(', ')

/**
 * @param {{ seed: string, seconds: string, kills: readonly (readonly [string, number])[], evidence: import('./evidence.d.ts').Evidence, violations: readonly import('./evidence.d.ts').Violation[], home: string }} told
 */
export const reportOf = ({ seed, seconds, kills, evidence, violations, home }) => {
  const { runs, ledger, decisions } = evidence
  const of = (/** @type {string} */ type) =>
    runs.flatMap(({ record }) => record.filter(({ eventType }) => eventType === type))
  const adopted = of('step_completed').filter(({ details }) => 'adopted' in details).length
  const acknowledged = decisions.filter(({ answers }) => answers.some(({ accepted }) => accepted)).length
  return [
    `seed ${seed}, ${seconds} s`,
    `${kills.reduce((sum, [, number]) => sum + number, 0)} kills: ${inWords(kills)}`,
    `${runs.length} runs: ${inWords(count(runs, ({ sop }) => sop))}`,
    `ended: ${inWords(count(runs, ({ folded }) => folded?.status))}`,
    `${ledger.length} side effects, ${of('step_unknown').length} declared unknown, ${adopted} taken over by a later worker`,
    `${acknowledged} decisions acknowledged, ${runs.reduce((sum, { record }) => sum + record.length, 0)} events`,
    ...violations.map(({ kind, runId, message }) => `VIOLATION ${kind}${runId ? ` ${runId}` : ''}: ${message}`),
    violations.length === 0 ? 'No violation.' : `${violations.length} violations. Evidence: ${home}`,
  ].join('\n')
}

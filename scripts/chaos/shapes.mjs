// shapes.mjs: SOPs of every shape. Each command marks the ledger once, with its run, its step and which execution it is;
// a sleep before and one after make room for a kill on either side of the side effect.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The pool that `pooled` is sent to. */
export const POOL = 'dba'

/** @param {string} ledger @param {string} work what stands in the ledger @param {{ before?: number, after?: number }} [seconds] */
const marking = (ledger, work, { before = 0.2, after = 0.2 } = {}) =>
  [
    `sleep ${before}`,
    `printf '%s %s %s %s\\n' "$SOP_RUN_ID" "${work}" "$SOP_ATTEMPT" "$(date +%s%3N)" >> '${ledger}'`,
    `echo "effect ${work} $SOP_ATTEMPT"`,
    `sleep ${after}`,
  ].join('\n')

/** @param {number} number @param {string} settings lines of bullets @param {string} script @param {string} [more] further fences */
const step = (number, settings, script, more = '') =>
  `## Step ${number}: Part ${number}\n\n${settings}\n\n${script === '' ? '' : `\`\`\`bash\n${script}\n\`\`\`\n`}${more}\n`

/** @param {string} ledger @param {number} number */
const undo = (ledger, number) => `\n\`\`\`bash rollback\n${marking(ledger, `rollback:${number}`)}\n\`\`\`\n`

/** @param {string} name @param {string} front further lines of front matter @param {readonly string[]} steps */
const sop = (name, front, steps) => `---\nname: ${name}\n${front}\n---\n\n# ${name}\n\n${steps.join('\n')}`

/** The shapes that this version carries out, by name. @param {string} ledger @returns {Readonly<Record<string, string>>} */
export const shapesOf = (ledger) => {
  const mark = (/** @type {number} */ number, /** @type {object} */ seconds = {}) =>
    marking(ledger, `step:${number}`, seconds)
  return {
    sequential: sop('sequential', 'execution_mode: auto', [
      step(1, '', mark(1)),
      step(2, '', mark(2)),
      step(3, '', `echo "built=yes" >> "$SOP_OUTPUT"\n${mark(3)}`),
      step(4, '- if: built', mark(4)),
    ]),
    person: sop('person', 'execution_mode: supervised', [
      step(1, '', mark(1)),
      step(2, '- requires_approval: true', mark(2)),
      step(3, '- requires_approval: true', mark(3)),
    ]),
    careful: sop('careful', 'execution_mode: step_by_step', [
      step(1, '- idempotent: true', mark(1)),
      step(2, '- idempotent: true', mark(2)),
    ]),
    timer: sop('timer', 'execution_mode: auto', [
      step(1, '', mark(1)),
      step(2, '- requires_approval: true\n- approval_timeout: 2s', mark(2)),
      step(3, '- requires_approval: true\n- approval_timeout: 5s', mark(3)),
    ]),
    retries: sop('retries', 'execution_mode: auto', [
      step(1, '- retries: 4\n- retry_delay: 1s\n- idempotent: true', `${mark(1)}\ntest "$SOP_ATTEMPT" -ge 3`),
      step(2, '- retries: 2', `${mark(2)}\ntest "$SOP_ATTEMPT" -ge 2`),
    ]),
    idempotent: sop('idempotent', 'execution_mode: auto', [
      step(1, '- idempotent: true', mark(1, { before: 1, after: 1 })),
      step(2, '- idempotent: true', mark(2, { before: 0.5, after: 1 })),
    ]),
    manual: sop('manual', 'execution_mode: auto', [
      step(1, '', mark(1)),
      `## Step 2: Ask\n\nLook at it.\n\n- It is there\n- It is whole\n\n**Form**: { ticket = { type = "string", required = true } }\n`,
      step(3, '', `test "$ticket" = OPS-1\n${mark(3)}`),
    ]),
    long: sop('long', 'execution_mode: supervised\ngates:\n  post_check:\n    type: approval\n    timeout: 3s', [
      step(1, '', mark(1, { before: 6, after: 6 })),
      step(2, '- idempotent: true', mark(2, { before: 4, after: 4 })),
    ]),
    failing: sop('failing', 'execution_mode: supervised', [
      step(1, '', mark(1)),
      step(2, '- on_failure: pause', `${mark(2)}\ntest "$SOP_ATTEMPT" -ge 2`),
      step(3, '', mark(3)),
    ]),
    checked: sop('checked', 'execution_mode: auto', [
      step(1, '', mark(1), '\n```bash verify\nsleep 0.5\n```\n'),
      step(2, '- wait: 2s', ''),
      step(3, '', mark(3), '\n```bash verify\ntrue\n```\n'),
    ]),
    pausing: sop('pausing', 'execution_mode: auto', [
      step(1, '', mark(1, { before: 0.5, after: 1 })),
      step(2, '', mark(2)),
    ]),
    rollback: sop('rollback', 'execution_mode: auto', [
      step(1, '', mark(1), undo(ledger, 1)),
      step(2, '', mark(2), undo(ledger, 2)),
      step(3, '- on_failure: rollback', `${mark(3)}\nfalse`),
    ]),
    undone: sop('undone', 'execution_mode: auto', [
      step(1, '', mark(1), undo(ledger, 1)),
      step(2, '', mark(2), undo(ledger, 2)),
      step(3, '- requires_approval: true', mark(3)),
    ]),
    branches: sop('branches', 'execution_mode: auto', [
      step(1, '', mark(1)),
      step(2, '- needs: 1\n- requires_approval: true', mark(2)),
      step(3, '- needs: 1\n- idempotent: true', mark(3, { before: 0.5, after: 0.5 })),
      step(4, '- needs: 3', mark(4)),
      step(5, '- needs: [2, 4]', mark(5)),
    ]),
    items: sop('items', 'execution_mode: auto', [
      step(1, '- outputs: hosts', `echo 'hosts=["a", "b", "c", "d"]' >> "$SOP_OUTPUT"\n${mark(1)}`),
      step(2, '- for_each: hosts\n- max_parallel: 2\n- on_failure: pause', marking(ledger, 'step:2[$SOP_ITEM_NUMBER]')),
      step(3, '', mark(3)),
    ]),
    parent: sop('parent', 'execution_mode: auto', [
      step(1, '', mark(1)),
      step(2, '- sop: person\n- on_failure: pause', ''),
      step(3, '', mark(3)),
    ]),
    pooled: sop('pooled', 'execution_mode: auto', [
      step(1, `- runs_on: ${POOL}`, mark(1, { before: 0.5, after: 0.5 })),
      step(2, `- runs_on: ${POOL}\n- idempotent: true`, mark(2)),
      step(3, '', mark(3)),
    ]),
    slots: sop('slots', 'execution_mode: auto\nmax_concurrent: 1', [step(1, '', mark(1)), step(2, '', mark(2))]),
  }
}

/** Writes the shapes where an engine finds them. @param {string} sopDir @param {Readonly<Record<string, string>>} shapes */
export const writeShapes = async (sopDir, shapes) => {
  await mkdir(sopDir, { recursive: true })
  for (const [name, text] of Object.entries(shapes)) await writeFile(join(sopDir, `${name}.md`), text)
}

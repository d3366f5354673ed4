import { expect, test } from 'vitest'
import { compile } from '../../../src/core/compile.ts'
test.each([
  ['[approvers: alice, group:release]', ['alice', 'group:release']],
  ['[approvers: group:a, group:b, timeout: 5m]', ['group:a', 'group:b']],
  ['[approvers: [alice, group:dba], requires_approval: true]', ['alice', 'group:dba']],
])('a bracket list keeps every approver of %s', (brackets, approvers) => {
  const text = `---\nname: a\n---\n## Step 1: Go ${brackets}\n\`\`\`bash\ntrue\n\`\`\`\n`
  const { definition, diagnostics } = compile({ files: [{ path: 'a.md', text }], fallbackName: 'a' })
  expect(diagnostics).toEqual([])
  expect(definition?.steps[0]?.approvers).toEqual(approvers)
})

import { spawnSync } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCatalog } from '../../src/client/catalog.ts'
import { type Command, DIALECTS, type SopDefinition, type Step } from '../../src/core/definition.ts'
import { unsupported } from '../../src/core/run/supported.ts'
import { ROOT } from './markdown.ts'

const entries = await createCatalog({ sopDir: join(ROOT, 'sops') }).list()
const definitions = entries.flatMap(({ compiled }) => (compiled.definition === undefined ? [] : [compiled.definition]))

const commandsOf = ({ steps, gates = [] }: SopDefinition): readonly Command[] => [
  ...steps.flatMap(({ action, verify = [] }) => [...(action.kind === 'shell' ? action.commands : []), ...verify]),
  ...gates.flatMap(({ command }) => (command === undefined ? [] : [command])),
]

test('every procedure that the examples promise is there', () => {
  expect(entries.map(({ name }) => name)).toEqual([
    'alert-triage',
    'backup-report',
    'certificate-rotation',
    'cleanup-logs',
    'daily-backup',
    'db-backup',
    'deploy-frontend',
    'deploy-on-push',
    'deploy-prod',
    'deploy-production',
    'deploy-to-production',
    'disk-incident',
    'employee-onboarding',
    'health-check',
    'import-orders',
    'incident',
    'incident-response',
    'maintenance-window',
    'move-database',
    'nightly-release',
    'page-response',
    'patch-fleet',
    'patching',
    'process-daily-data',
    'qa-testing',
    'regional-rollout',
    'restore-test',
    'security-patch',
    'welcome',
  ])
})

describe.each(entries.map((entry) => [entry.name, entry] as const))('%s', (name, { path, compiled }) => {
  test('compiles without a finding', () => {
    expect(compiled.diagnostics).toEqual([])
  })

  test('has the name of its folder or file', () => {
    expect(path.includes('/') ? dirname(path) : basename(path, '.md')).toBe(name)
  })

  test('can be started by this version', () => {
    expect(compiled.definition && unsupported(compiled.definition)).toEqual([])
  })

  test('has commands that bash can read and that stay on this machine', () => {
    for (const { interpreter, script } of compiled.definition ? commandsOf(compiled.definition) : []) {
      const { stderr } = spawnSync(interpreter, ['-n'], { input: script, encoding: 'utf8' })
      expect(stderr).toBe('')
      expect(script).not.toMatch(/\b(curl|wget|ssh|scp|sudo|git|npm|docker|kubectl)\b(?! ci)/)
    }
  })
})

const anyStep = (has: (step: Step) => boolean): boolean => definitions.some(({ steps }) => steps.some(has))
const anyParam = (has: (param: NonNullable<SopDefinition['params']>[number]) => boolean): boolean =>
  definitions.some(({ params = [] }) => params.some(has))

const SHOWN: Readonly<Record<string, () => boolean>> = {
  'a choice': () => anyParam(({ type }) => type === 'choice'),
  'a pattern': () => anyParam(({ pattern }) => pattern !== undefined),
  'a secret param': () => anyParam(({ secret }) => secret === true),
  'a required param': () => anyParam(({ required }) => required === true),
  'outputs that are handed on': () => anyStep(({ outputs }) => outputs !== undefined),
  'retries with a delay': () =>
    anyStep(({ retries, retryDelayMs }) => retries !== undefined && retryDelayMs !== undefined),
  'on_failure goto': () => anyStep(({ onFailure }) => onFailure?.kind === 'goto'),
  'on_failure continue': () => anyStep(({ onFailure }) => onFailure?.kind === 'continue'),
  'on_failure retry': () => anyStep(({ onFailure }) => onFailure?.kind === 'retry'),
  'a verify fence': () => anyStep(({ verify }) => verify !== undefined),
  'a wait': () => anyStep(({ action }) => action.kind === 'wait'),
  'an http request': () => anyStep(({ action }) => action.kind === 'http'),
  'a checklist': () => anyStep(({ action }) => action.kind === 'manual' && (action.checklist ?? []).length > 0),
  'a form': () => anyStep(({ action }) => action.kind === 'manual' && (action.form ?? []).length > 0),
  'an assignee and a due time': () =>
    anyStep(({ action }) => action.kind === 'manual' && action.assignee !== undefined && action.dueMs !== undefined),
  'approvers with a time limit': () =>
    anyStep(
      ({ approvers, approvalTimeoutMs, onTimeout }) => !!approvers && !!approvalTimeoutMs && onTimeout === 'reject',
    ),
  'a gate that waits for ever': () => anyStep(({ approvalTimeoutMs }) => approvalTimeoutMs === null),
  'a gate before all steps': () =>
    definitions.some(({ gates }) => gates?.some(({ position }) => position.at === 'start')),
  'a verification after all steps': () =>
    definitions.some(({ gates }) =>
      gates?.some(({ type, position }) => type === 'verification' && position.at === 'end'),
    ),
  'required conditions': () => definitions.some(({ conditions }) => (conditions?.requires ?? []).length > 0),
  'a condition as an expression': () => definitions.some(({ conditions }) => conditions?.expression !== undefined),
  'every mode': () =>
    ['auto', 'supervised', 'step_by_step', 'priority_based'].every((mode) =>
      definitions.some((each) => each.mode === mode),
    ),
}

test.each(Object.entries(SHOWN))('some example shows %s', (_, isShown) => {
  expect(isShown()).toBe(true)
})

test.each(DIALECTS)('some example is written in dialect %s', (dialect) => {
  expect(definitions.some((definition) => definition.dialect === dialect)).toBe(true)
})

import { builtinModules } from 'node:module'
import tseslint from 'typescript-eslint'

const NODE = [...builtinModules, ...builtinModules.map((name) => `node:${name}`)]
const unique = (/** @type {readonly string[]} */ names) => [...new Set(names)]

/** Calls that give another answer on replay, or on another machine. */
const IMPURE = [
  { name: 'process', message: 'The core decides from what it is given: pass it in.' },
  { name: 'fetch', message: 'Ask the network in an activity.' },
  { name: 'performance', message: 'There is no clock here: pass the time in.' },
  { name: 'crypto', message: 'Use @noble/hashes, and pass randomness in.' },
  { name: 'Buffer', message: 'Use Uint8Array and TextEncoder.' },
]

export default tseslint.config(
  {
    ignores: ['dist/**', 'dist.*/**', 'node_modules/**', 'test/fixtures/**', 'test/**/*.mjs', 'coverage/**', '.sop/**'],
  },
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.js'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // An `async` function without `await` is how a port that happens to be synchronous keeps its promise to reject, not throw.
      '@typescript-eslint/require-await': 'off',
      // Our ports are records of functions, made by `create…`: none of them reads `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' }],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'src/config/environment.ts reads it; take what you need as an argument.',
        },
      ],
    },
  },
  { files: ['src/config/environment.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['src/core/**/*.ts', 'src/workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...IMPURE],
      'no-restricted-imports': [
        'error',
        {
          paths: unique(NODE).map((name) => ({ name, message: 'Nothing here may touch the machine.' })),
          patterns: [
            {
              group: ['@temporalio/client', '@temporalio/worker', '@temporalio/activity'],
              message: 'Only an edge may.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: 'There is no clock here: pass the time in.',
        },
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'There is no clock here: pass the time in.',
        },
        {
          selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
          message: 'There is no chance here: pass it in.',
        },
      ],
    },
  },
  // They run what is built: there are no types to be had before a build.
  {
    files: ['scripts/bench.mjs', 'scripts/bench/**/*.mjs', 'scripts/chaos.mjs', 'scripts/chaos/**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false } },
  },
  {
    files: ['scripts/*.mjs', '*.config.*'],
    rules: {
      // In plain JavaScript the type of what JSON.parse gives is said in a comment, which the rule does not see.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Matchers such as expect.any() and rows of test.each are typed loosely by the test runner.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      // What a command or the API printed is read as JSON and compared at once.
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
)

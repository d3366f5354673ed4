import { defineConfig } from 'vitest/config'

/** Tests that need neither a Temporal server nor a build: they run in `npm run check` as well. */
const UNIT = ['test/core/**/*.test.ts', 'test/scripts/**/*.test.ts', 'test/*.test.ts']

export default defineConfig({
  test: {
    // Processes, not threads: Temporal's native module, its Runtime singleton and signal handlers are one per process.
    pool: 'forks',
    maxWorkers: 3,
    teardownTimeout: 30_000,
    // One second, as it comes, is little where the machine has other work.
    expect: { poll: { timeout: 20_000 } },
    // No test may lean on the zone of the machine that it runs on.
    env: { TZ: 'UTC' },
    projects: [
      {
        extends: true,
        // They are pure, so they may share what they import: a third of their time was reading it anew.
        test: { name: 'unit', include: UNIT, testTimeout: 60_000, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          // Nor do these leave anything behind; what they import costs more processor time than many of them.
          isolate: false,
          // Whatever is not a unit test belongs here, so that no file is ever left out.
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT, 'test/fixtures/**'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})

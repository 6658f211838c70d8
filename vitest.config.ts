import { defineConfig } from 'vitest/config';

/** Tests that look at the whole process: what others have left there would be theirs. */
const alone = ['src/local/echo/runtime.test.ts', 'src/cli/heap.test.ts', 'src/proxy/testing/faults/faults.test.ts'];

export default defineConfig({
  test: {
    // Many tests wait, for time-outs above all: three at once are faster on two cores than two.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'rooms',
          include: ['src/**/*.test.ts'],
          exclude: alone,
          // Loading the modules anew for each file would take longer than the tests.
          isolate: false,
          testTimeout: 20_000,
          hookTimeout: 30_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts', ...alone],
          testTimeout: 20_000,
          hookTimeout: 30_000,
          pool: 'forks',
        },
      },
    ],
  },
});

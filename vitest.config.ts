import { defineConfig } from 'vitest/config';

/** Tests that look at the whole process: what others have left there would be theirs. */
const alone = ['src/local/echo/runtime.test.ts', 'src/cli/heap.test.ts', 'src/proxy/testing/faults/faults.test.ts'];

// Texts are compared without colours, whatever the terminal or the job asks for.
const env = { NO_COLOR: '1', FORCE_COLOR: '0' };

const common = { testTimeout: 20_000, hookTimeout: 30_000, pool: 'forks', env } as const;

/** Loading the modules anew for each file would take a quarter of the time. */
const together = { ...common, isolate: false } as const;

export default defineConfig({
  test: {
    // Many tests wait, for time-outs above all: three at once are faster on two cores than two.
    maxWorkers: 3,
    projects: [
      { test: { ...together, name: 'rooms', include: ['src/**/*.test.ts'], exclude: alone } },
      { test: { ...together, name: 'whole', include: ['test/**/*.test.ts'] } },
      { test: { ...common, name: 'alone', include: alone } },
    ],
  },
});

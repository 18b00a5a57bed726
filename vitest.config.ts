import { defineConfig } from 'vitest/config';

// `unit` runs anywhere in seconds. `system` needs root and Debian's daemons (network namespaces, FRR, BIRD, GoBGP, OVN): one
// file at a time, because they share the machine.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/system/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

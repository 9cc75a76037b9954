import { defineConfig } from 'vitest/config'

// Unit tests run on the virtual clock and in memory; tests over real sockets, workers and browsers await events.
// `maxWorkers` is two because two cores are what CI and a small VPS have.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})

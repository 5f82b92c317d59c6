import { defineConfig } from "vitest/config";

const tries = { pool: "forks" as const, passWithNoTests: false };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tries,
          name: "unit",
          include: ["src/**/*.test.ts", "test/house/**/*.test.ts", "test/sim/**/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        // Real containers, networks and clients: one file at a time, so that timing-sensitive cases have the machine.
        test: {
          ...tries,
          name: "scenarios",
          include: ["test/scenarios/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

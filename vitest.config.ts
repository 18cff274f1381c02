// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

const conditions = ["@hot/source", "module", "node"];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };

const long = "**/*.long.test.ts";

/**
 * Tests run on the sources, without a build. `*.process.test.ts` start real processes; `*.long.test.ts` take minutes or
 * fetch what they need, and are run by `pnpm test:long`, not by `pnpm test`.
 */
export default defineConfig({
  ...shared,
  test: {
    maxWorkers: 2,
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          include: [
            "packages/*/test/**/*.test.ts",
            "apps/*/test/**/*.test.ts",
            "test/image/**/*.test.ts",
            "test/bench/**/*.test.ts",
          ],
          exclude: ["**/*.process.test.ts", long, "**/node_modules/**"],
          testTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: "process",
          include: [
            "packages/*/test/**/*.process.test.ts",
            "apps/*/test/**/*.process.test.ts",
            "test/local/**/*.test.ts",
            "test/packing/**/*.test.ts",
            "test/image/**/*.process.test.ts",
            "test/bench/**/*.process.test.ts",
          ],
          exclude: [long, "**/node_modules/**"],
          // They wait more than they work.
          maxWorkers: 3,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        test: {
          name: "long",
          include: [`packages/*/test/${long}`, `test/${long}`],
          maxWorkers: 1,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 2 },
        },
      },
      { ...shared, test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], testTimeout: 60_000 } },
      { ...shared, test: { name: "chart", include: ["test/chart/**/*.test.ts"], testTimeout: 60_000 } },
    ],
  },
});

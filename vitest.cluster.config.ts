// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

const conditions = ["@hot/source", "module", "node"];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};
/** They start a cluster of their own, with nothing installed, and type the commands of docs/operations.md. */
const pages = ["test/cluster/operations.test.ts", "test/cluster/migration.test.ts"];

/** `pnpm test:cluster`, and `pnpm test:pages`: one file at a time, because they share one real cluster or one machine. */
export default defineConfig({
  test: {
    fileParallelism: false,
    projects: [
      {
        ...shared,
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          exclude: pages,
          globalSetup: "test/cluster/setup.ts",
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      { ...shared, test: { name: "pages", include: pages, testTimeout: 180_000, hookTimeout: 180_000 } },
    ],
  },
});

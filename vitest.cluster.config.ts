// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

const conditions = ["@hot/source", "module", "node"];

/** `pnpm test:cluster`: one file at a time, because all of them share one real cluster. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["test/cluster/**/*.test.ts"],
    globalSetup: "test/cluster/setup.ts",
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});

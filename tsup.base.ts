// SPDX-License-Identifier: Apache-2.0
import type { Options } from "tsup";

/** What every package's build has in common: ESM for Node 24, declarations, source maps, clean output. */
export const base: Options = {
  entry: ["src/index.ts"],
  format: "esm",
  target: "node24",
  platform: "node",
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: true,
};

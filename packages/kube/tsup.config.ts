// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "tsup";
import { base } from "../../tsup.base.ts";

export default defineConfig({
  ...base,
  entry: { index: "src/index.ts", certificates: "src/certificates.ts", testing: "src/testing/index.ts" },
});

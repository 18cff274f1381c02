// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { provide } from "../../tools/cluster/binaries.ts";

/** What the tests of pages need beforehand: they start their clusters themselves. */
export default function setup({ provide: give }: TestProject): void {
  give(
    "helm",
    join(
      provide("helm", (sentence) => void process.stderr.write(`${sentence}\n`)),
      "helm",
    ),
  );
}

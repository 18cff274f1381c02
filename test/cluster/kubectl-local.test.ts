// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { test } from "vitest";
import { provide } from "../../tools/cluster/binaries.ts";
import { kubectlWalk } from "../local/kubectl-walk.ts";

test("the kubectl binary walks through a hot upgrade on the embedded cluster", async () => {
  await kubectlWalk(
    join(
      provide("kubernetes", () => undefined),
      "kubectl",
    ),
  );
});

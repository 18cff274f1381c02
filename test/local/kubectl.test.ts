// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { cacheFolder } from "../../tools/cluster/binaries.ts";
import { kubectlWalk } from "./kubectl-walk.ts";

const [kubectl] = existsSync(cacheFolder()) ? globSync(join(cacheFolder(), "kubernetes-*", "kubectl")) : [];

// Building it takes minutes; the cluster tests do, and run the same walk.
test.skipIf(kubectl === undefined)(
  `the kubectl binary walks through a hot upgrade${kubectl === undefined ? " (needs `pnpm cluster build kubernetes`)" : ""}`,
  () => kubectlWalk(kubectl ?? ""),
);

// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { test } from "vitest";
import { provide } from "../../tools/cluster/binaries.ts";
import { kubectlWalk } from "../local/kubectl-walk.ts";
import { own } from "./kit.ts";

test("the kubectl binary walks through a hot upgrade on the embedded cluster", async () => {
  // whoever brings a cluster brings a kubectl
  const folder = own ? provide("kubernetes", () => undefined) : "";
  await kubectlWalk(join(folder, "kubectl"));
});

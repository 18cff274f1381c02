// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from "vitest";
import { explore } from "./lineage/explore.ts";

vi.setConfig({ testTimeout: 600_000 });

test.each([
  { crashes: 2, hangs: 1, tells: 0, restarts: 1, removals: 0 },
  { crashes: 1, hangs: 1, tells: 1, restarts: 0, removals: 1 },
  { crashes: 1, hangs: 0, tells: 2, restarts: 1, removals: 0 },
  { crashes: 0, hangs: 2, tells: 1, restarts: 0, removals: 0 },
  { crashes: 2, hangs: 0, tells: 1, restarts: 2, removals: 0 },
])("with %o every promise holds", (faults) => {
  const { trace, worlds } = explore(faults);
  expect(trace).toBeNull();
  expect(worlds).toBeGreaterThan(10_000);
});

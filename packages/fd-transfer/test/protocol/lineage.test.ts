// SPDX-License-Identifier: Apache-2.0
// Three generations of one lineage, exhaustively: every order of messages, timers, starts, crashes, hangs, restarts,
// stops and removals of owner.sock. At most one owner, epochs that grow, somebody who accepts, owner.sock at the owner,
// never stuck; and each rule switched off breaks a promise. lineage.long.test.ts has more faults at once.
import { expect, test, vi } from "vitest";
import { explore } from "./lineage/explore.ts";
import type { Faults } from "./lineage/moves.ts";
import { RULES_OFF } from "./lineage/rules-off.ts";

vi.setConfig({ testTimeout: 120_000 });

const NONE: Faults = { crashes: 0, hangs: 0, tells: 0, restarts: 0, removals: 0 };

test.each<[Partial<Faults>, number]>([
  [{}, 100],
  [{ crashes: 2 }, 500],
  [{ crashes: 1, restarts: 1 }, 1_000],
  [{ crashes: 1, hangs: 1 }, 1_000],
  [{ crashes: 1, tells: 1 }, 1_000],
  [{ tells: 3 }, 1_000],
  [{ removals: 1, crashes: 1 }, 500],
])("with %o every promise holds", (faults, atLeast) => {
  const { trace, worlds } = explore({ ...NONE, ...faults });
  expect(trace).toBeNull();
  expect(worlds).toBeGreaterThan(atLeast);
});

test.each(RULES_OFF)("%s: without it a promise is broken", (_name, variant, faults) => {
  expect(explore({ ...NONE, ...faults }).trace).toBeNull();
  expect(explore({ ...NONE, ...faults }, variant).trace).not.toBeNull();
});

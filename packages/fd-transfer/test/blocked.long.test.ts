// SPDX-License-Identifier: Apache-2.0
import { test } from "vitest";
import type { Blocked } from "./fixtures/blocked.ts";
import { upgradeWhileBlocked } from "./fixtures/blocked.ts";

const ALL: readonly Blocked[] = [
  ["old", "before-handle HELLO"],
  ["old", "before-handle FDS_ACK"],
  ["old", "before-handle COMMIT"],
  ["old", "before-send COMMITTED"],
  ["old", "before-handle ACCEPTING"],
  ["old", "before-handle GUARD_OK"],
  ["old", "before-send MOVE"],
  ["new", "before-handle FDS"],
  ["new", "before-send PREPARED"],
  ["new", "before-send COMMIT"],
  ["new", "before-handle COMMITTED"],
  ["new", "after-send ACCEPTING"],
  ["new", "after-send GUARD_OK"],
  ["new", "before-handle MOVE"],
];

// Most of a case is the standstill, so as many at once as vitest allows do not slow each other down.
test.concurrent.each(ALL)(
  "the %s side stands still %s: nothing fails, the new one owns, and the next one after it",
  async (...blocked: Blocked) => upgradeWhileBlocked(blocked),
);

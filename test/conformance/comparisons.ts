// SPDX-License-Identifier: Apache-2.0
import { compareRound, compareStrategy } from "../../packages/controller/test/corpus/check-case.ts";
import { compareCase } from "../../packages/inject/test/corpus/check-case.ts";
import { checks } from "../../packages/spec/test/corpus/checks.ts";

/** What we do and what upstream does, or a sentence about the difference; `undefined`: no difference. */
export type Compared = { actual: unknown; wanted: unknown } | string | undefined;

/** How a line of each known corpus file is judged. */
export const comparisons: Readonly<Record<string, (line: never) => Compared>> = {
  ...checks,
  "inject.jsonl": compareCase,
  "strategy.jsonl": compareStrategy,
  "hot-upgrade.jsonl": compareRound,
};

/** Cases that are not marked as quirks and differ on purpose, with the reason; docs/compatibility.md explains them. */
export const deliberate: Readonly<Record<string, string>> = {
  "s0/both-empty": "repaired first, marked as updated in the next round",
  "s0/working-annotation-absent": "roles come from the versions",
  "s0/working-annotation-wrong-value": "roles come from the versions, so the serving side is never emptied",
  "s0/empty-image-changed-flips-at-once": "a pod keeps the empty image that it was injected with",
  "s1/paused-no-flip": "a pause does not freeze what has started",
  "s1/notupdate-no-flip": "NotUpdate does not freeze what has started",
  "s1/both-not-ready": "the serving side is not overwritten while the new one is unproven",
  "s1/state-annotation-broken": "the receipt does not depend on the in-place state",
  "flipped/next-upgrade": "versions only grow, also when the SidecarSet's is the same",
  "cold/digest-not-normalised": "image names are normalised",
  "mixed/cold-inconsistent-blocks-flip": "a pair is reset by its own receipt",
};

/** Random pod states that no controller writes: repaired, adopted or reported here, so differences are not judged. */
export function isUnjudged(file: string, name: string): boolean {
  return file === "hot-upgrade.jsonl" && name.startsWith("random/");
}

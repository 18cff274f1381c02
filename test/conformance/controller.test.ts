// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import {
  compareRound,
  compareStrategy,
  type RoundCase,
  type StrategyCase,
} from "../../packages/controller/test/corpus/check-case.ts";

/** Outside the repository; the tests of packages/controller state the same rules. */
const CORPUS = new URL("../../../shared/conformance/open/", import.meta.url);
const read = <C>(file: string): C[] => {
  const url = new URL(file, CORPUS);
  if (!existsSync(url)) return [];
  const lines = readFileSync(url, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as C);
};

const strategy = read<StrategyCase>("strategy.jsonl");
/** Priorities and scatter: not there yet. */
const isOpen = ({ input }: StrategyCase): boolean =>
  input.updateStrategy.priorityStrategy !== undefined || input.updateStrategy.scatterStrategy !== undefined;

describe.skipIf(strategy.length === 0)("strategy.jsonl", () => {
  test.each(strategy.filter((one) => one.quirk === undefined && !isOpen(one)))("$name", (one) => {
    const { actual, wanted } = compareStrategy(one);
    expect(actual).toEqual(wanted);
  });

  test("quirks: those that are fixed on purpose, and no others", () => {
    const quirks = strategy.filter((one) => one.quirk !== undefined && !isOpen(one));
    const different = quirks.filter((one) => differs(compareStrategy(one)));
    expect(different.map(({ name }) => name)).toEqual(FIXED_STRATEGY);
  });
});

const rounds = read<RoundCase>("hot-upgrade.jsonl");
const isRandom = ({ name }: RoundCase): boolean => name.startsWith("random/");

describe.skipIf(rounds.length === 0)("hot-upgrade.jsonl: one round", () => {
  const strict = rounds.filter((one) => one.quirk === undefined && !isRandom(one) && !(one.name in DIFFERENT));
  test.each(strict)("$name", (one) => {
    const { actual, wanted } = compareRound(one);
    expect(actual).toEqual(wanted);
  });

  test("what differs on purpose, and nothing else", () => {
    const different = rounds.filter((one) => !isRandom(one) && differs(compareRound(one)));
    expect(different.map(({ name }) => name).sort()).toEqual(Object.keys(DIFFERENT).sort());
  });

  // Random states are mostly contradictory: images, versions and annotations that no controller writes together. Kruise
  // flips them blindly; here they are repaired, adopted or reported, and updatedPods looks at images too.
  test("random states: how many are treated alike is printed, not judged", () => {
    const random = rounds.filter(isRandom);
    const alike = random.filter((one) => !differs(compareRound(one))).length;
    console.log(`hot-upgrade.jsonl: random ${alike} of ${random.length} alike`);
    expect(random).not.toHaveLength(0);
  });
});

function differs({ actual, wanted }: { actual: unknown; wanted: unknown }): boolean {
  return !isDeepStrictEqual(actual, wanted);
}

const FIXED_STRATEGY = ["count/20 n=10 upd=0 ready=0"]; // a partition that can't be read holds everything back

const DIFFERENT: Record<string, string> = {
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

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { hotUpgradePolicy, isStalled, retryToken, type SidecarSet } from "../src/index.ts";

const KEY = "hot.internal/retry";

describe("the token of a retry", () => {
  test.each([
    [undefined, ""],
    [{}, ""],
    [{ [KEY]: "" }, ""],
    [{ [KEY]: "1767225600" }, "1767225600"],
    [{ [KEY]: "x".repeat(100_000) }, "x".repeat(64)],
  ])("%j", (annotations, token) => {
    expect(retryToken(annotations === undefined ? {} : { annotations })).toBe(token);
  });
});

describe("a rollout is stalled", () => {
  const stalled = (observedGeneration: number, observedRetry?: string, retry?: string): SidecarSet => ({
    metadata: { name: "s", generation: 3, ...(retry !== undefined && { annotations: { [KEY]: retry } }) },
    spec: {},
    status: {
      matchedPods: 0,
      updatedPods: 0,
      readyPods: 0,
      ...(observedRetry !== undefined && { observedRetry }),
      conditions: [
        { type: "Stalled", status: "True", observedGeneration, reason: "Stalled", message: "", lastTransitionTime: "" },
      ],
    },
  });

  test.each([
    ["for this generation", stalled(3), true],
    ["for an earlier one", stalled(2), false],
    ["for this generation and this retry", stalled(3, "a", "a"), true],
    ["and a retry is asked for", stalled(3, undefined, "a"), false],
    ["and another retry is asked for", stalled(3, "a", "b"), false],
    ["and the annotation is taken away: that asks for nothing", stalled(3, "a"), true],
  ])("%s: %s", (_, sidecarSet, expected) => expect(isStalled(sidecarSet)).toBe(expected));

  test("not without a status", () => expect(isStalled({ metadata: {}, spec: {} })).toBe(false));
});

test("new pods get the newest revision unless something else is wished", () => {
  const policy = (hotUpgrade: object) => hotUpgradePolicy({ spec: { updateStrategy: { hotUpgrade } } });
  expect(policy({}).newPodsWhenStalled).toBe("Newest");
  expect(policy({ newPodsWhenStalled: "LastGood" }).newPodsWhenStalled).toBe("LastGood");
});

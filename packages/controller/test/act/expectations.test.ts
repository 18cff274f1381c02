// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { createExpectations } from "../../src/act/expectations.ts";
import { projectPod, type PodProjection } from "../../src/index.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";

const pod = (resourceVersion: string): PodProjection => {
  const one = injectedPod(sidecarSet({ image: "x:1" }));
  return projectPod({ ...one, metadata: { ...one.metadata, uid: "u", resourceVersion } });
};

test.each(["written", "unclear", "drop"] as const)(
  "an answer that comes late (%s) says nothing about the next write of the pod",
  (late) => {
    const expectations = createExpectations(() => 0);
    const before = expectations.expect(pod("5"), "upgrade");
    // The cache shows the write before its answer is here, and another SidecarSet writes.
    expect(expectations.pending(() => pod("6")).size).toBe(0);
    const next = expectations.expect(pod("6"), "reset");
    before?.[late]("6");
    expect(expectations.pending(() => pod("6"))).toEqual(new Map([["u", "reset"]]));
    expect(expectations.unresolved(() => pod("6"))).toEqual([]);
    next?.written("7");
    expect(expectations.pending(() => pod("6"))).toEqual(new Map([["u", "reset"]]));
    expect(expectations.pending(() => pod("7")).size).toBe(0);
  },
);

test("one write of a pod at a time, until the cache shows it", () => {
  const expectations = createExpectations(() => 0);
  const first = expectations.expect(pod("5"), "upgrade");
  expect(expectations.expect(pod("5"), "mark")).toBeUndefined();
  first?.written("6");
  expect(expectations.expect(pod("5"), "mark")).toBeUndefined();
  expect(expectations.expect(pod("6"), "mark")).toBeDefined();
});

test("a state older than the one that was planned on tells nothing, unless versions are no numbers", () => {
  const expectations = createExpectations(() => 0);
  expectations.expect(pod("10"), "upgrade")?.unclear();
  expect(expectations.pending(() => pod("9"))).toEqual(new Map([["u", "upgrade"]]));
  expect(expectations.unresolved(() => pod("9"))).toMatchObject([{ name: "web-0", read: "10" }]);
  expect(expectations.pending(() => pod("b")).size).toBe(0);
});

test("one that the cache never shows is too old after five minutes", () => {
  let now = 0;
  const expectations = createExpectations(() => now);
  expectations.expect(pod("5"), "upgrade")?.written("6");
  now = 5 * 60_000 - 1;
  expect(expectations.pending(() => pod("5")).size).toBe(1);
  now++;
  expect(expectations.pending(() => pod("5")).size).toBe(0);
});

test("a pod that is gone is expected no more", () => {
  const expectations = createExpectations(() => 0);
  expectations.expect(pod("5"), "upgrade");
  expectations.forget("u");
  expect(expectations.pending(() => pod("5")).size).toBe(0);
});

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
    expectations.expect(pod("5"), "upgrade");
    // The cache shows the write before its answer is here, and another SidecarSet writes.
    expect(expectations.pending([pod("6")]).size).toBe(0);
    expectations.expect(pod("6"), "reset");
    expectations[late](pod("5"), "6");
    expect(expectations.pending([pod("6")])).toEqual(new Map([["u", "reset"]]));
    expect(expectations.unresolved([pod("6")])).toEqual([]);
    expectations.written(pod("6"), "7");
    expect(expectations.pending([pod("6")])).toEqual(new Map([["u", "reset"]]));
    expect(expectations.pending([pod("7")]).size).toBe(0);
  },
);

test("a pod that is gone is expected no more", () => {
  const expectations = createExpectations(() => 0);
  expectations.expect(pod("5"), "upgrade");
  expectations.forget("u");
  expect(expectations.pending([pod("5")]).size).toBe(0);
});

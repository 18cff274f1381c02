// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { planFor } from "../support/planning.ts";

const old = sidecarSet({ image: "x:1" });
const seen = sidecarSet({ image: "x:2", resourceVersion: "5000", strategy: { maxUnavailable: 2 } });

/** Updated to the image that is wanted, by a SidecarSet of that version. */
function updated(version: string): Pod {
  const pod = injectedPod(seen, "web-0");
  const annotations = { ...pod.metadata.annotations, "version.sidecarset.kruise.io/x-1": version };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

test("a pod that was updated by a newer SidecarSet proves that the one which is seen is old: nothing starts in any other", () => {
  const { writes, pods, needsLiveSidecarSet } = planFor([updated("5001"), injectedPod(old, "web-1")], seen);
  expect(writes).toEqual([]);
  expect(needsLiveSidecarSet).toBe(true);
  expect(pods.map(({ reason }) => reason)).toEqual(["UpToDate", "StaleSidecarSet"]);
});

test("one that was updated by this very SidecarSet, or one that was read just now, holds nothing back", () => {
  const start = (version: string, live: boolean) =>
    planFor([updated(version), injectedPod(old, "web-1")], seen, { live }).writes.map(({ pod }) => pod.name);
  expect(start("5000", false)).toEqual(["web-1"]);
  expect(start("5001", true)).toEqual(["web-1"]);
});

test("where nothing is to start, nothing is read", () => {
  expect(planFor([updated("5001")], seen).needsLiveSidecarSet).toBe(false);
});

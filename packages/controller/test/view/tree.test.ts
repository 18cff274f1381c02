// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { explainPod, projectPod, viewSidecarSet } from "../../src/index.ts";
import { injectedPod, sidecarSet, T0 } from "../support/builders.ts";
import { carriedOut } from "../support/kubelet.ts";
import { upgrading } from "../support/planning.ts";

const v1 = sidecarSet({ image: "x:1" });
const v2 = sidecarSet({ image: "x:2" });
const view = (pods: Pod[], set?: SidecarSet) =>
  viewSidecarSet({
    name: "mesh",
    ...(set && { sidecarSet: set }),
    pods: pods.map(projectPod),
    namespaces: () => ({}),
    now: T0,
  });

test("a pod in mid-upgrade and one that waits for it", () => {
  const seen = view([injectedPod(v1, "web-1"), upgrading(injectedPod(v1, "web-0"), v2)], v2);
  expect(seen).toMatchObject({ name: "mesh", state: "Waiting", matched: 2, updated: 1, ready: 1 });
  expect(seen.pods.map(({ name, reason }) => [name, reason])).toEqual([
    ["web-0", "Upgrading"],
    ["web-1", "MaxUnavailableReached"],
  ]);
  expect(seen.pods[0]?.pairs).toEqual([
    {
      base: "x",
      state: "upgrading",
      sides: [
        { container: "x-1", role: "old", version: "1", image: "x:1", observed: "ready" },
        { container: "x-2", role: "working", version: "5000", image: "x:2", observed: "starting" },
      ],
    },
  ]);
  expect(explainPod(seen.pods[1]!)).toMatchObject({ code: "HOT1203", reason: "MaxUnavailableReached" });
});

test("a new side that can't be pulled", () => {
  const pod = carriedOut(upgrading(injectedPod(v1), v2), () => "pullError")!;
  expect(view([pod], v2).pods[0]?.pairs[0]?.sides[1]).toMatchObject({ observed: "waiting", waiting: "ErrImagePull" });
});

test("without a SidecarSet only unfinished pods are shown", () => {
  const seen = view([injectedPod(v1, "web-1"), upgrading(injectedPod(v1, "web-0"), v2)]);
  expect([seen.state, seen.pods.map((one) => one.name)]).toEqual(["Gone", ["web-0"]]);
});

test("the state is the condition of the present generation, or none", () => {
  const condition = { status: "True" as const, reason: "UpToDate", message: "all", lastTransitionTime: "" };
  const ready = (observedGeneration: number): SidecarSet => ({
    ...v1,
    status: {
      matchedPods: 0,
      updatedPods: 0,
      readyPods: 0,
      conditions: [{ ...condition, type: "Ready", observedGeneration }],
    },
  });
  expect(view([], ready(2))).toMatchObject({ state: "Ready", message: "all" });
  expect(view([], ready(1))).toMatchObject({ state: "Waiting" });
});

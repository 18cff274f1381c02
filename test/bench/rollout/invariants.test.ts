// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { handStep } from "../../../bench/rollout/api/by-hand.ts";
import { inspect, type Sighting } from "../../../bench/rollout/api/invariants.ts";
import { nodePod, reported } from "../../../bench/rollout/api/kubelet-status.ts";
import { EMPTY, imageOf, injected, sidecarSet } from "../../../bench/rollout/api/objects.ts";
import { patchSize } from "../../../bench/rollout/api/patch-size.ts";
import { Progress, stepsOf } from "../../../bench/rollout/api/progress.ts";
import { after, planFor } from "../../../packages/controller/test/support/planning.ts";

const T0 = Date.UTC(2030, 0, 1);
const wish = imageOf(2);
const next = stored();

/** As the API server has it; namespaces have no labels here. */
function stored(): SidecarSet {
  const { metadata, spec, ...rest } = sidecarSet(2);
  const { namespaceSelector: _, ...selected } = spec;
  return { ...rest, metadata: { ...metadata, uid: "s", resourceVersion: "50", generation: 2 }, spec: selected };
}

/** A change that gives the pod a later version. */
function changed(pod: Pod, change: Partial<Pod>): Pod {
  const { metadata } = pod;
  const resourceVersion = String(Number(metadata.resourceVersion) + 1);
  return { ...pod, ...change, metadata: { ...metadata, ...change.metadata, resourceVersion } };
}

function settledPod(): Pod {
  const { metadata, ...rest } = injected("web-0", sidecarSet(1));
  const pod: Pod = { ...rest, metadata: { ...metadata, uid: "u", resourceVersion: "100", generation: 1 } };
  return kubelet(pod, T0);
}

function kubelet(pod: Pod, now: number): Pod {
  return changed(pod, { status: reported(nodePod(pod), pod.status, now) });
}

function controller(pod: Pod, now: number): Pod {
  return after(pod, planFor([pod], next, { now }).writes[0]?.write);
}

/** A whole hot upgrade, state by state. */
function upgrade(): Pod[] {
  const states = [settledPod()];
  for (const minute of [1, 2]) {
    const now = T0 + minute * 60_000;
    states.push(controller(states.at(-1)!, now));
    states.push(kubelet(states.at(-1)!, now + 1_000));
  }
  return states;
}

function violations(states: readonly Pod[]): string[] {
  let seen: Sighting | undefined;
  return states.flatMap((pod) => {
    const found = inspect(seen, pod);
    ({ seen } = found);
    return found.violations;
  });
}

function withImage(pod: Pod, name: string, image: string): Pod {
  const containers = pod.spec.containers.map((one) => (one.name === name ? { ...one, image } : one));
  return changed(pod, { spec: { ...pod.spec, containers } });
}

test("the controller's own upgrade breaks no invariant and goes through all steps", () => {
  const states = upgrade();
  expect(violations(states)).toEqual([]);
  expect(states.map((pod) => stepsOf(pod, wish))).toEqual([
    [],
    ["upgraded"],
    ["upgraded", "received"],
    ["upgraded", "received", "reset"],
    ["upgraded", "received", "reset", "settled"],
  ]);
});

test("a reset before the receipt is found", () => {
  const [settled, upgraded] = upgrade();
  expect(violations([settled!, upgraded!, withImage(upgraded!, "proxy-1", EMPTY)])).toContainEqual(
    "proxy-1 is emptied without a receipt of proxy-2",
  );
});

test("ready of the container that the upgrade replaced is no receipt", () => {
  const [settled, upgraded] = upgrade();
  const statuses = settled!.status!.containerStatuses!.map((one) =>
    one.name === "proxy-2" ? { ...one, image: wish } : one,
  );
  const stale = changed(upgraded!, {
    status: { ...settled!.status, observedGeneration: 2, containerStatuses: statuses },
  });
  expect(violations([settled!, upgraded!, stale, withImage(stale, "proxy-1", EMPTY)])).toContainEqual(
    "proxy-1 is emptied without a receipt of proxy-2",
  );
});

test("two empty sides, a version that is not above the other and a target that is changed are found", () => {
  const [settled, upgraded, received] = upgrade();
  expect(violations([settled!, withImage(settled!, "proxy-1", EMPTY)])).toContain("both sides have the empty image");
  expect(violations([settled!, withImage(settled!, "proxy-2", wish)])).toContain("version 0 comes after 1");
  expect(violations([settled!, upgraded!, received!, withImage(received!, "proxy-2", imageOf(3))])).toContain(
    `proxy-2 gets ${imageOf(3)} in place of ${wish}`,
  );
});

test("a watch that goes back is found", () => {
  const [settled, upgraded] = upgrade();
  expect(violations([upgraded!, settled!])).toContain("the version of the pod went back");
});

test("times are those of the first sight of each step", () => {
  const progress = new Progress(1, wish);
  const done = upgrade().map((pod, at) => progress.observe("web-0", pod, at * 10));
  expect(done).toEqual([false, false, false, false, true]);
  expect(progress.between("received", "reset")).toEqual([10]);
  expect(progress.times("settled")).toEqual([40]);
});

test("by hand the same images are written, each after the same proof", () => {
  const [settled, upgraded, received, reset, done] = upgrade();
  expect(handStep(settled!, wish)).toEqual({ do: "upgrade", images: { "proxy-2": wish } });
  expect(handStep(upgraded!, wish)).toEqual({ do: "wait" });
  expect(handStep(received!, wish)).toEqual({ do: "reset", images: { "proxy-1": EMPTY } });
  expect(handStep(reset!, wish)).toEqual({ do: "wait" });
  expect(handStep(done!, wish)).toEqual({ do: "nothing" });
});

test("the size of a PATCH is that of its body, and of what a kubelet writes there is none", () => {
  const [settled, upgraded, received] = upgrade();
  const write = planFor([settled!], next, { now: T0 + 60_000 }).writes[0]!.write;
  const containers = Object.entries(write.images).map(([name, image]) => ({ name, image }));
  const metadata = { resourceVersion: settled!.metadata.resourceVersion, annotations: write.annotations };
  const own = JSON.stringify({ metadata, spec: { containers } }).length;
  const seen = patchSize(settled!, upgraded!);
  // What the write leaves as it is cannot be seen.
  expect(seen).toBeLessThanOrEqual(own);
  expect(seen).toBeGreaterThan(own / 2);
  expect(patchSize(upgraded!, received!)).toBe(0);
});

// SPDX-License-Identifier: Apache-2.0
import { WORKING_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import { describe, expect, test } from "vitest";
import { recordsOf } from "../../src/plan/record.ts";
import { EMPTY, injectedPod, running, sidecarSet, T0 } from "../support/builders.ts";
import { carriedOut } from "../support/kubelet.ts";
import { after, planFor, upgrading, verdict } from "../support/planning.ts";
import {
  v1,
  v2,
  v3,
  back,
  calm,
  written,
  DEADLINE,
  status,
  image,
  strategy,
  waiting,
  down,
  newSide,
  taken,
  reset,
  done,
  failing,
  aborted,
  abortedCalm,
  kruise,
  bothZero,
  emptyOnly,
} from "./situations.ts";
import { rows } from "./transitions.ts";

describe("state × observation → action", () => {
  test.each(rows)("$state | $observation → $is", ({ pod, set, is, but = {} }) => {
    const name = set?.metadata.name ?? "mesh";
    expect(verdict(planFor([pod], set, { name, ...but }))).toBe(is);
  });

  test("many failures: the message stays short", () => {
    const metadata = (i: number) => ({ ...abortedCalm.metadata, name: `web-${100 + i}`, uid: `uid-${i}` });
    const pods = Array.from({ length: 100 }, (_, i) => ({ ...abortedCalm, metadata: metadata(i) }));
    const stalled = planFor(pods, v2).status?.conditions?.find((one) => one.type === "Stalled");
    expect(stalled?.message).toMatch(/^100 of 100 pods failed, .*: web-100 \(\w+\), .* web-109 \(\w+\) and 90 more$/);
  });

  test("a failure counts for its revision only: a SidecarSet that was created anew counts its generations anew", () => {
    expect(planFor([abortedCalm], v2).status).toMatchObject({ failedPods: 1 });
    const anew = sidecarSet({ image: "x:3", generation: 2, resourceVersion: "9000" });
    const planned = planFor([abortedCalm], anew);
    expect([verdict(planned), planned.status?.failedPods]).toEqual(["UPGRADE", 0]);
  });

  test("nothing starts beside the abort that makes the rollout stall, and it has not stalled before that is written", () => {
    const other = { ...calm, metadata: { ...calm.metadata, name: "web-1", uid: "uid-web-1" } };
    const planned = planFor([failing, other], strategy(v2, { maxUnavailable: 2 }));
    expect(planned.writes.map(({ write }) => write.kind)).toEqual(["abort"]);
    expect(planned.pods.map(({ reason }) => reason)).toEqual(["Resetting", "Stalled"]);
    expect(planned.status?.conditions?.find((one) => one.type === "Stalled")).toMatchObject({ status: "False" });
    const two = strategy(v2, { maxUnavailable: 2, hotUpgrade: { failureThreshold: 2 } });
    expect(planFor([failing, other], two).writes.map(({ write }) => write.kind)).toEqual(["abort", "upgrade"]);
  });

  test.each(["abort", "condition"] as const)(
    "nothing starts either while a write of the failing pod is in flight: %s",
    (kind) => {
      const other = { ...calm, metadata: { ...calm.metadata, name: "web-1", uid: "uid-web-1" } };
      const pending = new Map([[failing.metadata.uid ?? "", kind]]);
      const two = strategy(v2, { maxUnavailable: 2 });
      const planned = planFor([failing, other], two, { pending });
      expect(planned.writes).toEqual([]);
      expect(planned.pods.map(({ reason }) => reason)).toEqual(["NotObserved", "Stalled"]);
      const left = strategy(v2, { maxUnavailable: 2, hotUpgrade: { onFailure: "Wait" } });
      const waits = status(upgrading(calm, left), "x-2", waiting("ErrImagePull"));
      expect(planFor([waits, other], left, { pending }).writes).toEqual([]);
      const wished = strategy(v3, { maxUnavailable: 2 });
      expect(planFor([failing, other], wished, { pending }).writes.map(({ write }) => write.kind)).toEqual(["upgrade"]);
    },
  );

  test("where no side serves, what has failed counts, and nobody calls such a pod updated", () => {
    const pods = [0, 1, 2].map((i) => ({
      ...status(failing, "x-1", down),
      metadata: { ...failing.metadata, name: `web-${i}`, uid: `uid-${i}` },
    }));
    const { conditions, ...counts } = planFor(pods, v2).status!;
    const said = (type: string) => conditions?.find((one) => one.type === type);
    expect(counts).toMatchObject({ updatedPods: 3, updatedReadyPods: 0, failedPods: 3 });
    expect(said("Ready")?.message).toBe("0 of 3 pods updated; 3 pods: ImagePullFailed");
    expect(said("Stalled")).toMatchObject({ status: "True", reason: "ImagePullFailed" });
    // What fails is the image: another one is another attempt.
    const next = planFor(pods, v3).status!;
    expect(next).toMatchObject({ updatedPods: 0, failedPods: 0, upgradingPods: 3 });
    expect(verdict(planFor(pods, strategy(v3, { paused: true })))).toBe("Paused");
  });

  test("a third image in place of one that has failed: everything of the upgrade before it is kept, and it ends as any other", () => {
    const pod = status(failing, "x-1", down);
    const planned = planFor([pod], v3).writes[0]!;
    expect([planned.write.images, planned.events[0]?.message]).toEqual([
      { "x-2": "x:3" },
      "x-2 gets x:3; x-1 with x:1 is down.",
    ]);
    const again = after(pod, planned.write);
    const [first, second] = [written, again].map((one) => recordsOf(one.metadata.annotations!).get("x")!);
    expect(second).toMatchObject({ to: "x:3", from: "x:1", empty: EMPTY, prevHash: first!.prevHash, generation: 3 });
    // The kubelet may still give the reason of the image before.
    const left = status(again, "x-2", waiting("ErrImagePull"));
    expect(verdict(planFor([left], v3))).toBe("OldSideDown");
    expect(verdict(planFor([left], v3, { now: DEADLINE }))).toBe("ProgressDeadlineExceeded");
    // And it may have started that image meanwhile, unseen: then it is not the new one that has replaced the empty one.
    const before = status(again, "x-2", running("x-2", "x:2", 2));
    expect(verdict(planFor([before], v3))).toBe("OldSideDown");
    const reset = status(again, "x-2", running("x-2", "x:3", 3));
    expect(planFor([reset], v3).writes[0]!.write.images).toEqual({ "x-1": EMPTY });
    const back = status(again, "x-1", running("x-1", "x:1", 2));
    const aborted = after(back, planFor([back], v1, { live: true }).writes[0]?.write);
    expect(aborted.spec.containers.at(-1)?.image).toBe(EMPTY);
  });

  test("onFailure: Wait reports and leaves everything as it is", () => {
    const wait = strategy(v2, { hotUpgrade: { onFailure: "Wait" } });
    const pod = status(upgrading(calm, wait), "x-2", waiting("ErrImagePull"));
    const planned = planFor([pod], wait);
    expect(verdict(planned)).toBe("ImagePullFailed");
    expect(planned.status).toMatchObject({ failedPods: 1 });
    expect(verdict(planFor([pod], v3))).toBe("ABORT");
  });

  test("receipt and soak: RESET when minReadySeconds have passed since the first sight of the receipt", () => {
    const soaking = strategy(v2, { hotUpgrade: { minReadySeconds: 10 } });
    const pod = status(upgrading(calm, soaking), "x-2", newSide);
    const first = planFor([pod], soaking, { now: DEADLINE + 1 });
    expect([verdict(first), first.wakeAt]).toEqual(["Soaking", DEADLINE + 10_001]);
    const { receipts } = first;
    expect(verdict(planFor([pod], soaking, { receipts, now: DEADLINE + 10_000 }))).toBe("Soaking");
    expect(verdict(planFor([pod], v1, { receipts, now: DEADLINE + 10_000 }))).toBe("Soaking");
    expect(verdict(planFor([pod], soaking, { receipts, now: DEADLINE + 10_001 }))).toBe("RESET");
    const flapped = planFor([status(pod, "x-2", { ready: false })], soaking, { receipts });
    expect(flapped.receipts.size).toBe(0);
  });

  test("with only a startupProbe, ready may be left over: it counts when steady, whichever container turned ContainersReady", () => {
    const startup = {
      name: "x",
      startupProbe: { exec: { command: ["p"] }, periodSeconds: 2 },
      upgradeStrategy: v1.spec.containers![0]!.upgradeStrategy!,
    };
    const before = sidecarSet({ containers: [{ ...startup, image: "x:1" }] });
    const set = sidecarSet({ containers: [{ ...startup, image: "x:2" }] });
    const startedAt = { state: { running: { startedAt: "2030-01-01T00:00:00Z" } } };
    const pod = status(upgrading(injectedPod(before), set), "x-2", { ...newSide, ...startedAt });
    const first = planFor([pod], set);
    expect([verdict(first), first.wakeAt]).toEqual(["Migrating", T0 + 7000]);
    expect(verdict(planFor([pod], set, { receipts: first.receipts, now: T0 + 7000 }))).toBe("RESET");
    const turned = { type: "ContainersReady", status: "True" as const, lastTransitionTime: "2030-01-01T00:00:01Z" };
    const turnedSince = {
      ...pod,
      status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []).slice(0, 1), turned] },
    };
    const again = planFor([turnedSince], set);
    expect([verdict(again), again.wakeAt]).toEqual(["Migrating", T0 + 7000]);
    expect(verdict(planFor([turnedSince], set, { receipts: again.receipts, now: T0 + 7000 }))).toBe("RESET");
  });

  test("a kubelet that was restarted says ready before its probe could fail: it counts when it is steady for so long", () => {
    const probe = { exec: { command: ["p"] }, periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 3 };
    const set = sidecarSet({ image: "x:2", probe });
    const before = upgrading(injectedPod(sidecarSet({ image: "x:1", probe })), set);
    const startedAt = { state: { running: { startedAt: "2030-01-01T00:00:00Z" } } };
    // ContainersReady has been true since before the start
    const pod = status(before, "x-2", { ...newSide, ...startedAt });
    const first = planFor([pod], set);
    // three attempts, each after a period and as long as its timeout, and 3 s until it is reported
    expect([verdict(first), first.wakeAt]).toEqual(["Migrating", T0 + 12_000]);
    expect(verdict(planFor([pod], set, { receipts: first.receipts, now: T0 + 12_000 }))).toBe("RESET");
    const conditions = (status: "True" | "False") => [
      { type: "ContainersReady", status, lastTransitionTime: "2030-01-01T00:00:00Z" },
    ];
    // no kubelet leaves ready over in a pod that was not ready
    for (const state of ["True", "False"] as const) {
      const turned = { ...pod, status: { ...pod.status, conditions: conditions(state) } };
      expect(verdict(planFor([turned], set))).toBe("RESET");
    }
  });

  test.each([
    ["exec readinessProbe", undefined, ["ContainerReset"]],
    ["HTTP readinessProbe", { httpGet: { port: 80 } }, ["ContainerReset", "TakeoverUnproven"]],
    ["no probe", null, ["ContainerReset", "TakeoverUnproven"]],
  ])("a reset with %s says whether the takeover is proven", (_, probe, reasons) => {
    const set = sidecarSet({ image: "x:2", ...(probe !== undefined && { probe }) });
    const before = injectedPod(sidecarSet({ image: "x:1", ...(probe !== undefined && { probe }) }));
    const [write] = planFor([status(upgrading(before, set), "x-2", newSide)], set).writes;
    expect(write?.events.map((one) => one.reason)).toEqual(reasons);
  });
});

describe("the writes", () => {
  const key = (name: string) =>
    [`version.sidecarset.kruise.io/${name}`, `versionalt.sidecarset.kruise.io/${name}`] as const;
  const versions = (pod: Pod) => [...key("x-1"), ...key("x-2")].map((one) => pod.metadata.annotations?.[one]);
  const hash = (pod: Pod) =>
    (JSON.parse(pod.metadata.annotations?.["kruise.io/sidecarset-hash"] ?? "{}") as Record<string, { hash: string }>)[
      "mesh"
    ]?.hash;
  const working = (pod: Pod) => pod.metadata.annotations?.[WORKING_ANNOTATION];
  const hashOf = (set: SidecarSet) => set.metadata.annotations?.["kruise.io/sidecarset-hash"];

  test("UPGRADE", () => {
    const write = planFor([calm], v2).writes[0]!.write;
    expect(write.images).toEqual({ "x-2": "x:2" });
    expect(versions(written)).toEqual(["1", "5000", "5000", "1"]);
    expect([working(written), hash(written)]).toEqual(['{"x":"x-2"}', hashOf(v2)]);
    expect(recordsOf(written.metadata.annotations!).get("x")).toEqual({
      to: "x:2",
      from: "x:1",
      empty: EMPTY,
      prevHash: hashOf(v1),
      containerID: "c://x-2-e:1-1",
      imageID: "sha256:e:1",
      fromImageID: "sha256:x:1",
      generation: 2,
      version: "5000",
      deadlineAt: "2030-01-01T00:02:00Z",
      minReady: 0,
      onFailure: "Abort",
      sidecarSet: "mesh",
      phase: "upgrade",
    });
  });

  test("RESET", () => {
    expect(planFor([taken], v2).writes[0]!.write.images).toEqual({ "x-1": EMPTY });
    expect(versions(reset)).toEqual(["0", "5000", "5000", "0"]);
    expect([working(reset), hash(reset)]).toEqual(['{"x":"x-2"}', hashOf(v2)]);
    expect(recordsOf(reset.metadata.annotations!).get("x")).toMatchObject({
      phase: "reset",
      generation: 3,
      toImageID: "sha256:x:2",
    });
  });

  test("ABORT after a failure", () => {
    expect(planFor([failing], v2).writes[0]!.write.images).toEqual({ "x-2": EMPTY });
    expect(versions(aborted)).toEqual(["1", "0", "0", "1"]);
    expect([working(aborted), hash(aborted)]).toEqual(['{"x":"x-1"}', hashOf(v1)]);
    expect(recordsOf(aborted.metadata.annotations!).get("x")).toMatchObject({
      phase: "abort",
      failed: { hash: hashOf(v2), generation: 2, reason: "ImagePullFailed", at: "2030-01-01T00:00:00Z" },
    });
  });

  test("ABORT because the user wished it is no failure", () => {
    const undone = after(written, planFor([written], back).writes[0]?.write);
    expect(recordsOf(undone.metadata.annotations!).get("x")?.failed).toBeUndefined();
    expect(hash(undone)).toBe(hashOf(v1));
    expect(verdict(planFor([carriedOut(undone) ?? undone], back))).toBe("UpToDate");
  });

  test("MARK writes the hash entry and nothing else", () => {
    const write = planFor([calm], emptyOnly).writes[0]!.write;
    expect([Object.keys(write.annotations), write.images]).toEqual([["kruise.io/sidecarset-hash"], {}]);
    expect(hash(after(calm, write))).toBe(hashOf(emptyOnly));
  });

  test("ADOPT writes a record with the SidecarSet's empty image, and an unknown hash before it", () => {
    const write = planFor([kruise], v2).writes[0]!.write;
    expect(write.images).toEqual({});
    const pod = after(kruise, write);
    expect(recordsOf(pod.metadata.annotations!).get("x")).toMatchObject({
      to: "x:2",
      from: "x:1",
      empty: EMPTY,
      prevHash: "",
      generation: 2,
    });
    const reported = status(pod, "x-2", {});
    const undone = after(reported, planFor([reported], back).writes[0]?.write);
    expect(hash(undone)).toBe("");
    expect(verdict(planFor([carriedOut(undone) ?? undone], back))).toBe("MARK");
  });

  test("the pod's own empty image is put back, whatever the SidecarSet says meanwhile", () => {
    const other = sidecarSet({ image: "x:2", empty: "e:2" });
    expect(planFor([taken], other).writes[0]!.write.images).toEqual({ "x-1": EMPTY });
    expect(planFor([failing], other).writes[0]!.write.images).toEqual({ "x-2": EMPTY });
  });

  test("versions only grow, also when the SidecarSet's is smaller", () => {
    const restored = { ...v3, metadata: { ...v3.metadata, resourceVersion: "17" } };
    const again = after(done, planFor([done], restored, { live: true }).writes[0]?.write);
    expect(versions(again)).toEqual(["5001", "5000", "5000", "5001"]);
  });

  test("both sides emptied by hand: the last serving image comes back in the side that worked", () => {
    const pod = image(image(done, "x-1", EMPTY), "x-2", EMPTY);
    expect(planFor([pod], v3).writes[0]!.write.images).toEqual({ "x-2": "x:2" });
  });

  test("repair of two zeros corrects annotations and no image", () => {
    const write = planFor([bothZero], v2).writes[0]!.write;
    expect(write.images).toEqual({});
    expect(versions(after(bothZero, write))).toEqual(["5000", "0", "0", "5000"]);
  });
});

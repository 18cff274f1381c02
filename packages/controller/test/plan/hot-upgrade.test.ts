// SPDX-License-Identifier: Apache-2.0
import {
  RECORD_ANNOTATION_PREFIX,
  WORKING_ANNOTATION,
  type ContainerStatus,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { describe, expect, test } from "vitest";
import { parseRecord } from "../../src/plan/record.ts";
import { EMPTY, injectedPod, running, sidecarSet, T0 } from "../support/builders.ts";
import { carriedOut } from "../support/kubelet.ts";
import { after, planFor, upgrading, verdict, type Circumstances } from "../support/planning.ts";

const v1 = sidecarSet({ image: "x:1", generation: 1, resourceVersion: "4000" });
const v2 = sidecarSet({ image: "x:2" });
const v3 = sidecarSet({ image: "x:3", generation: 3, resourceVersion: "6000" });
const back = sidecarSet({ image: "x:1", generation: 3, resourceVersion: "7000" });
const calm = injectedPod(v1);
/** In mid-upgrade to x:2, and the kubelet has reported nothing yet. */
const written = upgrading(calm, v2);
const DEADLINE = T0 + 120_000;

function status(pod: Pod, name: string, change: Partial<ContainerStatus>, observedGeneration?: number): Pod {
  const statuses = pod.status?.containerStatuses?.map((one) =>
    one.name === name ? Object.assign({}, one, change) : one,
  );
  const generation = observedGeneration ?? pod.metadata.generation ?? 0;
  return { ...pod, status: { ...pod.status, observedGeneration: generation, containerStatuses: statuses ?? [] } };
}

function annotate(pod: Pod, annotations: Record<string, string | undefined>): Pod {
  const merged = Object.entries({ ...pod.metadata.annotations, ...annotations }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...pod, metadata: { ...pod.metadata, annotations: Object.fromEntries(merged) as Record<string, string> } };
}

function image(pod: Pod, name: string, to: string): Pod {
  const containers = pod.spec.containers.map((one) =>
    one.name === name ? Object.assign({}, one, { image: to }) : one,
  );
  return { ...pod, spec: { ...pod.spec, containers } };
}

function strategy(set: SidecarSet, change: NonNullable<SidecarSet["spec"]["updateStrategy"]>): SidecarSet {
  return { ...set, spec: { ...set.spec, updateStrategy: { ...set.spec.updateStrategy, ...change } } };
}

const waiting = (reason: string) => ({ state: { waiting: { reason } }, ready: false, started: false });
const down = { state: { terminated: { exitCode: 1, containerID: "c://x-1-x:1-1" } }, ready: false, started: false };
const newSide = running("x-2", "x:2", 2);
/** The new side runs, is ready, and nothing contradicts it. */
const taken = status(written, "x-2", newSide);
const reset = after(taken, planFor([taken], v2).writes[0]?.write);
const done = carriedOut(reset)!;
const failing = status(written, "x-2", waiting("ErrImagePull"));
const aborted = after(failing, planFor([failing], v2).writes[0]?.write);
const abortedCalm = carriedOut(aborted)!;
/** As Kruise leaves it: everything but our record. */
const kruise = annotate(written, { [`${RECORD_ANNOTATION_PREFIX}x`]: undefined });
const bothZero = annotate(calm, { "version.sidecarset.kruise.io/x-1": "0" });
const withoutImageDiffers: SidecarSet = sidecarSet({ image: "x:2", probe: { exec: { command: ["/other"] } } });
const rolledBackOtherwise: SidecarSet = sidecarSet({ image: "x:1", probe: { exec: { command: ["/other"] } } });
const emptyOnly = sidecarSet({ image: "x:1", empty: "e:2" });

interface Row {
  state: string;
  observation: string;
  pod: Pod;
  set: SidecarSet | undefined;
  is: string;
  but?: Circumstances;
}

const rows: Row[] = [
  // contradictory
  { state: "contradictory", observation: "both versions 0, x-1 runs", pod: bothZero, set: v2, is: "REPAIR" },
  {
    state: "contradictory",
    observation: "both versions 0, x-1 does not run",
    pod: status(bothZero, "x-1", down),
    set: v2,
    is: "Contradictory",
  },
  {
    state: "contradictory",
    observation: "both versions 0, no empty image is known",
    pod: annotate(reset, { "version.sidecarset.kruise.io/x-2": "0", [`${RECORD_ANNOTATION_PREFIX}x`]: undefined }),
    set: undefined,
    is: "nothing",
  },
  {
    state: "contradictory",
    observation: "the version is missing",
    pod: annotate(calm, { "version.sidecarset.kruise.io/x-1": undefined }),
    set: v2,
    is: "REPAIR",
  },
  {
    state: "contradictory",
    observation: "the standby has the serving image",
    pod: image(calm, "x-2", "x:1"),
    set: v2,
    is: "Contradictory",
  },
  {
    state: "contradictory",
    observation: "the target was emptied by hand",
    pod: image(written, "x-2", EMPTY),
    set: v2,
    is: "REPAIR",
  },
  {
    state: "contradictory",
    observation: "both sides were emptied by hand",
    pod: image(image(done, "x-1", EMPTY), "x-2", EMPTY),
    set: v2,
    is: "REPAIR",
  },
  // settled
  {
    state: "settled",
    observation: "the hook still runs after an abort",
    pod: status(aborted, "x-2", running("x-2", "x:2", 2), 2),
    set: v3,
    is: "HookRunning",
  },
  {
    state: "settled",
    observation: "the standby is held back by the kubelet",
    pod: status(aborted, "x-2", waiting("CrashLoopBackOff")),
    set: v3,
    is: "StandbyBackOff",
  },
  {
    state: "settled",
    observation: "the empty image is being pulled",
    pod: status(aborted, "x-2", waiting("ImagePullBackOff")),
    set: v3,
    is: "ImagePull",
  },
  { state: "settled", observation: "the old side still ends", pod: reset, set: v2, is: "Resetting" },
  {
    state: "settled",
    observation: "nothing is reported about the standby",
    pod: { ...calm, metadata: { ...calm.metadata, generation: 2 } },
    set: v2,
    is: "NotObserved",
  },
  {
    state: "settled",
    observation: "the standby is not ready",
    pod: status(calm, "x-2", { ready: false }),
    set: v2,
    is: "NotObserved",
  },
  { state: "settled", observation: "no SidecarSet", pod: done, set: undefined, is: "nothing" },
  { state: "settled", observation: "hash and serving image right", pod: calm, set: v1, is: "UpToDate" },
  {
    state: "settled",
    observation: "hash and serving image right after an upgrade",
    pod: done,
    set: v2,
    is: "UpToDate",
  },
  { state: "settled", observation: "serving image right, hash differs", pod: calm, set: emptyOnly, is: "MARK" },
  {
    state: "settled",
    observation: "serving image right, hash differs, paused",
    pod: calm,
    set: strategy(emptyOnly, { paused: true }),
    is: "MARK",
  },
  { state: "settled", observation: "not upgradable", pod: calm, set: withoutImageDiffers, is: "NotUpgradable" },
  {
    state: "settled",
    observation: "not upgradable, serving image right: never marked",
    pod: calm,
    set: rolledBackOtherwise,
    is: "NotUpgradable",
  },
  { state: "settled", observation: "paused", pod: calm, set: strategy(v2, { paused: true }), is: "Paused" },
  { state: "settled", observation: "NotUpdate", pod: calm, set: strategy(v2, { type: "NotUpdate" }), is: "NotUpdate" },
  {
    state: "settled",
    observation: "held back by the partition",
    pod: calm,
    set: strategy(v2, { partition: 1 }),
    is: "Partition",
  },
  {
    state: "settled",
    observation: "not selected",
    pod: calm,
    set: strategy(v2, { selector: { matchLabels: { app: "other" } } }),
    is: "SelectorNotMatched",
  },
  {
    state: "settled",
    observation: "no unit left",
    pod: calm,
    set: strategy(v2, { maxUnavailable: 0 }),
    is: "MaxUnavailableReached",
  },
  {
    state: "settled",
    observation: "no unit needed: the pod is not ready anyway",
    pod: { ...calm, status: { ...calm.status, conditions: [] } },
    set: strategy(v2, { maxUnavailable: 0 }),
    is: "UPGRADE",
  },
  { state: "settled", observation: "failed with this very generation", pod: abortedCalm, set: v2, is: "FailedBefore" },
  { state: "settled", observation: "failed with another hash", pod: abortedCalm, set: v3, is: "UPGRADE" },
  {
    state: "settled",
    observation: "the same hash in a new generation",
    pod: abortedCalm,
    set: { ...v2, metadata: { ...v2.metadata, generation: 3 } },
    is: "UPGRADE",
  },
  {
    state: "settled",
    observation: "upgraded by a newer SidecarSet than the cached one",
    pod: done,
    set: { ...v3, metadata: { ...v3.metadata, resourceVersion: "4500" } },
    is: "StaleSidecarSet",
  },
  {
    state: "settled",
    observation: "the same, but read from the API",
    pod: done,
    set: { ...v3, metadata: { ...v3.metadata, resourceVersion: "4500" } },
    is: "UPGRADE",
    but: { live: true },
  },
  {
    state: "settled",
    observation: "the wanted image is the empty image",
    pod: calm,
    set: sidecarSet({ image: EMPTY }),
    is: "Contradictory",
  },
  {
    state: "settled",
    observation: "the cache does not show our write yet",
    pod: calm,
    set: v2,
    is: "NotObserved",
    but: { pending: new Map([["uid-web-0", "upgrade"]]) },
  },
  { state: "settled", observation: "else", pod: calm, set: v2, is: "UPGRADE" },
  { state: "settled", observation: "else, serving side down", pod: status(calm, "x-1", down), set: v2, is: "UPGRADE" },
  // both ≠ 0: adopt
  { state: "both ≠ 0", observation: "no record (Kruise's)", pod: kruise, set: v2, is: "ADOPT" },
  {
    state: "both ≠ 0",
    observation: "no record, receipt or not, paused",
    pod: status(kruise, "x-2", newSide),
    set: strategy(v2, { paused: true }),
    is: "ADOPT",
  },
  {
    state: "both ≠ 0",
    observation: "the record does not match the images (edited by hand)",
    pod: image(written, "x-2", "x:9"),
    set: v2,
    is: "ADOPT",
  },
  {
    state: "both ≠ 0",
    observation: "the record is of an earlier upgrade",
    pod: annotate(written, {
      [`${RECORD_ANNOTATION_PREFIX}x`]: reset.metadata.annotations?.[`${RECORD_ANNOTATION_PREFIX}x`],
    }),
    set: v2,
    is: "ADOPT",
  },
  // both ≠ 0: receipt
  { state: "both ≠ 0", observation: "receipt", pod: taken, set: v2, is: "RESET" },
  {
    state: "both ≠ 0",
    observation: "receipt, after the deadline",
    pod: taken,
    set: v2,
    is: "RESET",
    but: { now: DEADLINE + 1 },
  },
  { state: "both ≠ 0", observation: "receipt, paused", pod: taken, set: strategy(v2, { paused: true }), is: "RESET" },
  {
    state: "both ≠ 0",
    observation: "receipt, NotUpdate",
    pod: taken,
    set: strategy(v2, { type: "NotUpdate" }),
    is: "RESET",
  },
  { state: "both ≠ 0", observation: "receipt, SidecarSet deleted", pod: taken, set: undefined, is: "RESET" },
  { state: "both ≠ 0", observation: "receipt, rolled back", pod: taken, set: v1, is: "RESET" },
  { state: "both ≠ 0", observation: "receipt, third image", pod: taken, set: v3, is: "RESET" },
  {
    state: "both ≠ 0",
    observation: "receipt, the pod's labels match no more",
    pod: { ...taken, metadata: { ...taken.metadata, labels: {} } },
    set: v2,
    is: "RESET",
  },
  { state: "both ≠ 0", observation: "receipt, old side down", pod: status(taken, "x-1", down), set: v2, is: "RESET" },
  {
    state: "both ≠ 0",
    observation: "receipt but for the generation",
    pod: status(taken, "x-2", {}, 1),
    set: v2,
    is: "Migrating",
  },
  {
    state: "both ≠ 0",
    observation: "no generation is reported (before 1.34): the term is skipped",
    pod: { ...taken, status: { ...taken.status, observedGeneration: undefined } as never },
    set: v2,
    is: "RESET",
  },
  {
    state: "both ≠ 0",
    observation: "receipt but for the containerID",
    pod: status(taken, "x-2", { containerID: "c://x-2-e:1-1" }),
    set: v2,
    is: "Migrating",
  },
  {
    state: "both ≠ 0",
    observation: "receipt but for the image",
    pod: status(taken, "x-2", { image: EMPTY }),
    set: v2,
    is: "Upgrading",
  },
  {
    state: "both ≠ 0",
    observation: "receipt but not ready",
    pod: status(taken, "x-2", { ready: false }),
    set: v2,
    is: "Migrating",
  },
  {
    state: "both ≠ 0",
    observation: "receipt but not started",
    pod: status(taken, "x-2", { started: false }),
    set: v2,
    is: "Migrating",
  },
  {
    state: "both ≠ 0",
    observation: "the image has the runtime's full name",
    pod: status(taken, "x-2", { image: "docker.io/library/x:2" }),
    set: v2,
    is: "RESET",
  },
  // both ≠ 0: old side down
  {
    state: "both ≠ 0",
    observation: "old side down",
    pod: status(status(written, "x-2", {}), "x-1", down),
    set: v2,
    is: "OldSideDown",
  },
  {
    state: "both ≠ 0",
    observation: "old side down, new side fails: never both empty",
    pod: status(failing, "x-1", down),
    set: v2,
    is: "OldSideDown",
  },
  {
    state: "both ≠ 0",
    observation: "old side not ready, after the deadline",
    pod: status(failing, "x-1", { ready: false }),
    set: v2,
    is: "OldSideDown",
    but: { now: DEADLINE },
  },
  {
    state: "both ≠ 0",
    observation: "old side on another image than its spec's",
    pod: status(failing, "x-1", { image: "x:0", imageID: "sha256:x:0" }),
    set: v2,
    is: "OldSideDown",
  },
  // both ≠ 0: wish changed
  { state: "both ≠ 0", observation: "rollback", pod: written, set: back, is: "ABORT" },
  {
    state: "both ≠ 0",
    observation: "rollback, says a cache that may be behind",
    pod: written,
    set: v1,
    is: "StaleSidecarSet",
  },
  { state: "both ≠ 0", observation: "third image", pod: written, set: v3, is: "ABORT" },
  {
    state: "both ≠ 0",
    observation: "third image that the pod can't follow: finish first",
    pod: written,
    set: sidecarSet({ image: "x:3", probe: null }),
    is: "Upgrading",
  },
  {
    state: "both ≠ 0",
    observation: "rollback in a SidecarSet that the pod can't follow",
    pod: written,
    set: rolledBackOtherwise,
    is: "ABORT",
  },
  {
    state: "both ≠ 0",
    observation: "the SidecarSet is deleted: finish",
    pod: written,
    set: undefined,
    is: "Upgrading",
  },
  // both ≠ 0: failure
  { state: "both ≠ 0", observation: "pull error", pod: failing, set: v2, is: "ABORT" },
  {
    state: "both ≠ 0",
    observation: "pull back-off, SidecarSet deleted",
    pod: status(written, "x-2", waiting("ImagePullBackOff")),
    set: undefined,
    is: "ABORT",
  },
  {
    state: "both ≠ 0",
    observation: "pull error of before the write",
    pod: status(written, "x-2", waiting("ErrImagePull"), 1),
    set: v2,
    is: "Upgrading",
  },
  {
    state: "both ≠ 0",
    observation: "postStart failed",
    pod: status(written, "x-2", { ...newSide, ...waiting("PostStartHookError") }),
    set: v2,
    is: "ABORT",
  },
  {
    state: "both ≠ 0",
    observation: "crash of the new instance",
    pod: status(written, "x-2", {
      ...newSide,
      ...waiting("CrashLoopBackOff"),
      lastState: { terminated: { exitCode: 3, containerID: newSide.containerID! } },
    }),
    set: v2,
    is: "ABORT",
  },
  {
    state: "both ≠ 0",
    observation: "the new instance has just ended",
    pod: status(written, "x-2", {
      ...newSide,
      ready: false,
      state: { terminated: { exitCode: 3, containerID: newSide.containerID! } },
    }),
    set: v2,
    is: "ABORT",
  },
  {
    state: "both ≠ 0",
    observation: "back-off because the same image came back: no crash",
    pod: status(written, "x-2", {
      ...waiting("CrashLoopBackOff"),
      lastState: { terminated: { exitCode: 0, containerID: "c://x-2-e:1-1" } },
    }),
    set: v2,
    is: "Upgrading",
  },
  {
    state: "both ≠ 0",
    observation: "deadline, hook running",
    pod: status(written, "x-2", {}),
    set: v2,
    is: "ABORT",
    but: { now: DEADLINE },
  },
  {
    state: "both ≠ 0",
    observation: "deadline, running without takeover",
    pod: status(taken, "x-2", { ready: false }),
    set: v2,
    is: "ABORT",
    but: { now: DEADLINE },
  },
  // both ≠ 0: else
  { state: "both ≠ 0", observation: "not running yet", pod: status(written, "x-2", {}), set: v2, is: "Upgrading" },
  {
    state: "both ≠ 0",
    observation: "paused in mid-upgrade: goes on",
    pod: written,
    set: strategy(v2, { paused: true }),
    is: "Upgrading",
  },
];

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

  test("with only a startupProbe, ready may be left over: it counts after ContainersReady turned, or when steady", () => {
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
    const proven = {
      ...pod,
      status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []).slice(0, 1), turned] },
    };
    expect(verdict(planFor([proven], set))).toBe("RESET");
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
    expect(parseRecord(written.metadata.annotations!, "x")).toEqual({
      to: "x:2",
      from: "x:1",
      empty: EMPTY,
      prevHash: hashOf(v1),
      containerID: "c://x-2-e:1-1",
      imageID: "sha256:e:1",
      fromImageID: "sha256:x:1",
      generation: 2,
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
    expect(parseRecord(reset.metadata.annotations!, "x")).toMatchObject({
      phase: "reset",
      generation: 3,
      toImageID: "sha256:x:2",
    });
  });

  test("ABORT after a failure", () => {
    expect(planFor([failing], v2).writes[0]!.write.images).toEqual({ "x-2": EMPTY });
    expect(versions(aborted)).toEqual(["1", "0", "0", "1"]);
    expect([working(aborted), hash(aborted)]).toEqual(['{"x":"x-1"}', hashOf(v1)]);
    expect(parseRecord(aborted.metadata.annotations!, "x")).toMatchObject({
      phase: "abort",
      failed: { hash: hashOf(v2), generation: 2, reason: "ImagePullFailed", at: "2030-01-01T00:00:00Z" },
    });
  });

  test("ABORT because the user wished it is no failure", () => {
    const undone = after(written, planFor([written], back).writes[0]?.write);
    expect(parseRecord(undone.metadata.annotations!, "x")?.failed).toBeUndefined();
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
    expect(parseRecord(pod.metadata.annotations!, "x")).toMatchObject({
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

// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import { RECORD_ANNOTATION_PREFIX, type Pod, type SidecarSet } from "@hot/spec";
import { afterEach, describe, expect, it, test } from "vitest";
import { SIDECAR_SETS } from "../src/act/write-status.ts";
import { hotContainer, injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";
import { upgrading } from "./support/planning.ts";

const v1 = sidecarSet({ image: "x:1" });
const DONE = { "x-1": "e:1", "x-2": "x:2" };
const OLD = { "x-1": "x:1", "x-2": "e:1" };

let cluster: Cluster;
afterEach(() => cluster.stop());

function pods(count: number, from: SidecarSet = v1): Pod[] {
  return Array.from({ length: count }, (_, i) => injectedPod(from, `web-${i}`));
}

async function condition(type: string) {
  return (await cluster.sidecarSet()).status?.conditions?.find((one) => one.type === type);
}

async function pairs(): Promise<Record<string, string>[]> {
  return (await cluster.pods()).map((pod) => {
    const { main: _, ...rest } = images(pod);
    return rest;
  });
}

const image = (to: string) => (set: SidecarSet) => {
  const { metadata, spec } = sidecarSet({ image: to, strategy: set.spec.updateStrategy ?? {} });
  return { ...set, metadata: { ...set.metadata, annotations: metadata.annotations ?? {} }, spec };
};
const strategy = (change: SidecarSet["spec"]["updateStrategy"]) => (set: SidecarSet) => ({
  ...set,
  spec: { ...set.spec, updateStrategy: { ...set.spec.updateStrategy, ...change } },
});

describe("failureThreshold", () => {
  const bad = (threshold: number | string, maxUnavailable: number) =>
    sidecarSet({ image: "x:bad", strategy: { maxUnavailable, hotUpgrade: { failureThreshold: threshold } } });

  test.each([
    [1, 1, 1],
    [2, 1, 2],
    ["30%", 1, 2],
    [1, 3, 3],
  ])(
    "threshold %s, maxUnavailable %i: %i of 5 pods are tried, and nothing is left half done",
    async (threshold, m, tried) => {
      cluster = new Cluster(pods(5), bad(threshold, m));
      cluster.fateOf = (image) => (image === "x:bad" ? "pullError" : "runs");
      await cluster.start();
      await cluster.converge();
      expect(await pairs()).toEqual(Array.from({ length: 5 }, () => OLD));
      expect((await cluster.sidecarSet()).status).toMatchObject({
        failedPods: tried,
        updatedPods: 0,
        upgradingPods: 0,
      });
      expect(await condition("Stalled")).toMatchObject({ status: "True", reason: "ImagePullFailed" });
      expect(await condition("Ready")).toMatchObject({ status: "False", reason: "Stalled" });
      expect(await condition("Reconciling")).toMatchObject({ status: "False" });
      expect(cluster.events.filter((one) => one.reason === "RolloutStalled")).toHaveLength(1);
    },
  );

  test("it stays stalled when the pods that failed are gone, also after a restart, until the spec changes", async () => {
    cluster = new Cluster(pods(3), bad(1, 1));
    cluster.fateOf = (image) => (image === "x:bad" ? "crashes" : "runs");
    await cluster.start();
    await cluster.converge();
    const failed = (await cluster.pods()).find((pod) => pod.metadata.annotations?.[`${RECORD_ANNOTATION_PREFIX}x`]);
    await cluster.api.delete(RESOURCES.pods, failed?.metadata.name ?? "", { namespace: "ns1" });
    const writes = cluster.patches().length;
    await cluster.restart();
    await cluster.converge();
    expect(cluster.patches()).toHaveLength(writes);
    expect(await condition("Stalled")).toMatchObject({ status: "True", reason: "NewSideCrashed" });
    expect(await pairs()).toEqual([OLD, OLD]);
    await cluster.edit(image("x:2"));
    await cluster.converge();
    expect(await pairs()).toEqual([DONE, DONE]);
    expect(await condition("Stalled")).toMatchObject({ status: "False" });
  });

  test.each([
    ["hookError", "PostStartHookFailed"],
    ["hangs", "ProgressDeadlineExceeded"],
  ] as const)("a new side that %s is aborted as %s", async (fate, reason) => {
    cluster = new Cluster(pods(1), bad(1, 1));
    cluster.fateOf = (image) => (image === "x:bad" ? fate : "runs");
    await cluster.start();
    await cluster.kubelets();
    await cluster.settle(121_000);
    await cluster.converge();
    expect(await pairs()).toEqual([OLD]);
    expect(await condition("Stalled")).toMatchObject({ status: "True", reason });
    const aborted = cluster.events.find((one) => one.reason === "HotUpgradeAborted" && one.on === "web-0");
    expect(aborted?.note).toContain(reason);
  });
});

describe("status", () => {
  it("is truthful right after a change of the spec, before any pod has moved", async () => {
    cluster = new Cluster(pods(2), v1);
    await cluster.start();
    expect(await condition("Ready")).toMatchObject({ status: "True", reason: "UpToDate", observedGeneration: 2 });
    await cluster.edit(image("x:2"));
    const { status } = await cluster.sidecarSet();
    expect(status?.observedGeneration).toBe(3);
    expect(status?.conditions?.map((one) => one.observedGeneration)).toEqual([3, 3, 3, 3]);
    expect(await condition("Ready")).toMatchObject({ status: "False", reason: "Upgrading" });
    expect(await condition("Reconciling")).toMatchObject({ status: "True" });
    await cluster.converge();
    expect(await condition("Ready")).toMatchObject({ status: "True", observedGeneration: 3 });
    expect(await condition("Reconciling")).toMatchObject({ status: "False" });
  });

  it("is written only when it changes", async () => {
    cluster = new Cluster(pods(2), v1);
    await cluster.start();
    const writes = () => cluster.api.calls.filter((call) => call.verb === "patch").length;
    const before = writes();
    const pod = await cluster.pod();
    cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, labels: { app: "web", touched: "yes" } } });
    await cluster.settle(60_000);
    expect([before, writes()]).toEqual([1, 1]);
  });

  it("says that no pod matches, and is ready", async () => {
    cluster = new Cluster([], v1);
    await cluster.start();
    expect(await condition("Ready")).toMatchObject({ status: "True", reason: "NoPods" });
  });

  it("names what is the case and what is waited for; as with Kruise, a pod counts as updated from its write on", async () => {
    cluster = new Cluster(pods(3), sidecarSet({ image: "x:2" }));
    await cluster.start();
    // Counters alone follow the first status after half a second.
    await cluster.settle(500);
    expect((await condition("Ready"))?.message).toBe(
      "1 of 3 pods updated; web-0: Upgrading; 2 wait for maxUnavailable=1",
    );
  });
});

describe("scope", () => {
  it("partition: so many pods stay old, and the rest is ready", async () => {
    cluster = new Cluster(pods(5), sidecarSet({ image: "x:2", strategy: { partition: "40%", maxUnavailable: 5 } }));
    await cluster.start();
    await cluster.converge();
    expect((await pairs()).filter((one) => one["x-1"] === "x:1")).toHaveLength(2);
    expect(await condition("Ready")).toMatchObject({ status: "True" });
  });

  it("paused: nothing starts, what has started is finished", async () => {
    cluster = new Cluster(pods(2), sidecarSet({ image: "x:2" }));
    await cluster.start();
    await cluster.edit(strategy({ paused: true }));
    await cluster.converge();
    expect((await pairs()).toSorted((a, b) => (a["x-1"]! < b["x-1"]! ? -1 : 1))).toEqual([DONE, OLD]);
    expect(await condition("Paused")).toMatchObject({ status: "True" });
    expect(await condition("Ready")).toMatchObject({ status: "False", reason: "Paused" });
    await cluster.edit(strategy({ paused: false }));
    await cluster.converge();
    expect(await pairs()).toEqual([DONE, DONE]);
  });

  it("a pod that more than the image separates from the SidecarSet is reported once, by condition and event", async () => {
    cluster = new Cluster(pods(1), sidecarSet({ image: "x:2", probe: { exec: { command: ["/new"] } } }));
    await cluster.start();
    await cluster.converge();
    expect(await pairs()).toEqual([OLD]);
    expect((await cluster.sidecarSet()).status).toMatchObject({ notUpgradablePods: 1 });
    expect((await cluster.pod()).status?.conditions).toContainEqual(
      expect.objectContaining({ type: "SidecarSetUpgradable", status: "False", message: '{"mesh":false}' }),
    );
    await cluster.restart();
    expect(cluster.events.filter((one) => one.on === "web-0").map((one) => one.reason)).toEqual(["PodNotUpgradable"]);
    await cluster.edit(image("x:2"));
    await cluster.converge();
    expect((await cluster.pod()).status?.conditions).toContainEqual(
      expect.objectContaining({ type: "SidecarSetUpgradable", status: "True", message: '{"mesh":true}' }),
    );
  });
});

describe("the condition SidecarSetUpgradable when its SidecarSet is deleted", () => {
  const entry = async () =>
    (await cluster.pod()).status?.conditions?.find((one) => one.type === "SidecarSetUpgradable");

  test.each([
    ['{"mesh":false,"other":true}', { status: "True", message: '{"other":true}' }],
    ['{"mesh":false,"other":false}', { status: "False", message: '{"other":false}' }],
    // A true one harms nobody, and all pods that were ever updated have it.
    ['{"mesh":true}', { status: "True", message: '{"mesh":true}' }],
  ])("%s becomes %o", async (message, after) => {
    const [pod] = pods(1);
    const status = message.includes("false") ? ("False" as const) : ("True" as const);
    const condition = { type: "SidecarSetUpgradable", status, message };
    const conditions = [...(pod?.status?.conditions ?? []), condition];
    const set = sidecarSet({ image: "x:1", probe: { exec: { command: ["/new"] } } });
    cluster = new Cluster([{ ...pod!, status: { ...pod?.status, conditions } }], status === "True" ? v1 : set);
    await cluster.start();
    await cluster.api.delete(SIDECAR_SETS, "mesh");
    await cluster.converge();
    expect(await entry()).toMatchObject(after);
    expect(cluster.patches()).toEqual([]);
  });
});

describe("in mid-upgrade", () => {
  const started = async (): Promise<void> => {
    cluster = new Cluster(pods(1), sidecarSet({ image: "x:2" }));
    await cluster.start();
    expect(await pairs()).toEqual([{ "x-1": "x:1", "x-2": "x:2" }]);
  };

  it("the SidecarSet is deleted: the upgrade is finished from the pod alone, also by a new controller", async () => {
    await started();
    await cluster.api.delete(
      { group: "apps.kruise.io", version: "v1beta1", plural: "sidecarsets", namespaced: false },
      "mesh",
    );
    await cluster.restart();
    await cluster.converge();
    expect(await pairs()).toEqual([DONE]);
  });

  it("the pod's labels change: the upgrade is finished, then the pod is left alone", async () => {
    await started();
    const pod = await cluster.pod();
    cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, labels: {} } });
    await cluster.converge();
    expect(await pairs()).toEqual([DONE]);
    await cluster.edit(image("x:3"));
    await cluster.converge();
    expect(await pairs()).toEqual([DONE]);
  });

  it("rolled back: aborted, which is no failure", async () => {
    await started();
    await cluster.edit(image("x:1"));
    await cluster.converge();
    expect(await pairs()).toEqual([OLD]);
    expect((await cluster.sidecarSet()).status).toMatchObject({ updatedReadyPods: 1, failedPods: 0 });
    expect(cluster.events.find((one) => one.reason === "HotUpgradeAborted")).toMatchObject({ type: "Normal" });
  });

  it("a third image: aborted, then upgraded to it", async () => {
    await started();
    await cluster.edit(image("x:3"));
    await cluster.converge();
    expect(await pairs()).toEqual([{ "x-1": "e:1", "x-2": "x:3" }]);
  });

  it("rolled back after the takeover: finished first, then upgraded back", async () => {
    await started();
    await cluster.kubelets();
    await cluster.edit(image("x:1"));
    await cluster.converge();
    expect(await pairs()).toEqual([{ "x-1": "x:1", "x-2": "e:1" }]);
    expect(cluster.events.filter((one) => one.reason === "HotUpgradeStarted" && one.on === "web-0")).toHaveLength(2);
  });

  it("the pod is deleted: the others go on", async () => {
    cluster = new Cluster(pods(2), sidecarSet({ image: "x:2" }));
    await cluster.start();
    const first = cluster.patches()[0]?.name ?? "";
    await cluster.api.delete(RESOURCES.pods, first, { namespace: "ns1" });
    await cluster.converge();
    expect(await pairs()).toEqual([DONE]);
  });
});

it("finishes an upgrade that Kruise has started", async () => {
  const v2 = sidecarSet({ image: "x:2" });
  const pod = upgrading(injectedPod(v1), v2);
  const { [`${RECORD_ANNOTATION_PREFIX}x`]: _, ...annotations } = pod.metadata.annotations ?? {};
  cluster = new Cluster([{ ...pod, metadata: { ...pod.metadata, annotations } }], v2);
  await cluster.start();
  await cluster.converge();
  expect(await pairs()).toEqual([DONE]);
});

describe("several containers in one SidecarSet", () => {
  const two = (x: string, y: string, cold = "c:1"): SidecarSet =>
    sidecarSet({ containers: [hotContainer("x", x), hotContainer("y", y), { name: "c", image: cold }] });

  it("all change in one write, and each pair is reset by itself", async () => {
    cluster = new Cluster(pods(1, two("x:1", "y:1")), two("x:2", "y:2", "c:2"));
    await cluster.start();
    expect(cluster.patches()).toHaveLength(1);
    await cluster.converge();
    expect(await pairs()).toEqual([{ c: "c:2", "x-1": "e:1", "x-2": "x:2", "y-1": "e:1", "y-2": "y:2" }]);
    expect(cluster.patches()).toHaveLength(3);
    expect(await condition("Ready")).toMatchObject({ status: "True" });
  });

  it("one fails: it is aborted, the other one is reset, cold ones stay, and no hash says what it runs", async () => {
    cluster = new Cluster(pods(1, two("x:1", "y:1")), two("x:bad", "y:2", "c:2"));
    cluster.fateOf = (image) => (image === "x:bad" ? "pullError" : "runs");
    await cluster.start();
    await cluster.converge();
    expect(await pairs()).toEqual([{ c: "c:2", "x-1": "x:1", "x-2": "e:1", "y-1": "e:1", "y-2": "y:2" }]);
    const hash = (await cluster.pod()).metadata.annotations?.["kruise.io/sidecarset-hash"] ?? "";
    expect(JSON.parse(hash).mesh.hash).toBe("");
    expect((await cluster.sidecarSet()).status).toMatchObject({ failedPods: 1, updatedPods: 0 });
  });

  it("cold upgrade: one write of the image", async () => {
    const cold = (image: string) => sidecarSet({ containers: [{ name: "c", image }] });
    cluster = new Cluster(pods(3, cold("c:1")), cold("c:2"));
    await cluster.start();
    expect(cluster.patches()).toHaveLength(1);
    await cluster.converge();
    expect((await pairs()).map((one) => one["c"])).toEqual(["c:2", "c:2", "c:2"]);
    expect(cluster.patches()).toHaveLength(3);
    expect(await condition("Ready")).toMatchObject({ status: "True" });
  });
});

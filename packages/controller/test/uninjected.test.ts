// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import { RESOURCES } from "@hot/kube";
import { afterEach, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster } from "./support/cluster.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const CREATED = "2029-12-01T00:00:00Z";
const base = sidecarSet({ image: "x:1" });
const mesh: SidecarSet = { ...base, metadata: { ...base.metadata, creationTimestamp: CREATED } };

function bare(name: string, creationTimestamp = "2029-12-31T00:00:00Z"): Pod {
  const pod = injectedPod(base, name);
  const { annotations: _, ...metadata } = pod.metadata;
  return { ...pod, metadata: { ...metadata, creationTimestamp } };
}

const told = () => cluster.events.filter((one) => one.reason === "PodNotInjected");
const condition = async (type: string) =>
  (await cluster.sidecarSet()).status?.conditions?.find((one) => one.type === type);

test("pods without their sidecars are counted and named, and change neither matchedPods nor Ready", async () => {
  cluster = new Cluster([injectedPod(base, "web-0"), bare("web-1"), bare("web-2", "2029-11-01T00:00:00Z")], mesh);
  await cluster.start();
  await cluster.converge();
  expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 1, readyPods: 1, uninjectedPods: 2 });
  expect(await condition("Ready")).toMatchObject({ status: "True", reason: "UpToDate" });
  expect(await condition("Stalled")).toMatchObject({ status: "False" });
  expect((await condition("Ready"))?.message).toBe(
    "1 of 1 pods updated; web-1 runs without it: created while admission did not answer, or selected only since then (HOT1210); " +
      "1 pod is older than it and not injected (HOT1211)",
  );
  expect(cluster.metrics.get("hot_sidecarset_pods mesh uninjected")).toBe(2);
});

test("each is told of once: on the pod and on the SidecarSet; not again when pods move, and not of older ones", async () => {
  cluster = new Cluster([bare("web-0"), bare("web-9", "2029-11-01T00:00:00Z")], mesh);
  await cluster.start();
  expect(told().map((one) => one.on)).toEqual(["web-0", "mesh"]);
  expect(told()[0]).toMatchObject({ type: "Warning", action: "Injecting" });
  expect(told()[0]?.note).toMatch(/^HOT1210 NotInjected: .*SidecarSet mesh\.$/);
  const pod = await cluster.pod("web-0");
  cluster.api.seed(RESOURCES.pods, { ...pod, status: { ...pod.status, phase: "Pending" } });
  cluster.api.seed(RESOURCES.pods, injectedPod(base, "web-1"));
  await cluster.settle(1000);
  await cluster.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: { paused: true } } }));
  expect(told()).toHaveLength(2);
  cluster.api.seed(RESOURCES.pods, bare("web-2"));
  await cluster.settle();
  expect(told().map((one) => one.on)).toEqual(["web-0", "mesh", "web-2", "mesh"]);
});

test("of many at once the first ten are named and the rest are counted", async () => {
  cluster = new Cluster(
    Array.from({ length: 25 }, (_, i) => bare(`web-${i + 10}`)),
    mesh,
  );
  await cluster.start();
  expect(told().filter((one) => one.on !== "mesh")).toHaveLength(10);
  expect(told().filter((one) => one.on === "mesh")).toHaveLength(11);
  expect(told().at(-1)?.note).toContain("mesh: 15 more pods");
  expect((await condition("Ready"))?.message).toContain("no injected pod matches; 25 pods run without it");
});

test("the count goes back to 0 when the pod is made anew", async () => {
  cluster = new Cluster([bare("web-0")], mesh);
  await cluster.start();
  await cluster.api.delete(RESOURCES.pods, "web-0", { namespace: "ns1" });
  cluster.api.seed(RESOURCES.pods, injectedPod(base, "web-1"));
  await cluster.converge();
  expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 1, uninjectedPods: 0 });
  expect((await condition("Ready"))?.message).toBe("1 of 1 pods updated");
});

test("an event of a pod without sidecars that says nothing new reconciles nothing", async () => {
  cluster = new Cluster([bare("web-0")], mesh);
  await cluster.start();
  const before = cluster.metrics.get("hot_reconcile_total done");
  const pod = await cluster.pod("web-0");
  cluster.api.seed(RESOURCES.pods, { ...pod, status: { ...pod.status, phase: "Unknown" } });
  await cluster.settle(1000);
  expect(cluster.metrics.get("hot_reconcile_total done")).toBe(before);
});

// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SIDECAR_SETS } from "../src/act/write-status.ts";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

const PODS = 200;
const mesh = sidecarSet({ image: "x:1" });
let cluster: Cluster;
afterEach(() => cluster.stop());

function bare(name: string): Pod {
  const pod = injectedPod(mesh, name);
  const { annotations: _, ...metadata } = pod.metadata;
  return { ...pod, metadata: { ...metadata, creationTimestamp: "2029-12-31T00:00:00Z" } };
}

/** Whatever is done takes long: in one turn of the event loop few pods are looked at. */
function slow(): void {
  const { clock } = cluster;
  const now = clock.now.bind(clock);
  let spent = 0;
  clock.now = () => now() + (spent += 0.5);
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    expect(turn).toBeLessThan(5_000);
    await cluster.clock.advance(0);
  }
}

const isReady = (): boolean => cluster.controller?.ready() === true;
const reconciles = (): number => cluster.metrics.get("hot_reconcile_total done") ?? 0;

beforeEach(async () => {
  cluster = new Cluster(
    Array.from({ length: PODS }, (_, at) => bare(`web-${100 + at}`)),
    mesh,
  );
  slow();
  await cluster.start();
  await until(isReady);
  expect(reconciles()).toBe(0);
});

test("pods that come, change and go while all are looked at count as they are in the end", async () => {
  const [first, last] = ["web-100", `web-${100 + PODS - 1}`];
  for (const name of [first, last]) await cluster.api.delete(RESOURCES.pods, name, { namespace: "ns1" });
  const injected = ["web-101", `web-${100 + PODS - 2}`, "web-998"].map((name) => injectedPod(mesh, name));
  for (const pod of [...injected, bare("web-000")]) cluster.api.seed(RESOURCES.pods, pod);
  await until(() => reconciles() > 0);
  await cluster.settle(2_000);
  expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 3, uninjectedPods: PODS - 3 });
});

test("a SidecarSet and a namespace that change meanwhile count, too", async () => {
  await cluster.edit((set) => ({ ...set, spec: { ...set.spec, namespaceSelector: { matchLabels: { mesh: "yes" } } } }));
  await until(() => reconciles() > 0);
  await cluster.settle(2_000);
  expect((await cluster.sidecarSet()).status?.uninjectedPods).toBe(0);
});

test("a stop ends it, and the next one begins anew", async () => {
  await cluster.stop();
  expect(reconciles()).toBe(0);
  await cluster.start();
  await until(() => reconciles() > 0);
  await cluster.settle(2_000);
  expect((await cluster.sidecarSet()).status?.uninjectedPods).toBe(PODS);
});

test("a replica that becomes the leader finishes what a SidecarSet has begun that is gone", async () => {
  await cluster.stop();
  cluster = new Cluster([injectedPod(mesh)], sidecarSet({ image: "x:2" }));
  await cluster.start();
  expect(images(await cluster.pod())).toMatchObject({ "x-1": "x:1", "x-2": "x:2" });
  await cluster.stop();
  await cluster.api.delete(SIDECAR_SETS, "mesh");
  await cluster.kubelets();
  cluster.late = true;
  await cluster.start();
  await cluster.settle(60_000);
  expect(images(await cluster.pod())).toMatchObject({ "x-1": "e:1", "x-2": "x:2" });
});

// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import { afterEach, expect, test } from "vitest";
import { projectPod, viewSidecarSet } from "../src/index.ts";
import { hotContainer, injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

const one = (x: string) => sidecarSet({ image: x });
const two = sidecarSet({ containers: [hotContainer("x", "x:1"), hotContainer("y", "y:1")] });

let cluster: Cluster;
afterEach(() => cluster.stop());

async function condition(type: string) {
  return (await cluster.sidecarSet()).status?.conditions?.find((one) => one.type === type);
}

async function view() {
  const pods = (await cluster.pods()).map(projectPod);
  const sidecarSet = await cluster.sidecarSet();
  return viewSidecarSet({ name: "mesh", sidecarSet, pods, namespaces: () => ({}), now: cluster.clock.now() });
}

const missing = () => cluster.events.filter((event) => event.note.includes("HOT1309"));

test("injected pods that lack a container of the SidecarSet are reported, and there is no ready before they are gone", async () => {
  const names = ["web-0", "web-1", "web-2"];
  cluster = new Cluster(
    names.map((name) => injectedPod(one("x:1"), name)),
    two,
  );
  await cluster.start();
  await cluster.settle(60_000);
  expect(cluster.patches()).toEqual([]);
  expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 0 });
  expect(await condition("Ready")).toMatchObject({ status: "False", reason: "ContainerMissing" });
  expect((await condition("Ready"))?.message).toContain(
    "3 injected pods lack containers, web-0 for example y-1, y-2 (HOT1309)",
  );
  expect(cluster.metrics.get("hot_blocked_pods mesh ContainerMissing")).toBe(3);
  expect(missing()).toHaveLength(1);
  expect((await view()).pods.map(({ name, reason, detail }) => [name, reason, detail])).toEqual(
    names.map((name) => [name, "ContainerMissing", "y-1, y-2"]),
  );

  for (const name of names) await cluster.api.delete(RESOURCES.pods, name, { namespace: "ns1" });
  for (const name of names)
    cluster.api.seed(RESOURCES.pods, {
      ...injectedPod(two, name),
      metadata: { ...injectedPod(two, name).metadata, uid: `new-${name}` },
    });
  await cluster.settle(60_000);
  expect(await condition("Ready")).toMatchObject({ status: "True", reason: "UpToDate" });
  expect(cluster.metrics.get("hot_blocked_pods mesh ContainerMissing")).toBe(0);
});

test("what was begun in such a pod is finished, and it counts all the while", async () => {
  cluster = new Cluster([injectedPod(one("x:1")), injectedPod(two, "web-1")], one("x:2"));
  await cluster.start();
  await cluster.stop();
  await cluster.edit((set) => ({
    ...set,
    metadata: { ...set.metadata, annotations: two.metadata.annotations ?? {} },
    spec: two.spec,
  }));
  await cluster.start();
  expect((await condition("Ready"))?.message).toContain("web-0 is injected and lacks y-1, y-2 (HOT1309)");
  await cluster.converge();
  expect(images(await cluster.pod())).toMatchObject({ "x-1": "e:1", "x-2": "x:2" });
  expect(await condition("Ready")).toMatchObject({ status: "False", reason: "ContainerMissing" });
});

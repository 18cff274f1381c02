// SPDX-License-Identifier: Apache-2.0
import { BASE_ANNOTATION, CANARY_ANNOTATION, type SidecarSet } from "@hot/spec";
import { afterEach, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const canaryOf = (base: string, image: string): SidecarSet => {
  const set = sidecarSet({ name: "canary", image, strategy: { type: "NotUpdate" } });
  const annotations = { ...set.metadata.annotations, [CANARY_ANNOTATION]: "true", [BASE_ANNOTATION]: base };
  return { ...set, metadata: { ...set.metadata, annotations } };
};

test("base and canary each manage the pods that they have injected, and neither misses the other's", async () => {
  const canary = canaryOf("mesh", "x:3");
  const pods = [injectedPod(sidecarSet({ image: "x:1" }), "web-0"), injectedPod(canary, "web-1")];
  cluster = new Cluster(pods, sidecarSet({ image: "x:2" }), canary);
  await cluster.start();
  await cluster.converge();
  expect((await cluster.pods()).map(images)).toEqual([
    { main: "main:1", "x-1": "e:1", "x-2": "x:2" },
    { main: "main:1", "x-1": "x:3", "x-2": "e:1" },
  ]);
  expect((await cluster.sidecarSet("mesh")).status).toMatchObject({
    matchedPods: 1,
    updatedPods: 1,
    uninjectedPods: 0,
  });
  // The base's pod is selected by the canary, and would get it now.
  expect((await cluster.sidecarSet("canary")).status).toMatchObject({
    matchedPods: 1,
    readyPods: 1,
    uninjectedPods: 1,
  });
});

test("a canary updates no pod, and its status stays true to them", async () => {
  const canary = canaryOf("mesh", "x:3");
  cluster = new Cluster([injectedPod(canary)], canaryOf("mesh", "x:4"));
  await cluster.start();
  await cluster.converge();
  expect(images(await cluster.pod())).toMatchObject({ "x-1": "x:3", "x-2": "e:1" });
  expect((await cluster.sidecarSet("canary")).status).toMatchObject({ matchedPods: 1, updatedPods: 0, readyPods: 1 });
});

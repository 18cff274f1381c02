// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import { afterEach, describe, expect, it } from "vitest";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

describe("one pod", () => {
  it("is upgraded, reset after the receipt, and reported", async () => {
    cluster = new Cluster([injectedPod(sidecarSet({ image: "x:1" }))], sidecarSet({ image: "x:2" }));
    await cluster.start();
    expect(images(await cluster.pod())).toEqual({ main: "main:1", "x-1": "x:1", "x-2": "x:2" });
    await cluster.converge();
    const pod = await cluster.pod();
    expect(images(pod)).toEqual({ main: "main:1", "x-1": "e:1", "x-2": "x:2" });
    const { status } = await cluster.sidecarSet();
    expect(status).toMatchObject({
      matchedPods: 1,
      updatedPods: 1,
      readyPods: 1,
      updatedReadyPods: 1,
      upgradingPods: 0,
    });
    expect(cluster.patches()).toHaveLength(2);
    expect(cluster.events.filter((one) => one.on === "web-0").map((one) => one.reason)).toEqual([
      "HotUpgradeStarted",
      "TakeoverObserved",
      "ContainerReset",
    ]);
  });

  it("is aborted when the image can't be pulled, and the rollout stalls with the reason", async () => {
    cluster = new Cluster([injectedPod(sidecarSet({ image: "x:1" }))], sidecarSet({ image: "x:2" }));
    cluster.fateOf = (image) => (image === "x:2" ? "pullError" : "runs");
    await cluster.start();
    await cluster.converge();
    expect(images(await cluster.pod())).toEqual({ main: "main:1", "x-1": "x:1", "x-2": "e:1" });
    const { status } = await cluster.sidecarSet();
    expect(status).toMatchObject({ matchedPods: 1, updatedPods: 0, failedPods: 1 });
    expect(status?.conditions?.find((one) => one.type === "Stalled")).toMatchObject({
      status: "True",
      reason: "ImagePullFailed",
    });
  });
});

it("plans together for the events of many pods that come while it rests from a long plan", async () => {
  const set = sidecarSet({ image: "x:1" });
  cluster = new Cluster([injectedPod(set)], set);
  await cluster.start();
  await cluster.converge();
  const plans = (): number => cluster.metrics.get("hot_reconcile_total done") ?? 0;
  const { clock } = cluster;
  const now = clock.now.bind(clock);
  let spent = 0;
  clock.now = () => now() + spent++;
  const before = plans();
  for (let event = 0; event < 20; event++) {
    cluster.api.seed(RESOURCES.pods, await cluster.pod());
    await clock.advance(0);
  }
  expect(plans() - before).toBe(1);
  await clock.advance(1_000);
  expect(plans() - before).toBe(2);
});

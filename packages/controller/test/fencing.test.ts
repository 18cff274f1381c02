// SPDX-License-Identifier: Apache-2.0
import { NotLeaderError } from "@hot/kube";
import { afterEach, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const writes = (): unknown[] => cluster.api.calls.filter(({ verb }) => !["get", "list", "watch"].includes(verb));
const done = { main: "main:1", "x-1": "e:1", "x-2": "x:2" };

test.each([0, 1, 2, 3, 5, 8])(
  "the lease is lost after %i writes: none is sent any more, and the next term finishes",
  async (n) => {
    const pods = ["web-0", "web-1", "web-2"].map((name) => injectedPod(sidecarSet({ image: "x:1" }), name));
    cluster = new Cluster(pods, sidecarSet({ image: "x:2", strategy: { maxUnavailable: 2 } }));
    let left = n;
    cluster.fence = () => {
      if (left-- <= 0) throw new NotLeaderError("hot-system/hot-controller");
    };
    await cluster.start();
    await cluster.converge();
    // The process goes on as if nothing had happened: its term has not been ended, only the fence is closed.
    await cluster.settle(60_000);
    expect(writes()).toHaveLength(n);
    cluster.fence = () => undefined;
    await cluster.restart();
    await cluster.converge();
    expect((await cluster.pods()).map(images)).toEqual([done, done, done]);
  },
);

test("a stop finishes the writes that are under way, begins no others, and ends with them", async () => {
  const pods = ["web-0", "web-1", "web-2"].map((name) => injectedPod(sidecarSet({ image: "x:1" }), name));
  cluster = new Cluster(pods, sidecarSet({ image: "x:2", strategy: { maxUnavailable: 3 } }));
  const held = cluster.api.faults.holdNext({ verb: "patch", plural: "pods" });
  const starting = cluster.start();
  await held.reached;
  await starting;
  const sent = cluster.patches().length;
  let ended = false;
  const stopping = cluster.stop().then(() => {
    ended = true;
  });
  await cluster.settle(1_000);
  expect(ended).toBe(false);
  held.release();
  await stopping;
  expect(cluster.patches()).toHaveLength(sent);
  const upgraded = (await cluster.pods()).filter((pod) => images(pod)["x-2"] === "x:2");
  expect(upgraded).toHaveLength(3);
  expect(cluster.events.filter((one) => one.reason === "HotUpgradeStarted" && one.on !== "mesh")).toHaveLength(3);
});

// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { afterEach, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { Cluster, images } from "../support/cluster.ts";
import { carriedOut } from "../support/kubelet.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const PODS = 100;
/** Of one write, in milliseconds; the server carries out one after another. */
const SERVICE = 5;
const KUBELET = 150;

/** An API server that is busy with one write at a time; kubelets that write a status through it after each change of a spec. */
function busyServer(): { busyMs: number } {
  const { api, clock } = cluster;
  const patch = api.patch.bind(api);
  const server = { busyMs: 0 };
  let freeAt = 0;
  const served = async (): Promise<void> => {
    freeAt = Math.max(freeAt, clock.now()) + SERVICE;
    server.busyMs += SERVICE;
    await new Promise<void>((resolve) => void clock.after(freeAt - clock.now(), resolve));
  };
  const kubelet = async (name: string): Promise<void> => {
    await served();
    const after = carriedOut(await cluster.pod(name));
    if (after !== undefined) api.seed(RESOURCES.pods, after);
  };
  api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
    await served();
    const after = await patch<T>(...call);
    if (call[0].plural === "pods" && call[3]?.subresource === undefined)
      clock.after(KUBELET, () => void kubelet(call[1]));
    return after;
  };
  return server;
}

const isReset = (pod: Pod): boolean => {
  const { "x-1": old, "x-2": target } = images(pod);
  return old === "e:1" && target === "x:2";
};

test("a server that is the bottleneck has something to do until the last pod is reset", async () => {
  const pods = Array.from({ length: PODS }, (_, i) => injectedPod(sidecarSet({ image: "x:1" }), `web-${i}`));
  cluster = new Cluster(pods, sidecarSet({ image: "x:2", strategy: { maxUnavailable: "100%" } }));
  const server = busyServer();
  const { clock } = cluster;
  const begun = clock.now();
  await cluster.start();
  while (!(await cluster.pods()).every(isReset)) await clock.advance(100);
  const ms = clock.now() - begun;
  expect(cluster.patches()).toHaveLength(2 * PODS);
  expect(server.busyMs / ms).toBeGreaterThan(0.9);
  await clock.advance(10_000);
}, 30_000);

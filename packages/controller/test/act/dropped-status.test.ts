// SPDX-License-Identifier: Apache-2.0
// With Kruise's own definition the API server drops what it does not know of a status.
import { RESOURCES } from "@hot/kube";
import type { SidecarSetStatus } from "@hot/spec";
import { afterEach, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { Cluster } from "../support/cluster.ts";
import { KRUISE_STATUS } from "../support/kruise-status.ts";

/** Whether the definition knows this field of a status. */
let isKnown: (field: string) => boolean;

let cluster: Cluster;
afterEach(() => cluster.stop());

function withKruisesDefinition(...args: ConstructorParameters<typeof Cluster>): Cluster {
  isKnown = (field) => KRUISE_STATUS.has(field);
  const made = new Cluster(...args);
  const patch = made.api.patch.bind(made.api);
  made.api.patch = async <T>(...[resource, name, change, options]: Parameters<typeof patch>): Promise<T> => {
    if (resource.plural !== "sidecarsets") return patch<T>(resource, name, change, options);
    const { status = {}, ...rest } = change.body as { status?: Partial<SidecarSetStatus> };
    const kept = Object.fromEntries(Object.entries(status).filter(([field]) => isKnown(field)));
    return patch<T>(resource, name, { ...change, body: { ...rest, status: kept } } as typeof change, options);
  };
  return made;
}

const statusWrites = (): number => cluster.api.calls.filter(({ subresource }) => subresource === "status").length;

test("a status that says nothing new is not written again, whatever was dropped of it", async () => {
  cluster = withKruisesDefinition([injectedPod(sidecarSet())], sidecarSet());
  await cluster.start();
  await cluster.converge();
  const before = statusWrites();
  expect(before).toBeGreaterThan(0);
  for (let i = 0; i < 10; i++) {
    const { metadata, ...pod } = await cluster.pod();
    cluster.api.seed(RESOURCES.pods, {
      ...pod,
      metadata: { ...metadata, annotations: { ...metadata.annotations, i: `${i}` } },
    });
    await cluster.settle(1_000);
  }
  expect(statusWrites()).toBe(before);
  expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 1, updatedPods: 1, observedGeneration: 2 });
});

test("a definition that has come to know all fields gets them within a minute, though nothing happens", async () => {
  cluster = withKruisesDefinition([injectedPod(sidecarSet())], sidecarSet());
  await cluster.start();
  await cluster.converge();
  isKnown = () => true;
  const before = statusWrites();
  await cluster.settle(30_000);
  expect(statusWrites()).toBe(before);
  await cluster.settle(31_000);
  expect((await cluster.sidecarSet()).status).toMatchObject({
    failedPods: 0,
    conditions: expect.any(Array) as unknown,
  });
  await cluster.settle(300_000);
  expect(statusWrites()).toBe(before + 1);
});

test("a rollout that has stalled says so once, and stays stalled when the pod that failed is gone", async () => {
  const pods = ["web-0", "web-1", "web-2"].map((name) => injectedPod(sidecarSet({ image: "x:1" }), name));
  cluster = withKruisesDefinition(pods, sidecarSet({ image: "x:2" }));
  cluster.fateOf = (image) => (image === "x:2" ? "pullError" : "runs");
  await cluster.start();
  await cluster.converge();
  const stalls = (): number => cluster.events.filter(({ reason }) => reason === "RolloutStalled").length;
  const failed = (await cluster.pods()).find((pod) =>
    JSON.stringify(pod.metadata.annotations).includes('\\"failed\\"'),
  );
  const writes = cluster.patches().length;
  expect(stalls()).toBe(1);
  await cluster.api.delete(RESOURCES.pods, failed?.metadata.name ?? "", { namespace: "ns1" });
  await cluster.converge();
  expect(cluster.patches()).toHaveLength(writes);
  expect(stalls()).toBe(1);
});

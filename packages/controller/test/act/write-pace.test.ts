// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { afterEach, expect, test } from "vitest";
import { hotContainer, injectedPod, sidecarSet } from "../support/builders.ts";
import { Cluster, images } from "../support/cluster.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const LATENCY = 20;
const all = { maxUnavailable: "100%" } as const;

function pods(count: number, name = "web"): Pod[] {
  return Array.from({ length: count }, (_, i) => injectedPod(sidecarSet({ image: "x:1" }), `${name}-${i}`));
}

/** Each patch of a pod takes a while; returns how many are under way, and the most that ever were. */
function slowPatches(): { now: number; most: number } {
  const { api, clock } = cluster;
  const patch = api.patch.bind(api);
  const flight = { now: 0, most: 0 };
  api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
    if (call[0].plural !== "pods") return patch<T>(...call);
    flight.most = Math.max(flight.most, ++flight.now);
    await new Promise<void>((resolve) => void clock.after(LATENCY, resolve));
    flight.now--;
    return patch<T>(...call);
  };
  return flight;
}

const kinds = (): string[] =>
  cluster.patches().map(({ body }) => (JSON.stringify(body).includes('\\"phase\\":\\"reset\\"') ? "reset" : "upgrade"));

test("early pods are reset while later ones still upgrade, with more and more writes at once up to the ceiling", async () => {
  cluster = new Cluster(pods(300), sidecarSet({ image: "x:2", strategy: all }));
  const flight = slowPatches();
  await cluster.start();
  for (let i = 0; i < 60; i++) {
    await cluster.settle(LATENCY);
    await cluster.kubelets();
  }
  await cluster.converge();
  expect(kinds().filter((one) => one === "reset")).toHaveLength(300);
  expect(kinds().filter((one) => one === "upgrade")).toHaveLength(300);
  expect(kinds().indexOf("reset")).toBeLessThan(200);
  expect(kinds().lastIndexOf("upgrade")).toBeGreaterThan(kinds().indexOf("reset"));
  expect(flight.most).toBeGreaterThan(8);
  expect(flight.most).toBeLessThanOrEqual(32);
  expect(cluster.metrics.get("hot_pod_writes_limit")).toBeGreaterThan(8);
}, 30_000);

test("resets wait for no longer because the API server took its time before the rollout began", async () => {
  cluster = new Cluster(pods(200), sidecarSet({ image: "x:2", strategy: all }));
  cluster.history = "hot-system";
  slowPatches();
  const { api, clock } = cluster;
  const create = api.create.bind(api);
  api.create = async <T>(...call: Parameters<typeof create>): Promise<T> => {
    await new Promise<void>((resolve) => void clock.after(1_000, resolve));
    return create<T>(...call);
  };
  await cluster.start();
  await cluster.settle(1_000);
  for (let i = 0; i < 40; i++) {
    await cluster.settle(LATENCY);
    await cluster.kubelets();
  }
  expect(kinds().lastIndexOf("upgrade")).toBeGreaterThan(kinds().indexOf("reset"));
  expect(kinds().indexOf("reset")).toBeGreaterThan(0);
}, 30_000);

test("the one write of a SidecarSet goes out while another one has hundreds waiting", async () => {
  const small = (image: string) => ({
    ...sidecarSet({ name: "small", containers: [hotContainer("y", image)], strategy: all }),
  });
  const other = injectedPod(small("y:1"), "other");
  other.metadata.labels = { app: "other" };
  const set = small("y:2");
  cluster = new Cluster([...pods(300), other], sidecarSet({ image: "x:2", strategy: all }), {
    ...set,
    spec: { ...set.spec, selector: { matchLabels: { app: "other" } } },
  });
  slowPatches();
  await cluster.start();
  for (let i = 0; i < 60; i++) await cluster.settle(LATENCY);
  const at = cluster.patches().findIndex(({ name }) => name === "other");
  expect(cluster.patches().length).toBeGreaterThan(200);
  // Those that were under way before it came, and one round.
  expect(at).toBeGreaterThanOrEqual(0);
  expect(at).toBeLessThanOrEqual(16);
}, 30_000);

test("429: nothing is written until Retry-After is over, then all of it, without further delay", async () => {
  cluster = new Cluster(pods(20), sidecarSet({ image: "x:2", strategy: all }));
  const flight = slowPatches();
  cluster.api.faults.failNext(
    { verb: "patch", plural: "pods" },
    new ApiError("patch pods", 429, { reason: "TooManyRequests" }, 7_000),
  );
  await cluster.start();
  await cluster.settle(LATENCY);
  // What had been sent before.
  const before = cluster.patches().length;
  expect(before).toBe(8);
  await cluster.settle(6_900);
  expect(cluster.patches()).toHaveLength(before);
  flight.most = 0;
  await cluster.settle(110);
  expect(flight.most).toBeGreaterThanOrEqual(4);
  expect(flight.most).toBeLessThan(8);
  await cluster.settle(1_000);
  for (const pod of await cluster.pods()) expect(images(pod)).toMatchObject({ "x-2": "x:2" });
  expect(cluster.metrics.get("hot_pod_writes_slowed_total overload")).toBe(1);
});

test("a stop while the API server wants a pause comes at once, and writes nothing more", async () => {
  cluster = new Cluster(pods(20), sidecarSet({ image: "x:2", strategy: all }));
  cluster.api.faults.failNext({ verb: "patch", plural: "pods" }, new ApiError("patch pods", 429, {}, 30_000));
  await cluster.start();
  const before = cluster.patches().length;
  await cluster.stop();
  expect(cluster.patches()).toHaveLength(before);
  expect(before).toBeLessThan(20);
});

test("what has waited for the end of a pause is judged anew: the budget may be used up by now", async () => {
  cluster = new Cluster(pods(2), sidecarSet({ image: "x:2", strategy: { maxUnavailable: 1 } }));
  cluster.api.faults.failNext({ verb: "patch", plural: "pods" }, new ApiError("patch pods", 429, {}, 10_000));
  await cluster.start();
  await cluster.settle(2_000);
  const [refused] = cluster.patches();
  const other = ["web-0", "web-1"].find((name) => name !== refused?.name) ?? "";
  // Somebody else upgrades the other pod meanwhile, as Kruise would.
  const { status: _, ...pod } = await cluster.pod(other);
  const annotations = {
    ...pod.metadata.annotations,
    "version.sidecarset.kruise.io/x-2": "2000",
    "versionalt.sidecarset.kruise.io/x-2": "1",
    "versionalt.sidecarset.kruise.io/x-1": "2000",
  };
  const containers = pod.spec.containers.map((one) => (one.name === "x-2" ? { ...one, image: "x:2" } : one));
  const seeded = { ...(await cluster.pod(other)), metadata: { ...pod.metadata, annotations, generation: 2 } };
  cluster.api.seed(RESOURCES.pods, { ...seeded, spec: { ...pod.spec, containers } });
  await cluster.settle(20_000);
  expect(cluster.patches().filter(({ name, body }) => name !== other && body.spec !== undefined)).toEqual([refused]);
});

test("a deadline counts from the end of the pause: an upgrade that had to wait longer than that is not aborted", async () => {
  const strategy = { hotUpgrade: { progressDeadlineSeconds: 20 } };
  cluster = new Cluster(pods(1), sidecarSet({ image: "x:2", strategy }));
  cluster.api.faults.failNext({ verb: "patch", plural: "pods" }, new ApiError("patch pods", 429, {}, 30_000));
  await cluster.start();
  await cluster.settle(31_000);
  await cluster.converge();
  expect(images(await cluster.pod())).toEqual({ main: "main:1", "x-1": "e:1", "x-2": "x:2" });
});

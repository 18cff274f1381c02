// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES } from "@hot/kube";
import { afterEach, describe, expect, it, test } from "vitest";
import { SIDECAR_SETS } from "../../src/act/write-status.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { Cluster, images } from "../support/cluster.ts";

const v1 = sidecarSet({ image: "x:1" });
const NAMES = ["web-0", "web-1", "web-2"];
const PODS = NAMES.map((name) => injectedPod(v1, name));
const v2 = sidecarSet({ image: "x:2", strategy: { maxUnavailable: 2 } });
const DONE = { main: "main:1", "x-1": "e:1", "x-2": "x:2" };
const POD_PATCH = { verb: "patch", plural: "pods" } as const;

let cluster: Cluster;
afterEach(() => cluster.stop());

async function run(prepare: (cluster: Cluster) => void = () => undefined): Promise<void> {
  cluster = new Cluster(PODS, v2);
  prepare(cluster);
  await cluster.start();
  if (cluster.killed) await cluster.restart();
  await cluster.converge();
}

/** What the end state must not depend on: times and resourceVersions. */
async function endState(): Promise<unknown> {
  const { status } = await cluster.sidecarSet();
  const conditions = status?.conditions?.map(({ type, status, reason }) => [type, status, reason]);
  const pods = (await cluster.pods()).map((pod) => [
    images(pod),
    pod.metadata.annotations?.["kruise.io/sidecarset-working-hotupgrade-container"],
    JSON.parse(pod.metadata.annotations?.["kruise.io/sidecarset-hash"] ?? "{}").mesh.hash,
  ]);
  return { ...status, conditions, pods };
}

function failure(status: number): ApiError {
  return new ApiError("patch pods", status, { message: "no" });
}

describe("the end state is the same, and no pod is written twice for one phase", () => {
  const expected = async (): Promise<unknown> => {
    await run();
    const state = await endState();
    await cluster.stop();
    return state;
  };

  // 3 pods, 2 writes each.
  test.each([1, 2, 3, 4, 5, 6])("killed after write %i", async (n) => {
    const undisturbed = await expected();
    await run((one) => one.killAfter(n));
    expect(await endState()).toEqual(undisturbed);
    expect(cluster.patches()).toHaveLength(6);
  });

  test.each([1, 2, 3, 4, 5, 6])("answer of write %i lost after it was carried out", async (n) => {
    const undisturbed = await expected();
    await run(({ api }) => {
      const patch = api.patch.bind(api);
      let writes = 0;
      api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
        if (call[0].plural === "pods" && ++writes === n) api.faults.loseNextAnswer(POD_PATCH);
        return patch<T>(...call);
      };
    });
    expect(await endState()).toEqual(undisturbed);
    expect(cluster.patches()).toHaveLength(6);
    const started = cluster.events.filter((one) => one.reason === "HotUpgradeStarted" && NAMES.includes(one.on));
    expect(started).toHaveLength(3);
  });

  test("answer lost, and the pod can't be read either: it is left alone until it can", async () => {
    const undisturbed = await expected();
    await run(({ api }) => {
      api.faults.loseNextAnswer(POD_PATCH);
      api.faults.failNext({ verb: "get", plural: "pods" }, failure(503));
    });
    expect(await endState()).toEqual(undisturbed);
    expect(cluster.patches()).toHaveLength(6);
  });

  test("refused with 500, and the pod can't be read several times: it is tried again though nothing else happens", async () => {
    cluster = new Cluster([injectedPod(v1)], v2);
    cluster.api.faults.failNext(POD_PATCH, failure(500));
    for (let i = 0; i < 4; i++) cluster.api.faults.failNext({ verb: "get", plural: "pods" }, failure(503));
    await cluster.start();
    await cluster.settle(10_000);
    expect(images(await cluster.pod())).toMatchObject({ "x-2": "x:2" });
  });

  test("restarted whenever it comes to rest", async () => {
    const undisturbed = await expected();
    cluster = new Cluster(PODS, v2);
    for (let i = 0; i < 6; i++) {
      await cluster.restart();
      await cluster.stop();
      await cluster.kubelets();
    }
    await cluster.start();
    await cluster.converge();
    expect(await endState()).toEqual(undisturbed);
    expect(cluster.patches()).toHaveLength(6);
  });

  test("watches break again and again", async () => {
    const undisturbed = await expected();
    cluster = new Cluster(PODS, v2);
    await cluster.start();
    for (let i = 0; i < 6; i++) {
      cluster.api.breakWatches();
      await cluster.kubelets();
      await cluster.settle(500);
    }
    await cluster.converge();
    expect(await endState()).toEqual(undisturbed);
    expect(cluster.patches()).toHaveLength(6);
  });
});

describe("a write that is refused", () => {
  it("409: the pod is read and planned again; the same write is never sent again", async () => {
    cluster = new Cluster([injectedPod(v1)], v2);
    const { reached, release } = cluster.api.faults.holdNext(POD_PATCH);
    const started = cluster.start();
    await reached;
    const pod = await cluster.pod();
    cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, labels: { app: "web", touched: "yes" } } });
    release();
    await started;
    await cluster.converge();
    expect(images(await cluster.pod())).toEqual(DONE);
    const versions = cluster.patches().map(({ body }) => body.metadata["resourceVersion"]);
    expect(versions).toHaveLength(3);
    expect(new Set(versions).size).toBe(3);
  });

  test.each([429, 500, 503])("%i for a minute: it goes on within 10 s after", async (status) => {
    cluster = new Cluster([injectedPod(v1)], v2);
    const { api } = cluster;
    const patch = api.patch.bind(api);
    let away = true;
    api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
      if (away && call[0].plural === "pods") throw failure(status);
      return patch<T>(...call);
    };
    await cluster.start();
    await cluster.settle(60_000);
    expect(cluster.patches()).toHaveLength(0);
    away = false;
    await cluster.settle(10_000);
    expect(images(await cluster.pod())).toMatchObject({ "x-2": "x:2" });
  });

  it("422: the other pods go on, and it is tried again a minute later", async () => {
    await run(({ api }) => api.faults.failNext({ ...POD_PATCH, name: "web-1" }, failure(422)));
    expect((await cluster.pods()).map(images)).toEqual([DONE, images(PODS[1]!), DONE]);
    await cluster.settle(60_000);
    await cluster.converge();
    expect((await cluster.pods()).map(images)).toEqual([DONE, DONE, DONE]);
  });

  it("404: the pod is dropped from all accounting at once", async () => {
    await run(({ api }) => {
      const { delete: remove } = { delete: api.delete.bind(api) };
      const patch = api.patch.bind(api);
      let first = true;
      api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
        if (call[0].plural === "pods" && first) {
          first = false;
          await remove(RESOURCES.pods, call[1], { namespace: "ns1" });
        }
        return patch<T>(...call);
      };
    });
    expect((await cluster.pods()).map(images)).toEqual([DONE, DONE]);
    expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 2, updatedReadyPods: 2 });
  });
});

describe("maxUnavailable counts writes in flight", () => {
  const one = sidecarSet({ image: "x:2", strategy: { maxUnavailable: 1 } });

  it("while the answer is outstanding", async () => {
    cluster = new Cluster(PODS, one);
    const { reached, release } = cluster.api.faults.holdNext(POD_PATCH);
    const started = cluster.start();
    await reached;
    await cluster.edit((set) => ({ ...set, spec: { ...set.spec, revisionHistoryLimit: 3 } }));
    expect(cluster.api.calls.filter((call) => call.verb === "patch" && call.resource.plural === "pods")).toHaveLength(
      1,
    );
    release();
    await started;
    expect((await cluster.pods()).filter((pod) => images(pod)["x-2"] === "x:2")).toHaveLength(1);
  });

  it("while the cache does not show them", async () => {
    cluster = new Cluster(PODS, sidecarSet({ image: "x:2", strategy: { maxUnavailable: 1, paused: true } }));
    await cluster.start();
    const { release } = cluster.api.faults.holdNext({ verb: "watch", plural: "pods" });
    cluster.api.breakWatches();
    await cluster.settle(2000);
    const resume = { maxUnavailable: 1, paused: false };
    await cluster.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: resume } }));
    expect(cluster.patches()).toHaveLength(1);
    await cluster.edit((set) => ({ ...set, spec: { ...set.spec, revisionHistoryLimit: 3 } }));
    await cluster.settle(20_000);
    expect(cluster.patches()).toHaveLength(1);
    release();
    await cluster.converge();
    expect((await cluster.pods()).map(images)).toEqual([DONE, DONE, DONE]);
    expect(cluster.patches()).toHaveLength(6);
  });

  it("while another SidecarSet of the same pods is reconciled", async () => {
    const shared = PODS.map((pod) => ({
      ...pod,
      metadata: {
        ...pod.metadata,
        annotations: { ...pod.metadata.annotations, "kruise.io/sidecarset-injected-list": "mesh,other" },
      },
    }));
    const other = sidecarSet({ name: "other", containers: [], strategy: { paused: true } });
    cluster = new Cluster(shared, sidecarSet({ image: "x:2", strategy: { maxUnavailable: 1, paused: true } }), other);
    await cluster.start();
    const watch = cluster.api.faults.holdNext({ verb: "watch", plural: "pods" });
    cluster.api.breakWatches();
    await cluster.settle(2000);
    const patch = cluster.api.faults.holdNext(POD_PATCH);
    const resume = { maxUnavailable: 1, paused: false };
    const touch = (limit: number) => (set: typeof other) => ({
      ...set,
      spec: { ...set.spec, revisionHistoryLimit: limit },
    });
    await cluster.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: resume } }));
    await patch.reached;
    await cluster.edit(touch(3), "other");
    patch.release();
    await cluster.settle(2000);
    await cluster.edit(touch(3));
    await cluster.settle(20_000);
    expect(cluster.patches()).toHaveLength(1);
    watch.release();
    await cluster.converge();
    expect((await cluster.pods()).map(images)).toEqual([DONE, DONE, DONE]);
  });

  it("until it is clear that one has come to nothing: then for another SidecarSet of the pod, too", async () => {
    const [pod] = PODS.map(({ metadata, ...rest }) => ({
      ...rest,
      metadata: {
        ...metadata,
        annotations: { ...metadata.annotations, "kruise.io/sidecarset-injected-list": "mesh,other" },
      },
    }));
    const paused = sidecarSet({ image: "x:2", strategy: { paused: true } });
    cluster = new Cluster([pod!], paused, sidecarSet({ name: "other", containers: [] }));
    await cluster.start();
    const strategy = (updateStrategy: object) => (set: typeof paused) => ({
      ...set,
      spec: { ...set.spec, updateStrategy },
    });
    const { promise, reject } = Promise.withResolvers<never>();
    const patch = cluster.api.patch.bind(cluster.api);
    cluster.api.patch = (...call) => (call[0].plural === "pods" ? promise : patch(...call));
    await cluster.edit(strategy({ paused: false }));
    await cluster.edit(strategy({ paused: false, maxUnavailable: 2 }), "other");
    const upgrading = async () => (await cluster.sidecarSet("other")).status?.upgradingPods;
    expect(await upgrading()).toBe(1);
    await cluster.edit(strategy({ paused: true }));
    reject(failure(500));
    await cluster.settle(5_000);
    expect(await upgrading()).toBe(0);
  });

  it("never more than allowed are unavailable on the way", async () => {
    cluster = new Cluster(PODS, one);
    await cluster.start();
    for (let i = 0; i < 12; i++) {
      const under = (await cluster.pods()).filter((pod) => {
        const { "x-1": first, "x-2": second } = images(pod);
        return first !== "e:1" && second !== "e:1";
      });
      expect(under.length).toBeLessThanOrEqual(1);
      await cluster.kubelets();
    }
    expect((await cluster.pods()).map(images)).toEqual([DONE, DONE, DONE]);
  });
});

test("nothing starts after a pause has been seen, in the middle of a round of writes", async () => {
  const pods = Array.from({ length: 12 }, (_, i) => injectedPod(v1, `web-${i}`));
  cluster = new Cluster(pods, sidecarSet({ image: "x:2", strategy: { maxUnavailable: 12 } }));
  const { api } = cluster;
  const patch = api.patch.bind(api);
  const gate = Promise.withResolvers<void>();
  let sent = 0;
  api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
    if (call[0].plural === "pods") {
      sent++;
      await gate.promise;
    }
    return patch<T>(...call);
  };
  await cluster.start();
  expect(sent).toBe(8);
  await cluster.edit((set) => ({
    ...set,
    spec: { ...set.spec, updateStrategy: { maxUnavailable: 12, paused: true } },
  }));
  gate.resolve();
  await cluster.converge();
  expect((await cluster.pods()).filter((pod) => images(pod)["x-2"] === "x:2")).toHaveLength(8);
});

test("a time that lies years ahead is not taken for now", async () => {
  cluster = new Cluster(
    [injectedPod(v1)],
    sidecarSet({ image: "x:2", strategy: { hotUpgrade: { progressDeadlineSeconds: 2 ** 31 - 1 } } }),
  );
  const delays: number[] = [];
  const after = cluster.clock.after.bind(cluster.clock);
  cluster.clock.after = (ms, fn) => {
    delays.push(ms);
    return after(ms, fn);
  };
  await cluster.start();
  await cluster.kubelets();
  // A timer of Node that is longer than 2^31 - 1 ms fires at once.
  expect(delays.filter((ms) => ms >= 2 ** 31)).toEqual([]);
});

test("a status that somebody else has written, or we without an answer, is put right though nothing else happens", async () => {
  await run();
  await cluster.settle(60_000);
  const status = { readyPods: 0, updatedReadyPods: 0 };
  await cluster.api.patch(SIDECAR_SETS, "mesh", { type: "merge", body: { status } }, { subresource: "status" });
  await cluster.settle(1_000);
  expect((await cluster.sidecarSet()).status).toMatchObject({ readyPods: 3, updatedReadyPods: 3 });
});

test("our own status writes are no reason to look again", async () => {
  await run();
  await cluster.settle(60_000);
  const reconciles = (): number => cluster.metrics.get("hot_reconcile_total done") ?? 0;
  const before = reconciles();
  await cluster.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: { maxUnavailable: 3 } } }));
  await cluster.settle(60_000);
  expect((await cluster.sidecarSet()).status?.observedGeneration).toBe(3);
  expect(reconciles() - before).toBe(1);
});

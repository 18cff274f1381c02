// SPDX-License-Identifier: Apache-2.0
import { injectPod } from "@hot/inject";
import { ApiError, ConnectionError, RESOURCES } from "@hot/kube";
import { HASH_ANNOTATION, newRevision, type ControllerRevision, type Pod, type SidecarSet } from "@hot/spec";
import { afterEach, describe, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";
import { upgrading } from "./support/planning.ts";

const HOME = "hot-system";
const REVISIONS = RESOURCES.controllerRevisions;
let cluster: Cluster;
afterEach(() => cluster.stop());

const image =
  (to: string, spec: Partial<SidecarSet["spec"]> = {}) =>
  (set: SidecarSet): SidecarSet => {
    const next = sidecarSet({ image: to, strategy: set.spec.updateStrategy ?? {} });
    const { annotations = {} } = next.metadata;
    return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, ...next.spec, ...spec } };
  };

async function start(pods: readonly Pod[], set: SidecarSet, prepare?: (one: Cluster) => void): Promise<void> {
  cluster = new Cluster(pods, set);
  cluster.history = HOME;
  prepare?.(cluster);
  await cluster.start();
  await cluster.converge();
}

async function history(): Promise<ControllerRevision[]> {
  const { items } = await cluster.api.list<ControllerRevision>(REVISIONS, { namespace: HOME });
  return items.sort((a, b) => a.revision - b.revision);
}

/** `[number, image of its container]`. */
async function summary(): Promise<[number, string][]> {
  return (await history()).map(({ revision, data }) => [
    revision,
    (data as { spec: SidecarSet["spec"] }).spec.containers?.[0]?.image ?? "",
  ]);
}

const writes = () =>
  cluster.api.calls.filter(({ resource, verb }) =>
    resource === REVISIONS || resource.plural === REVISIONS.plural ? !["list", "watch", "get"].includes(verb) : false,
  );
const refused = (status: number, reason = "") => new ApiError("create", status, { reason });

describe("the history", () => {
  test("begins with the SidecarSet as it is, owned by it, and the status names it", async () => {
    await start([], sidecarSet({ image: "x:1" }));
    const [first] = await history();
    const set = await cluster.sidecarSet();
    expect(first).toMatchObject({
      revision: 1,
      metadata: {
        namespace: HOME,
        labels: { "kruise.io/sidecarset-name": "mesh" },
        annotations: { [HASH_ANNOTATION]: set.metadata.annotations?.[HASH_ANNOTATION] },
        ownerReferences: [{ kind: "SidecarSet", name: "mesh", uid: "uid-mesh", controller: true }],
      },
    });
    expect(first?.metadata.name).toMatch(/^mesh-[a-z0-9]+$/);
    expect(set.status).toMatchObject({ latestRevision: first?.metadata.name, collisionCount: 0 });
    expect(writes()).toHaveLength(1);
  });

  test("grows with content, not with strategy; a rollback makes the old revision the newest", async () => {
    await start([], sidecarSet({ image: "x:1" }));
    const [first] = await history();
    await cluster.edit(image("x:2"));
    await cluster.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: { paused: true } } }));
    expect(await summary()).toEqual([
      [1, "x:1"],
      [2, "x:2"],
    ]);
    await cluster.edit(image("x:1"));
    expect(await summary()).toEqual([
      [2, "x:2"],
      [3, "x:1"],
    ]);
    expect((await cluster.sidecarSet()).status?.latestRevision).toBe(first?.metadata.name);
  });

  test("is cut to revisionHistoryLimit, oldest first, without those that pods use", async () => {
    const limited = sidecarSet({ image: "x:1" });
    await start([], { ...limited, spec: { ...limited.spec, revisionHistoryLimit: 2 } });
    const [first] = await history();
    const entry = { mesh: { hash: "h", sidecarSetName: "mesh", controllerRevision: first?.metadata.name } };
    const pod = injectedPod(limited);
    const annotations = { ...pod.metadata.annotations, [HASH_ANNOTATION]: JSON.stringify(entry) };
    cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, annotations } });
    const paused = { revisionHistoryLimit: 2, updateStrategy: { paused: true } };
    for (const to of ["x:2", "x:3", "x:4"]) await cluster.edit(image(to, paused));
    expect(await summary()).toEqual([
      [1, "x:1"],
      [4, "x:4"],
    ]);
    // No pod uses the first one any more; it is looked at again within a minute.
    await cluster.api.delete(RESOURCES.pods, "web-0", { namespace: "ns1" });
    await cluster.settle(61_000);
    await cluster.edit(image("x:5", paused));
    expect(await summary()).toEqual([
      [4, "x:4"],
      [5, "x:5"],
    ]);
  });

  test("keeps the one that a pod was taken back to by an abort, and not the one that was aborted", async () => {
    const v1 = sidecarSet({ image: "x:1" });
    await start([injectedPod(v1)], { ...v1, spec: { ...v1.spec, revisionHistoryLimit: 1 } });
    cluster.fateOf = (to) => (to === "x:bad" ? "pullError" : "runs");
    await cluster.edit(image("x:2", { revisionHistoryLimit: 1 }));
    await cluster.converge();
    await cluster.edit(image("x:bad", { revisionHistoryLimit: 1 }));
    await cluster.converge();
    expect(images(await cluster.pod())).toMatchObject({ "x-1": "e:1", "x-2": "x:2" });
    const paused = { revisionHistoryLimit: 1, updateStrategy: { paused: true } };
    for (const to of ["x:4", "x:5"]) await cluster.edit(image(to, paused));
    await cluster.settle(61_000);
    expect(await summary()).toEqual([
      [2, "x:2"],
      [5, "x:5"],
    ]);
  });

  test("counts on where the name is taken by other data, and takes over equal data", async () => {
    const set = sidecarSet({ image: "x:1" });
    const own = newRevision(set, { namespace: HOME, revision: 1, collisionCount: 0 });
    const metadata = { ...own.metadata, labels: {}, ownerReferences: [] };
    await start([], set, ({ api }) => api.seed(REVISIONS, { ...own, metadata, data: { spec: "another" } }));
    const { status } = await cluster.sidecarSet();
    expect(status?.collisionCount).toBe(1);
    expect(status?.latestRevision).not.toBe(own.metadata.name);
    expect(await history()).toHaveLength(2);
    await cluster.stop();
    await start([], set, ({ api }) => api.seed(REVISIONS, { ...own, metadata }));
    expect((await cluster.sidecarSet()).status).toMatchObject({
      latestRevision: own.metadata.name,
      collisionCount: 0,
    });
    expect(await history()).toHaveLength(1);
  });

  test("gets the custom version as a label, also of a revision that exists", async () => {
    const set = sidecarSet({ image: "x:1" });
    await start([], { ...set, spec: { ...set.spec, customVersion: "one" } });
    await cluster.edit((one) => ({ ...one, spec: { ...one.spec, customVersion: "uno" } }));
    const labels = (await history()).map(
      ({ metadata }) => metadata.labels?.["apps.kruise.io/sidecarset-custom-version"],
    );
    expect(labels).toEqual(["uno"]);
  });

  test("is written again when somebody deletes it", async () => {
    await start([], sidecarSet({ image: "x:1" }));
    const [first] = await history();
    await cluster.api.delete(REVISIONS, first?.metadata.name ?? "", { namespace: HOME });
    await cluster.settle(1000);
    expect((await history()).map(({ metadata }) => metadata.name)).toEqual([first?.metadata.name]);
  });

  test("is read from the API once for each change, however often the SidecarSet is reconciled", async () => {
    const v1 = sidecarSet({ image: "x:1" });
    await start([injectedPod(v1)], v1);
    await cluster.edit(image("x:2"));
    await cluster.converge();
    const lists = cluster.api.calls.filter(
      ({ resource, verb }) => resource.plural === REVISIONS.plural && verb === "list",
    );
    // One by the cache, one for each of the two contents.
    expect(lists).toHaveLength(3);
  });
});

describe("faults", () => {
  test("an answer that is lost makes no second revision", async () => {
    await start([], sidecarSet({ image: "x:1" }), ({ api }) =>
      api.faults.loseNextAnswer({ verb: "create", plural: REVISIONS.plural }),
    );
    expect(await summary()).toEqual([[1, "x:1"]]);
    expect((await cluster.sidecarSet()).status?.latestRevision).toBe((await history())[0]?.metadata.name);
  });

  test("a rollback whose revision has changed meanwhile is planned again, and its number is given once", async () => {
    await start([], sidecarSet({ image: "x:1" }));
    await cluster.edit(image("x:2"));
    cluster.api.faults.failNext({ verb: "patch", plural: REVISIONS.plural }, refused(409, "Conflict"));
    await cluster.edit(image("x:1"));
    await cluster.settle(10_000);
    expect(await summary()).toEqual([
      [2, "x:2"],
      [3, "x:1"],
    ]);
  });

  test("every write is for the version that was planned on", async () => {
    await start([], {
      ...sidecarSet({ image: "x:1" }),
      spec: { ...sidecarSet({ image: "x:1" }).spec, revisionHistoryLimit: 1 },
    });
    await cluster.edit(image("x:2", { revisionHistoryLimit: 2 }));
    await cluster.edit(image("x:1", { revisionHistoryLimit: 1 }));
    const bodies = writes().map(({ verb, body }) => [verb, JSON.stringify(body)] as const);
    expect(bodies.map(([verb]) => verb)).toEqual(["create", "create", "patch", "delete"]);
    for (const [, body] of bodies.slice(2)) expect(body).toMatch(/"resourceVersion":"\d+"/);
    expect(bodies[3]?.[1]).toMatch(/"uid":"uid-/);
  });

  test("while it can't be written nothing starts, and what has started is finished", async () => {
    const v1 = sidecarSet({ image: "x:1" });
    const v2 = sidecarSet({ image: "x:2" });
    const down = new ConnectionError("create", "fake", "KUBE_CUT", "no answer");
    cluster = new Cluster([upgrading(injectedPod(v1, "web-0"), v2), injectedPod(v1, "web-1")], v2);
    cluster.history = HOME;
    const create = cluster.api.create.bind(cluster.api);
    cluster.api.create = () => Promise.reject(down);
    await cluster.start();
    for (let i = 0; i < 5; i++) {
      await cluster.kubelets();
      await cluster.settle(1000);
    }
    expect((await cluster.pods()).map(images)).toEqual([
      { main: "main:1", "x-1": "e:1", "x-2": "x:2" },
      { main: "main:1", "x-1": "x:1", "x-2": "e:1" },
    ]);
    cluster.api.create = create;
    await cluster.settle(10_000);
    await cluster.converge();
    expect(images(await cluster.pod("web-1"))).toEqual({ main: "main:1", "x-1": "e:1", "x-2": "x:2" });
  });

  test("a pause that is read when the history is cut is heard, though the cache does not know of it yet: nothing starts", async () => {
    const limited = sidecarSet({ image: "x:1" });
    await start([injectedPod(limited)], { ...limited, spec: { ...limited.spec, revisionHistoryLimit: 1 } });
    await cluster.edit(image("x:2", { updateStrategy: { paused: true } }));
    const { faults } = cluster.api;
    const listing = faults.holdNext({ verb: "list", plural: REVISIONS.plural });
    await cluster.edit(image("x:3", { updateStrategy: { paused: false } }));
    await listing.reached;
    const watching = faults.holdNext({ verb: "watch", plural: "sidecarsets" });
    cluster.api.breakWatches();
    await cluster.settle(10_000);
    await watching.reached;
    await cluster.edit(image("x:3", { updateStrategy: { paused: true } }));
    const reads = () =>
      cluster.api.calls.filter(({ verb, resource }) => verb === "get" && resource.plural === "sidecarsets");
    const before = reads().length;
    listing.release();
    await cluster.settle(1_000);
    expect(reads().length).toBeGreaterThan(before);
    expect(cluster.patches()).toEqual([]);
    watching.release();
    await cluster.converge();
    expect(cluster.patches()).toEqual([]);
  });

  test("no revision is written after the lease is lost", async () => {
    await start([], sidecarSet({ image: "x:1" }));
    cluster.fence = () => {
      throw new Error("not the leader");
    };
    await cluster.edit(image("x:2"));
    await cluster.settle(10_000);
    expect(await summary()).toEqual([[1, "x:1"]]);
  });
});

describe("what pods get", () => {
  test("an update names the revision of its content in the pod", async () => {
    const v1 = sidecarSet({ image: "x:1" });
    await start([injectedPod(v1)], v1);
    await cluster.edit(image("x:2"));
    await cluster.converge();
    const { status } = await cluster.sidecarSet();
    const entry = JSON.parse((await cluster.pod()).metadata.annotations?.[HASH_ANNOTATION] ?? "{}") as object;
    expect(entry).toMatchObject({ mesh: { controllerRevision: status?.latestRevision } });
    expect((await history()).at(-1)?.metadata.name).toBe(status?.latestRevision);
  });

  test.each([
    ["custom version", () => ({ customVersion: "one" })],
    ["name", (first: string) => ({ revisionName: first })],
  ])("a new pod is injected from the revision that injectionStrategy names by its %s", async (_what, revision) => {
    const v1 = sidecarSet({ image: "x:1" });
    await start([], { ...v1, spec: { ...v1.spec, customVersion: "one" } });
    const [first] = await history();
    const name = first?.metadata.name ?? "";
    await cluster.edit(image("x:2", { customVersion: "two", injectionStrategy: { revision: revision(name) } }));
    const pod: Pod = { metadata: { name: "new", namespace: "ns1", labels: { app: "web" } }, spec: { containers: [] } };
    const sidecarSets = [await cluster.sidecarSet()];
    const now = "2030-01-01T00:00:00Z";
    const injected = injectPod({ pod, namespace: { name: "ns1" }, sidecarSets, revisions: await history(), now });
    expect(injected.report.denied).toBeUndefined();
    expect(images(injected.pod)).toEqual({ "x-1": "x:1", "x-2": "e:1" });
    const entry = JSON.parse(injected.pod.metadata.annotations?.[HASH_ANNOTATION] ?? "{}") as object;
    expect(entry).toMatchObject({
      mesh: { controllerRevision: name, hash: v1.metadata.annotations?.[HASH_ANNOTATION] },
    });
  });

  const fresh: Pod = { metadata: { name: "new", namespace: "ns1", labels: { app: "web" } }, spec: { containers: [] } };
  const newPod = async (): Promise<Pod> => {
    const sidecarSets = [await cluster.sidecarSet()];
    const now = "2030-01-01T00:00:00Z";
    return injectPod({ pod: fresh, namespace: { name: "ns1" }, sidecarSets, revisions: await history(), now }).pod;
  };
  const good = async () => (await cluster.sidecarSet()).status?.lastGoodRevision;

  test("the last good revision is the last one that pods were updated to and ready with", async () => {
    const v1 = sidecarSet({ image: "x:1", strategy: { maxUnavailable: 1 } });
    await start([], v1);
    expect(await good()).toBeUndefined();
    cluster.api.seed(RESOURCES.pods, injectedPod(v1));
    await cluster.converge();
    const [first] = await history();
    expect(await good()).toBe(first?.metadata.name);
    await cluster.edit(image("x:2"));
    expect(await good()).toBe(first?.metadata.name);
    await cluster.converge();
    expect(await good()).toBe((await history()).at(-1)?.metadata.name);
  });

  test("with LastGood, pods made while the rollout is stalled get it; they follow when the SidecarSet is corrected", async () => {
    const strategy = { hotUpgrade: { newPodsWhenStalled: "LastGood" as const } };
    const v1 = sidecarSet({ image: "x:1", strategy });
    await start([injectedPod(v1)], { ...v1, spec: { ...v1.spec, revisionHistoryLimit: 0 } });
    cluster.fateOf = (to) => (to === "x:bad" ? "pullError" : "runs");
    // A history without room, so that only its being needed keeps the good one.
    await cluster.edit(image("x:bad", { revisionHistoryLimit: 0 }));
    await cluster.api.delete(RESOURCES.pods, "web-0", { namespace: "ns1" });
    await cluster.settle(61_000);
    expect(images(await newPod())).toEqual({ "x-1": "x:bad", "x-2": "e:1" });
    cluster.api.seed(RESOURCES.pods, injectedPod(v1));
    await cluster.converge();
    expect((await cluster.sidecarSet()).status).toMatchObject({ failedPods: 1 });
    const made = await newPod();
    expect(images(made)).toEqual({ "x-1": "x:1", "x-2": "e:1" });
    cluster.api.seed(RESOURCES.pods, {
      ...injectedPod(v1, "new"),
      metadata: { ...injectedPod(v1, "new").metadata, annotations: made.metadata.annotations ?? {} },
    });
    await cluster.converge();
    expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 2, updatedPods: 0 });
    await cluster.edit(image("x:2"));
    await cluster.converge();
    expect(images(await cluster.pod("new"))).toMatchObject({ "x-1": "e:1", "x-2": "x:2" });
    expect(await good()).toBe((await history()).at(-1)?.metadata.name);
  });
});

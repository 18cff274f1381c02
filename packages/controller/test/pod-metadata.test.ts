// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import {
  HASH_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  RECORD_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  type PatchPodMetadata,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { afterEach, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const v1 = sidecarSet({ image: "x:1" });
const v2 = (...patchPodMetadata: PatchPodMetadata[]): SidecarSet => {
  const set = sidecarSet({ image: "x:2" });
  return { ...set, spec: { ...set.spec, patchPodMetadata } };
};

function annotated(annotations: Record<string, string>, from = injectedPod(v1)): Pod {
  return { ...from, metadata: { ...from.metadata, annotations: { ...from.metadata.annotations, ...annotations } } };
}

async function run(pod: Pod, set: SidecarSet): Promise<Record<string, string>> {
  cluster = new Cluster([pod], set);
  await cluster.start();
  await cluster.converge();
  return (await cluster.pod()).metadata.annotations ?? {};
}

const podReads = () => cluster.api.calls.filter(({ verb, resource }) => verb === "get" && resource.plural === "pods");

test("an update applies all three policies to the annotations that the pod has, in the write of the images", async () => {
  const after = await run(
    annotated({ kept: "own", set: "old", merged: '{"a":1,"b":2}', other: "stays" }),
    v2(
      { annotations: { kept: "theirs", new: "theirs" }, patchPolicy: "Retain" },
      { annotations: { set: "new" }, patchPolicy: "Overwrite" },
      { annotations: { merged: '{"b":null,"c":3}' }, patchPolicy: "MergePatchJson" },
    ),
  );
  expect(after).toMatchObject({ kept: "own", new: "theirs", set: "new", merged: '{"a":1,"c":3}', other: "stays" });
  expect(images(await cluster.pod())).toMatchObject({ "x-2": "x:2" });
  // Upgrade and reset; the metadata took no write of its own, and only what changes is in it.
  expect(cluster.patches()).toHaveLength(2);
  const written = Object.keys(cluster.patches()[0]?.body.metadata["annotations"] ?? {});
  expect(written).toEqual(expect.arrayContaining(["new", "set", "merged"]));
  expect(written).not.toEqual(expect.arrayContaining(["kept"]));
});

test("without patchPodMetadata no pod is read for its update", async () => {
  await run(injectedPod(v1), sidecarSet({ image: "x:2" }));
  // That of this test.
  expect(podReads()).toHaveLength(1);
});

test("the keys of the upgrade itself win", async () => {
  const after = await run(injectedPod(v1), v2({ annotations: { [HASH_ANNOTATION]: "{}" }, patchPolicy: "Overwrite" }));
  const hash = v2().metadata.annotations?.[HASH_ANNOTATION];
  expect(JSON.parse(after[HASH_ANNOTATION] ?? "{}")).toMatchObject({ mesh: { hash } });
});

test("no key of injection and upgrade is changed by it, in whatever state the pod is", async () => {
  const annotations = {
    [INJECTED_LIST_ANNOTATION]: "other",
    [`${VERSION_ANNOTATION_PREFIX}x-1`]: "0",
    [`${RECORD_ANNOTATION_PREFIX}y`]: "{}",
  };
  const after = await run(injectedPod(v1), v2({ annotations, patchPolicy: "Overwrite" }));
  expect(images(await cluster.pod())).toMatchObject({ "x-1": "e:1", "x-2": "x:2" });
  expect(after[INJECTED_LIST_ANNOTATION]).toBe("mesh");
  expect(after).not.toHaveProperty(`${RECORD_ANNOTATION_PREFIX}y`);
});

test("a pod that only has to be marked gets it too", async () => {
  const { metadata, ...rest } = injectedPod(sidecarSet({ image: "x:2" }));
  const old = injectedPod(v1).metadata.annotations?.[HASH_ANNOTATION] ?? "";
  const pod = { ...rest, metadata: { ...metadata, annotations: { ...metadata.annotations, [HASH_ANNOTATION]: old } } };
  const after = await run(pod, v2({ annotations: { set: "new" }, patchPolicy: "Overwrite" }));
  expect(after["set"]).toBe("new");
  expect(cluster.patches()).toHaveLength(1);
});

test("what has changed since the plan was made is not overwritten: it is planned again", async () => {
  cluster = new Cluster(
    [annotated({ merged: '{"a":1}' })],
    v2({ annotations: { merged: '{"b":2}' }, patchPolicy: "MergePatchJson" }),
  );
  const { reached, release } = cluster.api.faults.holdNext({ verb: "get", plural: "pods" });
  const starting = cluster.start();
  await reached;
  const pod = await cluster.pod();
  cluster.api.seed(RESOURCES.pods, annotated({ merged: '{"a":9}' }, pod));
  release();
  await starting;
  await cluster.converge();
  expect((await cluster.pod()).metadata.annotations?.["merged"]).toBe('{"a":9,"b":2}');
  expect(cluster.patches()).toHaveLength(2);
});

test("what can't be merged leaves the pod as it is, and is said as often as it is tried", async () => {
  const patch: PatchPodMetadata = { annotations: { merged: '{"b":2}' }, patchPolicy: "MergePatchJson" };
  cluster = new Cluster([annotated({ merged: "no json" })], v2(patch));
  await cluster.start();
  await cluster.settle(5 * 60_000);
  expect(cluster.patches()).toEqual([]);
  expect(podReads().length).toBeGreaterThan(3);
  expect(podReads().length).toBeLessThan(8);
  const said = cluster.events.filter((one) => one.on === "web-0");
  expect(said).toHaveLength(podReads().length);
  expect(new Set(said.map((one) => one.reason))).toEqual(new Set(["PodWriteRefused"]));
  expect(said[0]?.note).toMatch(/^HOT1308 PatchRejected: .*annotation merged.*HOT2106/);
});

test("whoever pauses while the pod is read is heard: nothing starts", async () => {
  cluster = new Cluster([injectedPod(v1)], v2({ annotations: { set: "new" }, patchPolicy: "Overwrite" }));
  const { reached, release } = cluster.api.faults.holdNext({ verb: "get", plural: "pods" });
  const starting = cluster.start();
  await reached;
  await cluster.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: { paused: true } } }));
  release();
  await starting;
  await cluster.converge();
  expect(cluster.patches()).toEqual([]);
});

test("a deadline counts from the write: an upgrade whose pod took longer to be read is not aborted", async () => {
  const set = v2({ annotations: { set: "new" }, patchPolicy: "Overwrite" });
  const updateStrategy = { hotUpgrade: { progressDeadlineSeconds: 20 } };
  cluster = new Cluster([injectedPod(v1)], { ...set, spec: { ...set.spec, updateStrategy } });
  const { reached, release } = cluster.api.faults.holdNext({ verb: "get", plural: "pods" });
  const starting = cluster.start();
  await reached;
  await cluster.settle(30_000);
  release();
  await starting;
  await cluster.settle();
  const record = (await cluster.pod()).metadata.annotations?.["upgrade.hot.internal/x"] ?? "{}";
  expect(JSON.parse(record)).toMatchObject({ deadlineAt: "2030-01-01T00:00:50Z" });
  await cluster.converge();
  expect(images(await cluster.pod())).toMatchObject({ "x-1": "e:1", "x-2": "x:2" });
});

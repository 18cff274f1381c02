// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import { RECORD_ANNOTATION_PREFIX, type Pod, type SidecarSet } from "@hot/spec";
import { afterEach, describe, expect, it, test } from "vitest";
import { projectPod, viewSidecarSet } from "../src/index.ts";
import { hotContainer, injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

const MINUTE = 60_000;

let cluster: Cluster;
afterEach(() => cluster.stop());

const mirrored = (image = ""): string => (image.includes("/") ? image : `mirror/${image}`);

/** As an admission webhook leaves a pod. */
function rewritten(pod: Pod, by: (image?: string, name?: string) => string = mirrored): Pod {
  const containers = pod.spec.containers.map((one) => ({ ...one, image: by(one.image, one.name) }));
  return { ...pod, spec: { ...pod.spec, containers } };
}

/** A pod that a webhook has rewritten when it was created, and that runs. */
function created(from: SidecarSet, name: string, atCreate: boolean): Pod {
  const pod = injectedPod(from, name);
  if (!atCreate) return pod;
  const after = rewritten(pod);
  const statuses = pod.status?.containerStatuses?.map((one) => ({ ...one, image: mirrored(one.image) }));
  return { ...after, status: { ...pod.status, ...(statuses && { containerStatuses: statuses }) } };
}

/** From now on each change of a pod goes through such a webhook, which sees the whole pod. */
function rewriteUpdates(by: (image: string, name: string, before: Record<string, string>) => string): void {
  const { api } = cluster;
  const patch = api.patch.bind(api);
  api.patch = async <T>(...[resource, name, sent, options]: Parameters<typeof patch>): Promise<T> => {
    if (resource.plural !== "pods" || options?.subresource !== undefined)
      return patch<T>(resource, name, sent, options);
    const before = images(await cluster.pod(name));
    const body = sent.body as { spec?: { containers: { name: string; image: string }[] } };
    const asked = Object.fromEntries((body.spec?.containers ?? []).map((one) => [one.name, one.image]));
    const containers = Object.entries({ ...before, ...asked }).map(([container, image]) => ({
      name: container,
      image: by(image, container, before),
    }));
    return patch<T>(resource, name, { type: "strategic", body: { ...body, spec: { containers } } } as never, options);
  };
}

const coldSet = (image: string) => sidecarSet({ containers: [{ name: "c", image: image.replace("x", "c") }] });
const hotSet = (image: string) => sidecarSet({ image });
const pairSet = (x: string, y: string, c = "c:1") =>
  sidecarSet({ containers: [hotContainer("x", x), hotContainer("y", y), { name: "c", image: c }] });

const to = (wanted: SidecarSet) => (set: SidecarSet) => ({
  ...set,
  metadata: { ...set.metadata, annotations: wanted.metadata.annotations ?? {} },
  spec: wanted.spec,
});

async function ready() {
  return (await cluster.sidecarSet()).status?.conditions?.find((one) => one.type === "Ready");
}

/** What containers run that are not empty, but for the application. */
async function served(): Promise<string[]> {
  const all = (await cluster.pods()).map((pod) =>
    Object.entries(images(pod)).flatMap(([name, image]) => (name === "main" || image.endsWith("e:1") ? [] : [image])),
  );
  return all.map((one) => one.sort().join());
}

async function quiet(minutes: number): Promise<void> {
  for (let i = 0; i < minutes * 6; i++) {
    await cluster.kubelets();
    await cluster.settle(MINUTE / 6);
  }
}

async function reports(): Promise<{ reason: string; detail: string }[]> {
  const sidecarSet = await cluster.sidecarSet();
  const pods = (await cluster.pods()).map(projectPod);
  const view = viewSidecarSet({ name: "mesh", sidecarSet, pods, namespaces: () => ({}), now: cluster.clock.now() });
  return view.pods.map(({ reason, detail }) => ({ reason, detail }));
}

describe.each([
  ["hot", hotSet, "x", 2],
  ["cold", coldSet, "c", 1],
] as const)("a webhook that rewrites images, %s", (_kind, set, base, writes) => {
  describe.each([
    ["at CREATE", true, false],
    ["at UPDATE", false, true],
    ["at both", true, true],
  ] as const)("%s", (_when, atCreate, atUpdate) => {
    const start = async (): Promise<void> => {
      cluster = new Cluster(
        ["web-0", "web-1", "web-2"].map((name) => created(set("x:1"), name, atCreate)),
        set("x:1"),
      );
      if (atUpdate) rewriteUpdates(mirrored);
      await cluster.start();
    };

    it("nothing is edited: nothing is written, and what differs is said", async () => {
      await start();
      await quiet(5);
      expect(cluster.patches()).toEqual([]);
      expect(await ready()).toMatchObject({ status: "True", reason: "UpToDate" });
      const [asked, runs] = [`${base}:1`, `mirror/${base}:1`];
      const report = atCreate
        ? { reason: "ImageRewritten", detail: `${base}: runs ${runs}, was given ${asked}` }
        : { reason: "UpToDate", detail: "" };
      expect(await reports()).toEqual([report, report, report]);
    });

    it("an edit is carried out once in each pod", async () => {
      await start();
      await cluster.edit(to(set("x:2")));
      await cluster.converge();
      const image = atUpdate ? `mirror/${base}:2` : `${base}:2`;
      expect(await served()).toEqual([image, image, image]);
      expect((await cluster.sidecarSet()).status).toMatchObject({
        updatedReadyPods: 3,
        upgradingPods: 0,
        failedPods: 0,
      });
      expect(await ready()).toMatchObject({ status: "True", reason: "UpToDate" });
      const perPod = Object.groupBy(cluster.patches(), ({ name }) => name);
      expect(Object.values(perPod).map((some) => some?.length)).toEqual([writes, writes, writes]);
      await quiet(5);
      expect(cluster.patches()).toHaveLength(3 * writes);
    });

    it("the controller is restarted after each of its writes: nothing is done twice", async () => {
      await start();
      await cluster.edit(to(set("x:2")));
      for (let i = 0; i < 8; i++) {
        await cluster.restart();
        await cluster.kubelets();
      }
      await cluster.converge();
      expect(cluster.patches()).toHaveLength(3 * writes);
    });
  });
});

test("rewritten at UPDATE and rolled back in mid-upgrade: it is aborted once, and what serves goes on", async () => {
  cluster = new Cluster([injectedPod(hotSet("x:1"))], hotSet("x:1"));
  rewriteUpdates(mirrored);
  await cluster.start();
  cluster.fateOf = (image) => (image.endsWith("x:2") ? "hangs" : "runs");
  await cluster.edit(to(hotSet("x:2")));
  await cluster.kubelets();
  expect(await served()).toEqual(["mirror/x:1,mirror/x:2"]);
  await cluster.edit(to(hotSet("x:1")));
  await cluster.converge();
  expect(await served()).toEqual(["mirror/x:1"]);
  expect(cluster.patches()).toHaveLength(2);
  expect((await cluster.sidecarSet()).status).toMatchObject({ updatedReadyPods: 1, failedPods: 0 });
});

test("a webhook that takes the new image back: the pod has failed, and nothing is tried again", async () => {
  cluster = new Cluster([injectedPod(hotSet("x:1")), injectedPod(hotSet("x:1"), "web-1")], hotSet("x:1"));
  rewriteUpdates((image, name, before) => before[name] ?? image);
  await cluster.start();
  await cluster.edit(to(hotSet("x:2")));
  await quiet(10);
  expect(await served()).toEqual(["x:1", "x:1"]);
  expect(cluster.patches()).toHaveLength(2);
  expect((await cluster.sidecarSet()).status?.conditions).toContainEqual(
    expect.objectContaining({ type: "Stalled", status: "True", reason: "ImageRewritten" }),
  );
});

describe("a pod that runs only a part of what it was given has no hash", () => {
  const start = async (failing: string): Promise<void> => {
    cluster = new Cluster([injectedPod(pairSet("x:1", "y:1"))], pairSet("x:1", "y:1"));
    await cluster.start();
    cluster.fateOf = (image) => (image === failing ? "pullError" : "runs");
  };

  test.each([
    ["another pair was upgraded", pairSet("x:2", "y:bad"), "x:2,y:1"],
    ["a cold container was changed", pairSet("x:1", "y:bad", "c:2"), "x:1,y:1"],
  ])("%s when one was aborted: after a rollback all run what is wanted", async (_what, bad) => {
    await start("y:bad");
    await cluster.edit(to(bad));
    await cluster.converge();
    expect((await cluster.sidecarSet()).status).toMatchObject({ updatedPods: 0, failedPods: 1 });
    await cluster.edit(to(pairSet("x:1", "y:1")));
    await cluster.converge();
    expect(await served()).toEqual(["c:1,x:1,y:1"]);
    expect((await cluster.sidecarSet()).status).toMatchObject({ updatedReadyPods: 1, upgradingPods: 0 });
  });
});

test.each([
  ["our upgrade", {}],
  ["its own", { [`${RECORD_ANNOTATION_PREFIX}x`]: "" }],
])("another controller marks a pod as rolled back in mid-upgrade, %s: in the end it is", async (_whose, changed) => {
  const before = injectedPod(hotSet("x:1"));
  cluster = new Cluster([before], hotSet("x:1"));
  await cluster.start();
  await cluster.edit(to(hotSet("x:2")));
  await cluster.stop();
  await cluster.kubelets();
  const pod = await cluster.pod();
  const key = "kruise.io/sidecarset-hash";
  const annotations = { ...pod.metadata.annotations, [key]: before.metadata.annotations?.[key] ?? "", ...changed };
  cluster.api.seed(
    { group: "", version: "v1", plural: "pods", namespaced: true },
    { ...pod, metadata: { ...pod.metadata, annotations } },
  );
  await cluster.edit(to(hotSet("x:1")));
  await cluster.start();
  await cluster.converge();
  expect(await served()).toEqual(["x:1"]);
});

test("another controller's upgrade that was rewritten is finished, and not begun again", async () => {
  cluster = new Cluster([injectedPod(hotSet("x:1"))], hotSet("x:1"));
  rewriteUpdates(mirrored);
  await cluster.start();
  await cluster.edit(to(hotSet("x:2")));
  await cluster.stop();
  const pod = await cluster.pod();
  const { [`${RECORD_ANNOTATION_PREFIX}x`]: _, ...annotations } = pod.metadata.annotations ?? {};
  cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, annotations } });
  const before = cluster.patches().length;
  await cluster.start();
  await cluster.converge();
  expect(await served()).toEqual(["mirror/x:2"]);
  // Adopted and reset.
  expect(cluster.patches()).toHaveLength(before + 2);
  expect(await ready()).toMatchObject({ status: "True", reason: "UpToDate" });
});

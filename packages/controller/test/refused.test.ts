// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { afterEach, describe, expect, it, test } from "vitest";
import { SIDECAR_SETS } from "../src/act/write-status.ts";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";

const MINUTE = 60_000;
const POLICY = 'admission webhook "policy" denied the request: no changes on Fridays';
const v1 = sidecarSet({ image: "x:1" });
const v2 = sidecarSet({ image: "x:2", strategy: { maxUnavailable: 1 } });
const DONE = { "x-1": "e:1", "x-2": "x:2" };

let cluster: Cluster;
afterEach(() => cluster.stop());

const pods = (count: number): Pod[] => Array.from({ length: count }, (_, i) => injectedPod(v1, `web-${i}`));

type Sent = { resource: string; name: string; subresource: string | undefined; body: { spec?: unknown } };

/** Refuses some of what is written; gives the times at which it was asked. */
function policy(refuses: (sent: Sent) => boolean, status = 403): { at: number[]; allow: () => void } {
  const { api, clock } = cluster;
  const at: number[] = [];
  let holds = true;
  const judge = (sent: Sent): void => {
    if (!holds || !refuses(sent)) return;
    at.push(clock.now());
    // Whoever tries without end would never let a test fail.
    if (at.length > 5_000) holds = false;
    throw new ApiError(`PATCH ${sent.resource} ${sent.name}`, status, { reason: "Forbidden", message: POLICY });
  };
  const [patch, create] = [api.patch.bind(api), api.create.bind(api)];
  api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
    const [resource, name, sent, options] = call;
    judge({ resource: resource.plural, name, subresource: options?.subresource, body: sent.body as never });
    return patch<T>(...call);
  };
  api.create = async <T>(...call: Parameters<typeof create>): Promise<T> => {
    judge({ resource: call[0].plural, name: "", subresource: undefined, body: {} });
    return create<T>(...call);
  };
  return { at, allow: () => void (holds = false) };
}

const ofPod =
  (...names: string[]) =>
  ({ resource, name, subresource }: Sent) =>
    resource === "pods" && names.includes(name) && subresource === undefined;

async function condition(type: string) {
  return (await cluster.sidecarSet()).status?.conditions?.find((one) => one.type === type);
}

async function during(ms: number): Promise<void> {
  for (let past = 0; past < ms; past += MINUTE / 6) {
    await cluster.kubelets();
    await cluster.settle(MINUTE / 6);
  }
}

const served = async () =>
  Object.fromEntries((await cluster.pods()).map((pod) => [pod.metadata.name, images(pod)["x-2"]]));
const refusals = () => cluster.events.filter(({ reason }) => reason === "PodWriteRefused");

describe("pods that the API server lets nobody change", () => {
  it("the others are updated; those are asked about once a minute, and the status says why", async () => {
    cluster = new Cluster(pods(5), v2);
    const { at, allow } = policy(ofPod("web-0", "web-3"));
    await cluster.start();
    await during(10 * MINUTE);
    expect(await served()).toEqual({ "web-0": "e:1", "web-1": "x:2", "web-2": "x:2", "web-3": "e:1", "web-4": "x:2" });
    expect((await cluster.sidecarSet()).status).toMatchObject({ updatedReadyPods: 3, upgradingPods: 0, failedPods: 0 });
    expect(await condition("Ready")).toMatchObject({ status: "False", reason: "PatchRejected" });
    expect(await condition("Reconciling")).toMatchObject({ status: "True", reason: "PatchRejected" });
    expect((await condition("Ready"))?.message).toBe(`3 of 5 pods updated; 2 pods: PatchRejected (${POLICY})`);
    expect(await condition("Stalled")).toMatchObject({ status: "False" });
    expect(cluster.metrics.get("hot_blocked_pods mesh PatchRejected")).toBe(2);
    const statuses = cluster.api.calls.filter(
      ({ verb, resource }) => verb === "patch" && resource === SIDECAR_SETS,
    ).length;
    const before = at.length;
    await during(20 * MINUTE);
    expect(at.length - before).toBeGreaterThanOrEqual(2 * 19);
    expect(at.length - before).toBeLessThanOrEqual(2 * 21);
    // Trying again is nothing new.
    expect(
      cluster.api.calls.filter(({ verb, resource }) => verb === "patch" && resource === SIDECAR_SETS),
    ).toHaveLength(statuses);
    expect(refusals().filter(({ on }) => on !== "mesh")).toHaveLength(at.length);
    expect(refusals()[0]?.note).toMatch(/HOT1308 PatchRejected: .*no changes on Fridays/);
    // What a client would do about a refused request is no advice for whoever reads a pod's events.
    expect(refusals()[0]?.note).not.toMatch(/PATCH|Role|fields named above/);
    allow();
    await during(2 * MINUTE);
    expect(Object.values(await served())).toEqual(["x:2", "x:2", "x:2", "x:2", "x:2"]);
    expect(await condition("Ready")).toMatchObject({ status: "True", reason: "UpToDate" });
  });

  it("the pod changes, or the SidecarSet: it is tried again at once", async () => {
    cluster = new Cluster(pods(1), v2);
    const { at } = policy(ofPod("web-0"), 422);
    await cluster.start();
    await cluster.settle(10_000);
    expect(at).toHaveLength(1);
    const pod = await cluster.pod();
    cluster.api.seed(RESOURCES.pods, {
      ...pod,
      metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, a: "b" } },
    });
    await cluster.settle(1000);
    expect(at).toHaveLength(2);
    await cluster.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: { maxUnavailable: 2 } } }));
    await cluster.settle(1000);
    expect(at).toHaveLength(3);
  });

  it("a reset is refused: both sides run on, and it is made when it may be", async () => {
    cluster = new Cluster(pods(1), v2);
    const isReset = ({ body }: Sent): boolean => JSON.stringify(body.spec ?? {}).includes('"e:1"');
    const { at, allow } = policy((sent) => ofPod("web-0")(sent) && isReset(sent));
    await cluster.start();
    await during(5 * MINUTE);
    expect(images(await cluster.pod())).toMatchObject({ "x-1": "x:1", "x-2": "x:2" });
    expect(at.length).toBeLessThanOrEqual(6);
    expect(await condition("Ready")).toMatchObject({ status: "False", reason: "PatchRejected" });
    allow();
    await during(2 * MINUTE);
    expect(images(await cluster.pod())).toMatchObject(DONE);
  });

  it.each([
    ["reset", "runs"],
    ["abort", "pullError"],
  ] as const)("every %s is refused: no more than maxUnavailable pods are left half done", async (_write, fate) => {
    cluster = new Cluster(pods(3), v2);
    cluster.fateOf = (image) => (image === "x:2" ? fate : "runs");
    const { allow } = policy(({ resource, body }) => resource === "pods" && JSON.stringify(body).includes('"e:1"}'));
    await cluster.start();
    await during(10 * MINUTE);
    expect(
      Object.values(await served())
        .map(String)
        .sort(),
    ).toEqual(["e:1", "e:1", "x:2"]);
    allow();
    await during(5 * MINUTE);
    expect(Object.values(await served())).toEqual(fate === "runs" ? ["x:2", "x:2", "x:2"] : ["e:1", "e:1", "e:1"]);
  });

  it("very many are refused: trying them again leaves the others their turn", async () => {
    const all = pods(400);
    cluster = new Cluster(
      [
        ...all,
        {
          ...injectedPod(v1, "zz"),
          metadata: { ...injectedPod(v1, "zz").metadata, creationTimestamp: "2029-01-01T00:00:00Z" },
        },
      ],
      v2,
    );
    const { at } = policy(ofPod(...all.map(({ metadata }) => metadata.name ?? "")));
    await cluster.start();
    await during(MINUTE);
    expect((await served())["zz"]).toBe("x:2");
    const before = at.length;
    await during(MINUTE);
    expect(at.length - before).toBeLessThanOrEqual(2 * 400);
  }, 30_000);
});

test("the condition SidecarSetUpgradable can't be written: it is tried about once a minute", async () => {
  cluster = new Cluster(pods(1), sidecarSet({ image: "x:2", probe: { exec: { command: ["/other"] } } }));
  const { at } = policy(({ resource, subresource }) => resource === "pods" && subresource === "status");
  await cluster.start();
  await cluster.settle(10 * MINUTE);
  expect(at.length).toBeGreaterThanOrEqual(9);
  expect(at.length).toBeLessThanOrEqual(11);
  expect(await condition("Ready")).toMatchObject({ status: "False", reason: "NotUpgradable" });
});

test("nor can it where the SidecarSet is gone: it is tried about once a minute, and written when it may be", async () => {
  cluster = new Cluster(pods(1), sidecarSet({ image: "x:2", probe: { exec: { command: ["/other"] } } }));
  await cluster.start();
  await cluster.settle(10_000);
  const { at, allow } = policy(({ resource, subresource }) => resource === "pods" && subresource === "status");
  await cluster.api.delete(SIDECAR_SETS, "mesh");
  await cluster.settle(10 * MINUTE);
  expect(at.length).toBeGreaterThanOrEqual(9);
  expect(at.length).toBeLessThanOrEqual(11);
  allow();
  await cluster.settle(2 * MINUTE);
  expect((await cluster.pod()).status?.conditions).toContainEqual(
    expect.objectContaining({ type: "SidecarSetUpgradable", status: "True" }),
  );
});

test("a ControllerRevision that can't be written: nothing starts, and condition and event say why", async () => {
  cluster = new Cluster(pods(2), v2);
  cluster.history = "hot-system";
  const { allow } = policy(({ resource }) => resource === "controllerrevisions");
  await cluster.start();
  await during(2 * MINUTE);
  expect(cluster.patches()).toEqual([]);
  expect(await condition("Ready")).toMatchObject({ status: "False", reason: "RevisionNotRecorded" });
  expect(await condition("Reconciling")).toMatchObject({ status: "True", reason: "RevisionNotRecorded" });
  expect((await condition("Ready"))?.message).toContain(`its ControllerRevision can't be written: ${POLICY} (HOT1311)`);
  expect((await cluster.sidecarSet()).status).toMatchObject({ upgradingPods: 0, updatedPods: 0 });
  const said = cluster.events.filter(({ reason }) => reason === "RevisionNotRecorded");
  expect(said[0]).toMatchObject({ on: "mesh", type: "Warning" });
  expect(new Set(said.map(({ note }) => note)).size).toBe(1);
  allow();
  await during(2 * MINUTE);
  expect(Object.values(await served())).toEqual(["x:2", "x:2"]);
  expect(await condition("Ready")).toMatchObject({ status: "True", reason: "UpToDate" });
});

test("nor is it tried again for each event of a pod; each attempt is told of, and goes on soon when it may", async () => {
  cluster = new Cluster(pods(1), v2);
  cluster.history = "hot-system";
  const { allow } = policy(({ resource }) => resource === "controllerrevisions");
  await cluster.start();
  const pod = await cluster.pod();
  for (let i = 0; i < 200; i++) {
    cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, resourceVersion: String(2000 + i) } });
    await cluster.settle(50);
  }
  const attempts = cluster.api.calls.filter(
    ({ verb, resource }) => verb === "list" && resource.plural === "controllerrevisions",
  ).length;
  expect(attempts).toBeGreaterThan(3);
  expect(attempts).toBeLessThanOrEqual(25);
  expect(cluster.events.filter(({ reason }) => reason === "RevisionNotRecorded").length).toBeLessThanOrEqual(attempts);
  allow();
  await during(10_000);
  expect(Object.values(await served())).toEqual(["x:2"]);
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { KubeObject, WatchEvent } from "../../src/api.ts";
import { RESOURCES } from "../../src/resources.ts";
import { FakeApi } from "../../src/testing/fake-api.ts";

const { pods, leases } = RESOURCES;
const inD = { namespace: "d" };

interface Pod extends KubeObject {
  spec?: { containers: { name: string; image: string }[] };
  status?: { phase?: string; conditions?: { type: string; status: string }[] };
}

const web: Pod = {
  metadata: { name: "web-0", namespace: "d", labels: { app: "web" } },
  spec: {
    containers: [
      { name: "app", image: "a:1" },
      { name: "sidecar", image: "s:1" },
    ],
  },
  status: { phase: "Running" },
};

describe("objects", () => {
  test("get uid, version and generation; the status is for the status subresource", async () => {
    const api = new FakeApi({ clock: { now: () => Date.UTC(2030, 0, 1), after: () => ({ [Symbol.dispose]() {} }) } });
    const created = await api.create<Pod>(pods, web);
    expect(created.metadata).toMatchObject({ generation: 1, creationTimestamp: "2030-01-01T00:00:00Z" });
    expect(created.metadata.uid).toBeTruthy();
    expect(created.status).toBeUndefined();
    const options = { ...inD, subresource: "status" };
    const body = { spec: { containers: [] }, status: { phase: "Pending" } };
    const after = await api.patch<Pod>(pods, "web-0", { type: "merge", body }, options);
    expect(after).toMatchObject({ spec: web.spec, status: { phase: "Pending" }, metadata: { generation: 1 } });
    expect(Number(after.metadata.resourceVersion)).toBeGreaterThan(Number(created.metadata.resourceVersion));
  });

  test("change generation with the spec only, and keep the version when nothing changes", async () => {
    const api = new FakeApi();
    const before = api.seed(pods, web);
    const image = { type: "strategic", body: { spec: { containers: [{ name: "sidecar", image: "s:2" }] } } } as const;
    const after = await api.patch<Pod>(pods, "web-0", image, inD);
    expect(after.spec?.containers).toEqual([
      { name: "app", image: "a:1" },
      { name: "sidecar", image: "s:2" },
    ]);
    expect(after.metadata.generation).toBe(2);
    expect(after.status).toEqual({ phase: "Running" });
    expect(after.metadata.uid).toBe(before.metadata.uid);
    const again = await api.patch<Pod>(pods, "web-0", image, inD);
    expect(again.metadata).toEqual(after.metadata);
    const labelled = await api.patch<Pod>(pods, "web-0", { type: "merge", body: { metadata: { labels: null } } }, inD);
    expect(labelled.metadata.labels).toBeUndefined();
    expect(labelled.metadata.generation).toBe(2);
  });

  test("are copies: changing an answer changes nothing", async () => {
    const api = new FakeApi();
    const seeded = api.seed(pods, web);
    const read = await api.get<Pod>(pods, "web-0", inD);
    read.metadata.labels = { app: "changed" };
    expect((await api.get<Pod>(pods, "web-0", inD)).metadata.labels).toEqual({ app: "web" });
    expect(seeded.metadata.labels).toEqual({ app: "web" });
  });

  test("are refused like by a server", async () => {
    const api = new FakeApi();
    const first = api.seed(pods, web);
    await expect(api.get(pods, "other", inD)).rejects.toMatchObject({ status: 404, reason: "NotFound" });
    await expect(api.create(pods, web)).rejects.toMatchObject({ status: 409, reason: "AlreadyExists" });
    const stale = { metadata: { ...first.metadata, resourceVersion: "1" } };
    await expect(api.update(pods, stale)).rejects.toMatchObject({ status: 409, reason: "Conflict" });
    const otherUid = { type: "merge", body: { metadata: { uid: "x" } } } as const;
    await expect(api.patch(pods, "web-0", otherUid, inD)).rejects.toMatchObject({ status: 409 });
    const test = { type: "json", body: [{ op: "test", path: "/spec/containers/0/image", value: "no" }] } as const;
    await expect(api.patch(pods, "web-0", test, inD)).rejects.toMatchObject({ status: 422 });
    const noPath = { type: "json", body: [{ op: "replace", path: "/spec/none", value: 1 }] } as const;
    await expect(api.patch(pods, "web-0", noPath, inD)).rejects.toMatchObject({ status: 422 });
    await expect(api.delete(pods, "web-0", { ...inD, preconditions: { uid: "x" } })).rejects.toMatchObject({
      status: 409,
    });
    expect(await api.get<Pod>(pods, "web-0", inD)).toEqual(first);
  });

  test("take JSON patches: add, replace, remove, in lists too, with escaped keys", async () => {
    const api = new FakeApi();
    api.seed(pods, { ...web, metadata: { ...web.metadata, annotations: {} } });
    const body = [
      { op: "test", path: "/metadata/name", value: "web-0" },
      { op: "add", path: "/metadata/annotations/a.b~1c~0d", value: "1" },
      { op: "replace", path: "/spec/containers/1/image", value: "s:2" },
      { op: "add", path: "/spec/containers/-", value: { name: "last", image: "l" } },
      { op: "add", path: "/spec/containers/0", value: { name: "first", image: "f" } },
      { op: "remove", path: "/spec/containers/1" },
      { op: "remove", path: "/metadata/labels" },
    ];
    const after = await api.patch<Pod>(pods, "web-0", { type: "json", body }, inD);
    expect(after.metadata.annotations).toEqual({ "a.b/c~d": "1" });
    expect(after.metadata.labels).toBeUndefined();
    expect(after.spec?.containers.map(({ name, image }) => `${name}=${image}`)).toEqual([
      "first=f",
      "sidecar=s:2",
      "last=l",
    ]);
  });

  test("merge lists by name or type in strategic patches", async () => {
    const api = new FakeApi();
    api.seed(pods, {
      ...web,
      status: {
        conditions: [
          { type: "Ready", status: "False" },
          { type: "X", status: "True" },
        ],
      },
    });
    const body = {
      status: {
        conditions: [
          { type: "Ready", status: "True" },
          { type: "X", $patch: "delete" },
        ],
      },
    };
    const after = await api.patch<Pod>(pods, "web-0", { type: "strategic", body }, { ...inD, subresource: "status" });
    expect(after.status?.conditions).toEqual([{ type: "Ready", status: "True" }]);
  });

  test.each([
    ["app=web", ["web-0"]],
    ["app==web,!x", ["web-0"]],
    ["app!=web", ["other"]],
    ["app in (web, db)", ["web-0"]],
    ["app notin (web),x", ["other"]],
    ["x", ["other"]],
    ["", ["other", "web-0"]],
  ])("are listed by label selector %j", async (labelSelector, expected) => {
    const api = new FakeApi();
    api.seed(pods, web);
    api.seed(pods, { metadata: { name: "other", namespace: "e", labels: { x: "" } } });
    const { items } = await api.list<Pod>(pods, { labelSelector });
    expect(items.map(({ metadata }) => metadata.name ?? "").sort((a, b) => a.localeCompare(b))).toEqual(expected);
  });

  test("are listed by namespace and field", async () => {
    const api = new FakeApi();
    api.seed(pods, web);
    api.seed(pods, { metadata: { name: "web-0", namespace: "e" }, spec: { nodeName: "n1" } });
    const names = async (options: object) =>
      (await api.list(pods, options)).items.map(({ metadata }) => metadata.namespace);
    expect(await names({ namespace: "d" })).toEqual(["d"]);
    expect(await names({ fieldSelector: "spec.nodeName=n1" })).toEqual(["e"]);
    expect(await names({ fieldSelector: "spec.nodeName!=n1,metadata.name=web-0" })).toEqual(["d"]);
    expect((await api.list(leases)).items).toEqual([]);
  });
});

/** Watches until `count` events have come. */
async function watch(api: FakeApi, count: number, options: Parameters<FakeApi["watch"]>[1]): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of api.watch<Pod>(pods, options) as AsyncIterable<WatchEvent<Pod>>) {
    seen.push(`${event.type} ${(event.object as Pod).metadata.name}`);
    if (seen.length === count) break;
  }
  return seen;
}

describe("watch", () => {
  test("tells what has happened since a version, and what happens then", async () => {
    const api = new FakeApi();
    api.seed(pods, web);
    const { metadata } = await api.list(pods);
    api.seed(pods, { metadata: { name: "b", namespace: "d" } });
    const seen = watch(api, 3, metadata);
    await api.patch(pods, "b", { type: "merge", body: { metadata: { labels: { a: "b" } } } }, inD);
    await api.delete(pods, "web-0", inD);
    expect(await seen).toEqual(["ADDED b", "MODIFIED b", "DELETED web-0"]);
  });

  test("an object that leaves the selection is deleted for it, one that enters is added", async () => {
    const api = new FakeApi();
    const seen = watch(api, 4, { resourceVersion: "1", labelSelector: "app=web", namespace: "d" });
    api.seed(pods, web);
    api.seed(pods, { metadata: { name: "web-0", namespace: "elsewhere", labels: { app: "web" } } });
    for (const app of ["other", "third", "web"]) {
      await api.patch(pods, "web-0", { type: "merge", body: { metadata: { labels: { app } } } }, inD);
    }
    await api.delete(pods, "web-0", inD);
    expect(await seen).toEqual(["ADDED web-0", "DELETED web-0", "ADDED web-0", "DELETED web-0"]);
  });

  test("ends by its signal, and breaks on demand", async () => {
    const api = new FakeApi();
    const abort = new AbortController();
    const aborted = watch(api, 1, { resourceVersion: "1", signal: abort.signal });
    const broken = watch(api, 1, { resourceVersion: "1" });
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    api.breakWatches();
    await expect(broken).rejects.toMatchObject({ code: "KUBE_CUT" });
  });
});

describe("faults", () => {
  const patch = (api: FakeApi, app: string) =>
    api.patch<Pod>(pods, "web-0", { type: "merge", body: { metadata: { labels: { app } } } }, inD);
  const label = async (api: FakeApi) => (await api.get<Pod>(pods, "web-0", inD)).metadata.labels?.["app"];

  test("a call fails, once, and nothing is done", async () => {
    const api = new FakeApi();
    api.seed(pods, web);
    api.faults.failNext({ verb: "patch", plural: "pods", name: "web-0" }, new Error("no"));
    expect(await label(api)).toBe("web");
    await expect(patch(api, "x")).rejects.toThrow("no");
    expect(await label(api)).toBe("web");
    await patch(api, "x");
    expect(await label(api)).toBe("x");
  });

  test("an answer is lost after the write", async () => {
    const api = new FakeApi();
    api.seed(pods, web);
    api.faults.loseNextAnswer({ verb: "patch" });
    await expect(patch(api, "x")).rejects.toMatchObject({ name: "ConnectionError", code: "KUBE_CUT" });
    expect(await label(api)).toBe("x");
  });

  test("a call waits until it is released", async () => {
    const api = new FakeApi();
    api.seed(pods, web);
    const held = api.faults.holdNext({ verb: "patch" });
    const done = patch(api, "x");
    await held.reached;
    expect(await label(api)).toBe("web");
    held.release();
    await done;
    expect(await label(api)).toBe("x");
  });

  test("calls are noted as they arrived", async () => {
    const api = new FakeApi();
    api.seed(pods, web);
    await patch(api, "x");
    expect(api.calls).toEqual([
      {
        verb: "patch",
        resource: pods,
        namespace: "d",
        name: "web-0",
        body: { type: "merge", body: { metadata: { labels: { app: "x" } } } },
      },
    ]);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, namespace, patch, pod, type Target, target, unique, watch } from "./target.ts";

let on: Target;
let space: string;
let pods: string;
let maps: string;
beforeAll(async () => {
  on = await target();
  space = await namespace(on);
  pods = `/api/v1/namespaces/${space}/pods`;
  maps = `/api/v1/namespaces/${space}/configmaps`;
});
afterAll(() => on.close());

const onNode = async (name: string, more?: Parameters<typeof pod>[1]) =>
  (await call(on, "POST", pods, { body: pod(name, { ...more, spec: { nodeName: "nowhere", ...more?.spec } }) })).body;

/** Resolves when the object at `path` is gone. */
async function gone(collection: string, name: string): Promise<void> {
  const { body } = await call(on, "GET", `${collection}?fieldSelector=metadata.name%3D${name}`);
  if (body.items.length === 0) return;
  const events = await watch(
    on,
    `${collection}?watch=true&fieldSelector=metadata.name%3D${name}&resourceVersion=${body.metadata.resourceVersion}`,
  );
  for (let event = await events.next(); event; event = await events.next()) if (event.type === "DELETED") break;
  events.stop();
}

describe("pods", () => {
  test("one that no node has is gone at once", async () => {
    await call(on, "POST", pods, { body: pod("unscheduled") });
    expect((await call(on, "DELETE", `${pods}/unscheduled`)).status).toBe(200);
    expect((await call(on, "GET", `${pods}/unscheduled`)).status).toBe(404);
  });

  test("one on a node keeps its grace period until its kubelet deletes it with 0", async () => {
    const before = await onNode("graceful", { spec: { terminationGracePeriodSeconds: 7 } });
    const { body } = await call(on, "DELETE", `${pods}/graceful`);
    expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 7, generation: before.metadata.generation + 1 });
    expect(Date.parse(body.metadata.deletionTimestamp)).toBeGreaterThan(Date.parse(body.metadata.creationTimestamp));
    expect((await call(on, "GET", `${pods}/graceful`)).status).toBe(200);
    const force = { gracePeriodSeconds: 0, preconditions: { uid: before.metadata.uid } };
    expect((await call(on, "DELETE", `${pods}/graceful`, { body: force })).status).toBe(200);
    expect((await call(on, "GET", `${pods}/graceful`)).status).toBe(404);
  });

  test("a second deletion shortens the grace period and never lengthens it", async () => {
    await onNode("shorter");
    const deletion = async (seconds: number) =>
      (await call(on, "DELETE", `${pods}/shorter?gracePeriodSeconds=${seconds}`)).body.metadata
        .deletionGracePeriodSeconds;
    expect(await deletion(20)).toBe(20);
    expect(await deletion(25)).toBe(20);
    expect(await deletion(5)).toBe(5);
    await call(on, "DELETE", `${pods}/shorter?gracePeriodSeconds=0`);
  });

  test("a finished one is gone at once", async () => {
    await onNode("finished");
    await patch(on, `${pods}/finished/status`, "merge", { status: { phase: "Succeeded" } });
    await call(on, "DELETE", `${pods}/finished`);
    expect((await call(on, "GET", `${pods}/finished`)).status).toBe(404);
  });

  test("wrong preconditions are 409 and delete nothing", async () => {
    const { metadata } = await onNode("guarded");
    for (const preconditions of [{ uid: "other" }, { resourceVersion: "1" }]) {
      expect((await call(on, "DELETE", `${pods}/guarded`, { body: { preconditions } })).status).toBe(409);
    }
    expect((await call(on, "GET", `${pods}/guarded`)).body.metadata.deletionTimestamp).toBeUndefined();
    const { resourceVersion } = metadata;
    expect(
      (
        await call(on, "DELETE", `${pods}/guarded`, {
          body: { gracePeriodSeconds: 0, preconditions: { resourceVersion } },
        })
      ).status,
    ).toBe(200);
  });
});

describe("finalizers", () => {
  test("what has one stays, marked, until the last is removed; none can be added meanwhile", async () => {
    await call(on, "POST", maps, { body: { metadata: { name: "kept", finalizers: ["example.com/a"] } } });
    const deleted = await call(on, "DELETE", `${maps}/kept`);
    expect(deleted.body.metadata.deletionTimestamp).toBeTypeOf("string");
    const added = await patch(on, `${maps}/kept`, "merge", {
      metadata: { finalizers: ["example.com/a", "example.com/b"] },
    });
    expect(added.status).toBe(422);
    expect((await patch(on, `${maps}/kept`, "merge", { metadata: { finalizers: null } })).status).toBe(200);
    expect((await call(on, "GET", `${maps}/kept`)).status).toBe(404);
  });
});

describe("owners", () => {
  const owned = async (name: string, owner: { metadata: { name: string; uid: string } }) =>
    call(on, "POST", maps, {
      body: {
        metadata: {
          name,
          ownerReferences: [
            {
              apiVersion: "v1",
              kind: "ConfigMap",
              name: owner.metadata.name,
              uid: owner.metadata.uid,
              blockOwnerDeletion: true,
            },
          ],
        },
      },
    });
  const owner = async (name: string) => (await call(on, "POST", maps, { body: { metadata: { name } } })).body;

  test("dependents go after their owner", async () => {
    const parent = await owner("background");
    await owned("background-child", parent);
    await call(on, "DELETE", `${maps}/background`, { body: { propagationPolicy: "Background" } });
    await gone(maps, "background-child");
  });

  test("dependents go before their owner with Foreground", async () => {
    const parent = await owner("foreground");
    await owned("foreground-child", parent);
    const { body } = await call(on, "DELETE", `${maps}/foreground`, { body: { propagationPolicy: "Foreground" } });
    expect(body.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await gone(maps, "foreground");
    expect((await call(on, "GET", `${maps}/foreground-child`)).status).toBe(404);
  });

  test("dependents stay without an owner with Orphan", async () => {
    const parent = await owner("orphan");
    await owned("orphan-child", parent);
    await call(on, "DELETE", `${maps}/orphan`, { body: { propagationPolicy: "Orphan" } });
    await gone(maps, "orphan");
    const child = await call(on, "GET", `${maps}/orphan-child`);
    expect(child.status).toBe(200);
    expect(child.body.metadata.ownerReferences ?? []).toEqual([]);
  });

  test("what is created for an owner that is gone already goes too", async () => {
    await owned("late", { metadata: { name: "never", uid: "00000000-0000-4000-8000-000000000000" } });
    await gone(maps, "late");
  });
});

describe("namespaces", () => {
  test("deletion empties a namespace, forbids new content meanwhile, then removes it", async () => {
    const name = await namespace(on);
    await call(on, "POST", `/api/v1/namespaces/${name}/configmaps`, {
      body: { metadata: { name: "keeper", finalizers: ["example.com/wait"] } },
    });
    await call(on, "POST", `/api/v1/namespaces/${name}/configmaps`, { body: { metadata: { name: "plain" } } });
    const deleted = await call(on, "DELETE", `/api/v1/namespaces/${name}`);
    expect(deleted.body.status.phase).toBe("Terminating");
    await gone(`/api/v1/namespaces/${name}/configmaps`, "plain");
    const refused = await call(on, "POST", `/api/v1/namespaces/${name}/configmaps`, {
      body: { metadata: { name: "late" } },
    });
    expect(refused).toMatchObject({ status: 403, body: { details: { causes: [{ reason: "NamespaceTerminating" }] } } });
    expect((await call(on, "GET", `/api/v1/namespaces/${name}`)).status).toBe(200);
    await patch(on, `/api/v1/namespaces/${name}/configmaps/keeper`, "merge", { metadata: { finalizers: null } });
    await gone("/api/v1/namespaces", name);
  });

  test("default cannot be deleted", async () => {
    expect((await call(on, "DELETE", "/api/v1/namespaces/default")).status).toBe(403);
  });

  test("every namespace carries its name as a label", async () => {
    const { body } = await call(on, "GET", `/api/v1/namespaces/${space}`);
    expect(body).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": space } },
      status: { phase: "Active" },
    });
  });
});

test("deleting a collection deletes what the selector names", async () => {
  const label = unique("batch");
  for (const name of ["one", "two"])
    await call(on, "POST", maps, { body: { metadata: { name: `${label}-${name}`, labels: { batch: name } } } });
  const { status } = await call(on, "DELETE", `${maps}?labelSelector=batch%3Done`);
  expect(status).toBe(200);
  expect((await call(on, "GET", `${maps}/${label}-one`)).status).toBe(404);
  expect((await call(on, "GET", `${maps}/${label}-two`)).status).toBe(200);
});

test("a dry run deletes nothing", async () => {
  await call(on, "POST", maps, { body: { metadata: { name: "dry" } } });
  expect((await call(on, "DELETE", `${maps}/dry?dryRun=All`)).status).toBe(200);
  expect((await call(on, "GET", `${maps}/dry`)).status).toBe(200);
});

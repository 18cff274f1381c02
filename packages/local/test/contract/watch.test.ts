// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, namespace, patch, pod, type Target, target, watch, type Watching } from "./target.ts";

let on: Target;
let maps: string;
let pods: string;
beforeAll(async () => {
  on = await target({ historySize: 50, bookmarkMs: 50 });
  const space = await namespace(on);
  maps = `/api/v1/namespaces/${space}/configmaps`;
  pods = `/api/v1/namespaces/${space}/pods`;
});
afterAll(() => on.close());

const make = async (name: string, labels: Record<string, string> = {}) =>
  (await call(on, "POST", maps, { body: { metadata: { name, labels } } })).body;
const version = async (): Promise<string> => (await call(on, "GET", maps)).body.metadata.resourceVersion;

async function take(watching: Watching, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) {
    const event = await watching.next();
    if (!event) break;
    lines.push(`${event.type} ${event.object.metadata.name}`);
  }
  watching.stop();
  return lines;
}

test("from a list's version: exactly the later changes, in order", async () => {
  await make("before");
  const watching = await watch(on, `${maps}?watch=true&resourceVersion=${await version()}`);
  await make("first");
  await patch(on, `${maps}/first`, "merge", { data: { a: "b" } });
  await call(on, "DELETE", `${maps}/first`);
  expect(await take(watching, 3)).toEqual(["ADDED first", "MODIFIED first", "DELETED first"]);
});

test("each event carries its own version, greater than the one before", async () => {
  const watching = await watch(on, `${maps}?watch=1&resourceVersion=${await version()}`);
  await make("versions");
  await patch(on, `${maps}/versions`, "merge", { data: { a: "b" } });
  await call(on, "DELETE", `${maps}/versions`);
  const versions: number[] = [];
  for (let count = 0; count < 3; count++)
    versions.push(Number((await watching.next())?.object.metadata.resourceVersion));
  watching.stop();
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect(new Set(versions).size).toBe(3);
});

test("without a version: what exists as ADDED, then the changes", async () => {
  await make("existing", { only: "initial" });
  const watching = await watch(on, `${maps}?watch=true&labelSelector=only%3Dinitial`);
  const first = await watching.next();
  await make("new", { only: "initial" });
  const second = await watching.next();
  watching.stop();
  expect([first?.type, first?.object.metadata.name]).toEqual(["ADDED", "existing"]);
  expect([second?.type, second?.object.metadata.name]).toEqual(["ADDED", "new"]);
});

test("with sendInitialEvents a bookmark marks the end of what exists", async () => {
  await make("streamed", { only: "stream" });
  const query =
    "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=only%3Dstream";
  const watching = await watch(on, `${maps}?${query}`);
  expect((await watching.next())?.object.metadata.name).toBe("streamed");
  const end = await watching.next();
  watching.stop();
  expect(end).toMatchObject({
    type: "BOOKMARK",
    object: { kind: "ConfigMap", metadata: { annotations: { "k8s.io/initial-events-end": "true" } } },
  });
  expect((await call(on, "GET", `${maps}?watch=true&sendInitialEvents=true`)).status).toBe(422);
});

test("an object that stops matching is DELETED, one that starts matching is ADDED", async () => {
  const watching = await watch(on, `${maps}?watch=true&resourceVersion=${await version()}&labelSelector=role%3Dactive`);
  await make("turning");
  await patch(on, `${maps}/turning`, "merge", { metadata: { labels: { role: "active" } } });
  await patch(on, `${maps}/turning`, "merge", { data: { a: "b" } });
  await patch(on, `${maps}/turning`, "merge", { metadata: { labels: { role: null } } });
  expect(await take(watching, 3)).toEqual(["ADDED turning", "MODIFIED turning", "DELETED turning"]);
});

test("field selectors follow changes of the status and the node", async () => {
  const start = (await call(on, "GET", pods)).body.metadata.resourceVersion;
  const running = await watch(on, `${pods}?watch=true&resourceVersion=${start}&fieldSelector=status.phase%3DRunning`);
  const unbound = await watch(on, `${pods}?watch=true&resourceVersion=${start}&fieldSelector=spec.nodeName%3D`);
  await call(on, "POST", pods, { body: pod("phases") });
  // A node that is not there: no kubelet writes statuses of its own.
  await call(on, "POST", `${pods}/phases/binding`, {
    body: { target: { kind: "Node", name: "nowhere" }, metadata: { name: "phases" } },
  });
  await patch(on, `${pods}/phases/status`, "merge", { status: { phase: "Running" } });
  await patch(on, `${pods}/phases/status`, "merge", { status: { phase: "Failed" } });
  expect(await take(running, 2)).toEqual(["ADDED phases", "DELETED phases"]);
  expect(await take(unbound, 2)).toEqual(["ADDED phases", "DELETED phases"]);
  await call(on, "DELETE", `${pods}/phases?gracePeriodSeconds=0`);
});

test("it ends by itself after timeoutSeconds", async () => {
  const watching = await watch(on, `${maps}?watch=true&resourceVersion=${await version()}&timeoutSeconds=1`);
  expect(await watching.next()).toBeUndefined();
});

test("bookmarks come only if asked for, and carry a version to go on from", async () => {
  const start = await version();
  const watching = await watch(
    on,
    `${maps}?watch=true&allowWatchBookmarks=true&labelSelector=is%3Dseen&resourceVersion=${start}&timeoutSeconds=60`,
  );
  await make("unseen");
  let bookmark = await watching.next();
  while (Number(bookmark?.object.metadata.resourceVersion) === Number(start)) bookmark = await watching.next();
  watching.stop();
  expect(bookmark?.type).toBe("BOOKMARK");
  expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThan(Number(start));
  // The real server sends one two seconds before the watch ends, at the latest.
}, 90_000);

test.skipIf(process.env.HOT_CONTRACT_KUBECONFIG)(
  "a version that is too old is an ERROR 410, and so is a list at it",
  async () => {
    const start = await version();
    for (let count = 0; count < 60; count++) await make(`many-${count}`);
    const watching = await watch(on, `${maps}?watch=true&resourceVersion=${start}`);
    expect(await watching.next()).toMatchObject({
      type: "ERROR",
      object: { kind: "Status", code: 410, reason: "Expired" },
    });
    expect(await watching.next()).toBeUndefined();
    const exact = await call(on, "GET", `${maps}?resourceVersion=${start}&resourceVersionMatch=Exact`);
    expect(exact.status).toBe(410);
  },
);

test("a watch as Table sends the columns once", async () => {
  const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  const watching = await watch(on, `${maps}?watch=true&resourceVersion=${await version()}`, headers);
  await make("table-one");
  await make("table-two");
  const [first, second] = [await watching.next(), await watching.next()];
  watching.stop();
  expect(first?.object).toMatchObject({ kind: "Table", rows: [{ cells: ["table-one", 0, expect.any(String)] }] });
  expect(first?.object.columnDefinitions).toHaveLength(3);
  expect(second?.object.columnDefinitions ?? []).toHaveLength(0);
});

test("a version that is no number is 400 in a list, and 500 in a watch", async () => {
  expect((await call(on, "GET", `${maps}?resourceVersion=abc`)).status).toBe(400);
  expect((await call(on, "GET", `${maps}?watch=true&resourceVersion=abc`)).status).toBe(500);
});

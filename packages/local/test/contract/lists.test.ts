// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, namespace, patch, pod, type Target, target, unique } from "./target.ts";

let on: Target;
let maps: string;
let pods: string;
beforeAll(async () => {
  on = await target();
  const space = await namespace(on);
  maps = `/api/v1/namespaces/${space}/configmaps`;
  pods = `/api/v1/namespaces/${space}/pods`;
});
afterAll(() => on.close());

const names = (body: { items: { metadata: { name: string } }[] }): string[] =>
  body.items.map(({ metadata }) => metadata.name);
const make = (name: string, labels: Record<string, string> = {}) =>
  call(on, "POST", maps, { body: { metadata: { name, labels } } });

describe("pages", () => {
  let group: string;
  beforeAll(async () => {
    group = unique("page");
    for (const name of ["d", "a", "c", "b", "e"]) await make(`${group}-${name}`, { group });
  });

  test("come in order of names, cover everything once and show one state", async () => {
    const seen: string[] = [];
    const versions = new Set<string>();
    let token = "";
    do {
      const { body } = await call(
        on,
        "GET",
        `${maps}?limit=2&labelSelector=group%3D${group}&continue=${encodeURIComponent(token)}`,
      );
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...names(body));
      versions.add(body.metadata.resourceVersion);
      token = body.metadata.continue ?? "";
      if (seen.length === 2) {
        await make(`${group}-bb`, { group });
        await call(on, "DELETE", `${maps}/${group}-e`);
      }
    } while (token !== "");
    expect(seen).toEqual(["a", "b", "c", "d", "e"].map((name) => `${group}-${name}`));
    expect(versions.size).toBe(1);
  });

  test("a foreign continue token is 400", async () => {
    expect((await call(on, "GET", `${maps}?limit=1&continue=nonsense`)).status).toBe(400);
  });
});

test("items of a built-in kind carry neither version nor kind, the list does", async () => {
  await make("plain");
  const { body } = await call(on, "GET", maps);
  expect(body).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1" });
  expect(body.items[0]).not.toHaveProperty("kind");
});

test("a version that the server has not reached is 504 ResourceVersionTooLarge", async () => {
  const answer = await call(on, "GET", `${maps}?resourceVersion=99999999999`);
  expect(answer).toMatchObject({
    status: 504,
    body: { reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } },
  });
});

describe("selectors", () => {
  test.each([
    ["tier=web", ["s-one"]],
    ["tier!=web,set=s", ["s-three", "s-two"]],
    ["tier in (web,db),set=s", ["s-one", "s-two"]],
    ["tier notin (web),set=s", ["s-three", "s-two"]],
    ["set=s,!tier", ["s-three"]],
    ["set=s,tier", ["s-one", "s-two"]],
    ["size>5,set=s", ["s-two"]],
  ])("labels: %s", async (selector, expected) => {
    await make("s-one", { set: "s", tier: "web", size: "3" });
    await make("s-two", { set: "s", tier: "db", size: "10" });
    await make("s-three", { set: "s" });
    const { body } = await call(on, "GET", `${maps}?labelSelector=${encodeURIComponent(selector)}`);
    expect(names(body).toSorted((a, b) => a.localeCompare(b))).toEqual(expected);
  });

  test("fields: name, node and phase of pods; unknown fields are 400", async () => {
    await call(on, "POST", pods, { body: pod("here", { spec: { nodeName: "n1" } }) });
    await call(on, "POST", pods, { body: pod("free") });
    const by = async (selector: string) =>
      names((await call(on, "GET", `${pods}?fieldSelector=${encodeURIComponent(selector)}`)).body);
    expect(await by("spec.nodeName=n1")).toEqual(["here"]);
    expect(await by("spec.nodeName=")).toEqual(["free"]);
    expect(await by("metadata.name!=here,status.phase=Pending")).toEqual(["free"]);
    expect((await call(on, "GET", `${pods}?fieldSelector=spec.color%3Dred`)).status).toBe(400);
    await call(on, "DELETE", `${pods}/here?gracePeriodSeconds=0`);
  });

  test("a label selector that cannot be read is 400", async () => {
    expect((await call(on, "GET", `${maps}?labelSelector=${encodeURIComponent("a in b")}`)).status).toBe(400);
  });
});

describe("Table", () => {
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

  test("has columns, a row of cells per object, and the metadata of each", async () => {
    await make("shown");
    const { body } = await call(on, "GET", `${maps}?fieldSelector=metadata.name%3Dshown`, { headers: { accept } });
    expect(body).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
    expect(body.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(["Name", "Data", "Age"]);
    expect(body.rows).toHaveLength(1);
    expect(body.rows[0].cells.slice(0, 2)).toEqual(["shown", 0]);
    expect(body.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "shown" } });
  });

  test("shows a pod's readiness, restarts and the reason why it waits", async () => {
    await call(on, "POST", pods, { body: pod("crashing") });
    const containerStatuses = [
      {
        name: "app",
        image: "app:1",
        imageID: "",
        ready: false,
        restartCount: 4,
        state: { waiting: { reason: "CrashLoopBackOff" } },
      },
    ];
    await patch(on, `${pods}/crashing/status`, "merge", { status: { phase: "Running", containerStatuses } });
    const { body } = await call(on, "GET", `${pods}/crashing`, { headers: { accept } });
    expect(body.rows[0].cells.slice(0, 3)).toEqual(["crashing", "0/1", "CrashLoopBackOff"]);
    expect(String(body.rows[0].cells[3])).toMatch(/^4/);
  });

  test("is refused for what is no JSON", async () => {
    const answer = await call(on, "GET", maps, { headers: { accept: "application/xml" } });
    expect(answer.status).toBe(406);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, namespace, type Target, target } from "./target.ts";

let on: Target;
let space: string;
let core: string;
let newer: string;
beforeAll(async () => {
  on = await target();
  space = await namespace(on);
  core = `/api/v1/namespaces/${space}/events`;
  newer = `/apis/events.k8s.io/v1/namespaces/${space}/events`;
});
afterAll(() => on.close());

const event = (name: string, more: object = {}) => ({
  metadata: { name },
  eventTime: "2026-01-02T03:04:05.000000Z",
  reportingController: "example.com/tester",
  reportingInstance: "tester-1",
  action: "Testing",
  reason: "Tested",
  regarding: { kind: "Pod", namespace: space, name: "web", apiVersion: "v1" },
  note: "all is well",
  type: "Normal",
  ...more,
});

test("one that is written to events.k8s.io is read in the core group by its other names, and found by its object", async () => {
  expect((await call(on, "POST", newer, { body: event("new") })).status).toBe(201);
  const { body } = await call(on, "GET", `${core}/new`);
  expect(body).toMatchObject({
    apiVersion: "v1",
    kind: "Event",
    involvedObject: { kind: "Pod", name: "web" },
    message: "all is well",
    reportingComponent: "example.com/tester",
    reason: "Tested",
  });
  expect(body).not.toHaveProperty("note");
  for (const path of [
    `${core}?fieldSelector=involvedObject.name%3Dweb`,
    `${newer}?fieldSelector=regarding.name%3Dweb`,
  ]) {
    expect(
      (await call(on, "GET", path)).body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ).toEqual(["new"]);
  }
});

test("one that is written to the core group is read in events.k8s.io", async () => {
  const involvedObject = { kind: "ConfigMap", namespace: space, name: "cm" };
  const body = {
    metadata: { name: "old" },
    involvedObject,
    reason: "Old",
    message: "m",
    count: 3,
    source: { component: "c" },
    type: "Warning",
  };
  expect((await call(on, "POST", core, { body })).status).toBe(201);
  expect((await call(on, "GET", `${newer}/old`)).body).toMatchObject({
    apiVersion: "events.k8s.io/v1",
    regarding: involvedObject,
    note: "m",
    deprecatedCount: 3,
    deprecatedSource: { component: "c" },
  });
});

test.each([
  ["about an object without namespace, outside `default`", { regarding: { kind: "Node", name: "x" } }],
  ["without a reporter", { reportingController: "" }],
  ["without a time", { eventTime: null }],
  ["of an unknown type", { type: "Bad" }],
])("one %s is 422", async (_what, more) => {
  expect((await call(on, "POST", newer, { body: event("wrong", more) })).status).toBe(422);
});

test("only one with a time may be about an object of another namespace", async () => {
  const elsewhere = { kind: "Pod", namespace: "other", name: "x" };
  expect((await call(on, "POST", newer, { body: event("far", { regarding: elsewhere }) })).status).toBe(201);
  const old = { metadata: { name: "old-far" }, involvedObject: elsewhere };
  expect(await call(on, "POST", core, { body: old })).toMatchObject({
    status: 422,
    body: { details: { causes: [{ field: "involvedObject.namespace" }] } },
  });
});

test("kubectl's table shows what happened to whom, in both groups", async () => {
  await call(on, "POST", newer, { body: event("shown", { reason: "Shown" }) });
  for (const path of [core, newer]) {
    const { body } = await call(on, "GET", `${path}/shown`, {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    const shown = Object.fromEntries(
      body.columnDefinitions.map(({ name }: { name: string }, index: number) => [name, body.rows[0].cells[index]]),
    );
    expect(shown).toMatchObject({ Type: "Normal", Reason: "Shown", Object: "pod/web" });
  }
});

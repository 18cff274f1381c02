// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { call, patch, type Target, target, unique } from "./target.ts";
import { type Review, type WebhookServer, webhookServer } from "./webhook-server.ts";

let on: Target;
let hooks: WebhookServer;
const group = `${unique("g").replaceAll(/[^a-z0-9]/g, "")}.example.com`;
const plural = "widgets";
const root = `/apis/${group}/v1`;
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "integer", minimum: 1 },
        color: { type: "string", enum: ["red", "blue"], default: "red" },
        share: { "x-kubernetes-int-or-string": true },
        parts: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" } },
            "x-kubernetes-preserve-unknown-fields": true,
          },
        },
        open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        labels: { type: "object", additionalProperties: { type: "string" } },
      },
    },
    status: { type: "object", properties: { matched: { type: "integer" } } },
  },
};

const definition = () => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: "Cluster",
    names: { kind: "Widget", plural, shortNames: ["wd"] },
    conversion: {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v1"], clientConfig: hooks.clientConfig("/convert") },
    },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: false,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {} },
      },
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: "MATCHED", type: "integer", jsonPath: ".status.matched" },
          { name: "FIRST", type: "string", jsonPath: ".spec.parts[0].name", priority: 1 },
        ],
      },
    ],
  },
});

/** v1alpha1 says `small` by a label, v1 by the size 1. */
function convert({ objects, desiredAPIVersion }: Review): object {
  const converted = objects.map((object: Review) => {
    const { small: _small, ...labels } = object.metadata.labels ?? {};
    const marked =
      desiredAPIVersion.endsWith("v1alpha1") && object.spec.size === 1 ? { ...labels, small: "yes" } : labels;
    return { ...object, apiVersion: desiredAPIVersion, metadata: { ...object.metadata, labels: marked } };
  });
  return { result: { status: "Success" }, convertedObjects: converted };
}

beforeAll(async () => {
  on = await target();
  hooks = await webhookServer();
  hooks.on("/convert", convert);
  expect((await call(on, "POST", CRDS, { body: definition() })).status).toBe(201);
  await vi.waitFor(
    async () => {
      const { body } = await call(on, "GET", `${CRDS}/${plural}.${group}`);
      expect(body.status.conditions).toContainEqual(expect.objectContaining({ type: "Established", status: "True" }));
      expect((await call(on, "GET", `${root}/${plural}`)).status).toBe(200);
    },
    { timeout: 30_000 },
  );
});
afterAll(async () => {
  await call(on, "DELETE", `${CRDS}/${plural}.${group}`);
  await hooks.close();
  await on.close();
});

const widget = (name: string, spec: object, more: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: "Widget",
  metadata: { name },
  spec,
  ...more,
});
const create = (name: string, spec: object, query = "") =>
  call(on, "POST", `${root}/${plural}${query}`, { body: widget(name, spec) });

describe("schema", () => {
  test("declared defaults are filled in", async () => {
    expect((await create("defaults", { size: 1 })).body.spec).toEqual({ size: 1, color: "red" });
  });

  test("unknown fields go, unless preserved; Warn names them, Strict refuses them", async () => {
    const spec = { size: 1, extra: 1, open: { any: { thing: true } }, parts: [{ name: "a", image: "kept" }] };
    const warned = await create("pruned", spec);
    expect(warned.body.spec).toEqual({
      size: 1,
      color: "red",
      open: { any: { thing: true } },
      parts: [{ name: "a", image: "kept" }],
    });
    expect(String(warned.headers.warning)).toContain("spec.extra");
    expect((await create("ignored", spec, "?fieldValidation=Ignore")).headers.warning).toBeUndefined();
    const strict = await create("strict", spec, "?fieldValidation=Strict");
    expect(strict).toMatchObject({
      status: 400,
      body: { reason: "BadRequest", message: expect.stringContaining('unknown field "spec.extra"') },
    });
  });

  test.each([
    ["a missing required field", {}, "spec.size"],
    ["a wrong type", { size: "1" }, "spec.size"],
    ["a fraction for an integer", { size: 1.5 }, "spec.size"],
    ["a number below the minimum", { size: 0 }, "spec.size"],
    ["a value outside the enum", { size: 1, color: "green" }, "spec.color"],
    ["neither int nor string", { size: 1, share: true }, "spec.share"],
    ["a list item without its key", { size: 1, parts: [{}] }, "spec.parts[0].name"],
    ["the same key twice", { size: 1, parts: [{ name: "a" }, { name: "a" }] }, "spec.parts[1]"],
    ["a map value of another type", { size: 1, labels: { a: 1 } }, "spec.labels.a"],
  ])("%s is 422 with the field's path", async (_what, spec, field) => {
    const answer = await create("wrong", spec);
    expect(answer).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect(answer.body.details.causes).toContainEqual(expect.objectContaining({ field }));
  });

  test("int-or-string takes both", async () => {
    expect((await create("share-number", { size: 1, share: 3 })).body.spec.share).toBe(3);
    expect((await create("share-text", { size: 1, share: "10%" })).body.spec.share).toBe("10%");
  });
});

describe("writes", () => {
  test("the generation counts the spec, not metadata and status; status is written on its own", async () => {
    await create("counted", { size: 1 });
    const path = `${root}/${plural}/counted`;
    expect((await patch(on, path, "merge", { metadata: { labels: { a: "b" } } })).body.metadata.generation).toBe(1);
    expect(
      (await patch(on, `${path}/status`, "merge", { spec: { size: 7 }, status: { matched: 3 } })).body,
    ).toMatchObject({
      metadata: { generation: 1 },
      spec: { size: 1 },
      status: { matched: 3 },
    });
    expect((await patch(on, path, "merge", { spec: { size: 2 }, status: { matched: 9 } })).body).toMatchObject({
      metadata: { generation: 2 },
      status: { matched: 3 },
    });
  });

  test("PUT needs the resourceVersion, and the present one", async () => {
    const { body } = await create("put", { size: 1 });
    const path = `${root}/${plural}/put`;
    const { resourceVersion: _resourceVersion, ...metadata } = body.metadata;
    expect((await call(on, "PUT", path, { body: { ...body, metadata } })).status).toBe(422);
    expect((await call(on, "PUT", path, { body: { ...body, spec: { size: 4 } } })).body.spec.size).toBe(4);
    expect((await call(on, "PUT", path, { body })).status).toBe(409);
  });

  test("a strategic patch is 415", async () => {
    await create("strategic", { size: 1 });
    expect((await patch(on, `${root}/${plural}/strategic`, "strategic", { spec: { size: 2 } })).status).toBe(415);
  });
});

describe("versions", () => {
  const old = `/apis/${group}/v1alpha1/${plural}`;

  test("an object is seen in every served version through the conversion webhook, watched too", async () => {
    await create("tiny", { size: 1 });
    expect((await call(on, "GET", `${old}/tiny`)).body).toMatchObject({
      apiVersion: `${group}/v1alpha1`,
      metadata: { name: "tiny", labels: { small: "yes" } },
    });
    const body = {
      apiVersion: `${group}/v1alpha1`,
      kind: "Widget",
      metadata: { name: "older", labels: { small: "yes" } },
      spec: { size: 1 },
    };
    const created = await call(on, "POST", old, { body });
    expect(created.body).toMatchObject({ apiVersion: `${group}/v1alpha1`, metadata: { labels: { small: "yes" } } });
    const { body: newer } = await call(on, "GET", `${root}/${plural}/older`);
    expect(newer.apiVersion).toBe(`${group}/v1`);
    expect(newer.metadata.labels ?? {}).toEqual({});
    const { body: list } = await call(on, "GET", old);
    expect(new Set(list.items.map((item: { apiVersion: string }) => item.apiVersion))).toEqual(
      new Set([`${group}/v1alpha1`]),
    );
  });

  test("a conversion that fails, or changes what it must not, is 500", async () => {
    await create("unconvertible", { size: 3 });
    const get = () => call(on, "GET", `${old}/unconvertible`);
    hooks.on("/convert", () => ({ result: { status: "Failure", message: "cannot do that" } }));
    expect(await get()).toMatchObject({ status: 500, body: { message: expect.stringContaining("cannot do that") } });
    hooks.on("/convert", ({ objects, desiredAPIVersion }) => ({
      result: { status: "Success" },
      convertedObjects: objects.map((object: Review) => ({
        ...object,
        apiVersion: desiredAPIVersion,
        metadata: { ...object.metadata, name: "other" },
      })),
    }));
    expect((await get()).status).toBe(500);
    hooks.on("/convert", convert);
    expect((await get()).status).toBe(200);
  });

  test("an object of another version than the path is 400", async () => {
    expect((await call(on, "POST", old, { body: widget("mixed", { size: 1 }) })).status).toBe(400);
  });
});

test("kubectl's table has the declared columns", async () => {
  await create("shown", { size: 1, parts: [{ name: "p" }] });
  await patch(on, `${root}/${plural}/shown/status`, "merge", { status: { matched: 5 } });
  const { body } = await call(on, "GET", `${root}/${plural}/shown`, {
    headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
  });
  expect(
    body.columnDefinitions.map(({ name, priority }: { name: string; priority: number }) => [name, priority]),
  ).toEqual([
    ["Name", 0],
    ["MATCHED", 0],
    ["FIRST", 1],
  ]);
  expect(body.rows[0].cells).toEqual(["shown", 5, "p"]);
});

test("discovery knows the kind, its short name and its status", async () => {
  const { body } = await call(on, "GET", root);
  expect(body.resources).toContainEqual(
    expect.objectContaining({ name: plural, kind: "Widget", namespaced: false, shortNames: ["wd"] }),
  );
  expect(body.resources).toContainEqual(expect.objectContaining({ name: `${plural}/status` }));
});

describe("definitions", () => {
  test.each([
    ["another name than plural.group", { metadata: { name: "other" } }, "metadata.name"],
    [
      "no storage version",
      { versions: [{ name: "v1", served: true, storage: false, schema: { openAPIV3Schema: { type: "object" } } }] },
      "spec.versions",
    ],
  ])("%s is 422", async (_what, change, field) => {
    const base = definition();
    const { metadata = { name: `gadgets.${group}` }, ...spec } = change as { metadata?: object };
    const body = { ...base, metadata, spec: { ...base.spec, names: { kind: "Gadget", plural: "gadgets" }, ...spec } };
    const answer = await call(on, "POST", CRDS, { body });
    expect(answer.status).toBe(422);
    expect(answer.body.details.causes).toContainEqual(expect.objectContaining({ field }));
  });

  test("with the definition go its objects and its paths", async () => {
    const body = { ...definition(), metadata: { name: `gizmos.${group}` } };
    body.spec.names = { kind: "Gizmo", plural: "gizmos", shortNames: [] };
    await call(on, "POST", CRDS, { body });
    await expect
      .poll(
        async () =>
          (await call(on, "POST", `${root}/gizmos`, { body: { ...widget("one", { size: 1 }), kind: "Gizmo" } })).status,
        { timeout: 30_000 },
      )
      .toBe(201);
    await call(on, "DELETE", `${CRDS}/gizmos.${group}`);
    await expect.poll(async () => (await call(on, "GET", `${root}/gizmos`)).status, { timeout: 30_000 }).toBe(404);
  });
});

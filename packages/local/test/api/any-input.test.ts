// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, PATCH_TYPES, type Target, target } from "../contract/target.ts";

// Whatever JSON a client sends, to whatever kind and as whatever patch: never a 500, and the server goes on.
let on: Target;
beforeAll(async () => {
  on = await target();
});
afterAll(() => on.close());

const CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const COLLECTIONS = [
  "/api/v1/namespaces/default/pods",
  "/api/v1/namespaces",
  "/api/v1/namespaces/default/configmaps",
  "/api/v1/namespaces/default/secrets",
  "/api/v1/namespaces/default/services",
  "/api/v1/namespaces/default/events",
  "/api/v1/nodes",
  "/apis/events.k8s.io/v1/namespaces/default/events",
  "/apis/apps/v1/namespaces/default/deployments",
  "/apis/apps/v1/namespaces/default/controllerrevisions",
  CRD,
  WEBHOOKS,
];

const WORDS = [
  "name",
  "metadata",
  "spec",
  "status",
  "labels",
  "containers",
  "env",
  "image",
  "ports",
  "volumes",
  "template",
  "selector",
  "matchLabels",
  "matchExpressions",
  "data",
  "webhooks",
  "rules",
  "versions",
  "names",
  "schema",
  "openAPIV3Schema",
  "conversion",
  "conditions",
  "finalizers",
  "ownerReferences",
  "__proto__",
  "constructor",
  "toString",
];
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, "", "a", "x/y", {}, []),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...WORDS), tie("value"), { maxKeys: 5 }),
  ),
}));
const body = fc.oneof(
  value,
  fc.record(
    {
      metadata: fc.record(
        { name: fc.constantFrom("a", "b"), labels: value, annotations: value },
        { requiredKeys: ["name"] },
      ),
      spec: value,
      status: value,
      data: value,
      webhooks: value,
    },
    { requiredKeys: ["metadata"] },
  ),
);

test("property: any object is created or refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...COLLECTIONS), body, async (path, sent) => {
      const { status, body: answer } = await call(on, "POST", path, { body: JSON.stringify(sent) });
      expect(status, JSON.stringify(answer)).toBeLessThan(500);
      if (status !== 201) return;
      // What was taken must not stand in the way of reading, and goes again.
      expect(
        (await call(on, "GET", path, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).status,
      ).toBe(200);
      await call(on, "DELETE", `${path}/${answer.metadata.name}?gracePeriodSeconds=0`);
    }),
    { numRuns: 400 },
  );
  expect((await call(on, "GET", "/readyz")).status).toBe(200);
});

test("property: any patch is applied or refused", async () => {
  const pods = "/api/v1/namespaces/default/pods";
  const pod = {
    metadata: { name: "target" },
    spec: { containers: [{ name: "a", image: "a:1", env: [{ name: "A" }] }] },
  };
  await call(on, "POST", pods, { body: pod });
  const operation = fc.record({
    op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
    path: fc.constantFrom("/spec", "/metadata", "/spec/containers/0", "/metadata/labels", "/kind", ""),
    from: fc.constantFrom("/spec", "/metadata/name"),
    value,
  });
  const patch = fc.oneof(
    fc.tuple(fc.constantFrom("merge" as const, "strategic" as const), body),
    fc.tuple(fc.constant("json" as const), fc.oneof(value, fc.array(operation, { maxLength: 3 }))),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(`${pods}/target`, `${pods}/target/status`), patch, async (path, [type, sent]) => {
      const { status, body: answer } = await call(on, "PATCH", path, {
        body: JSON.stringify(sent),
        headers: { "content-type": PATCH_TYPES[type] },
      });
      expect(status, JSON.stringify(answer)).toBeLessThan(500);
      const table = await call(on, "GET", pods, {
        headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
      });
      expect(table.status).toBe(200);
    }),
    { numRuns: 400 },
  );
});

const SCHEMA_WORDS = [
  "type",
  "properties",
  "items",
  "required",
  "enum",
  "pattern",
  "default",
  "additionalProperties",
  "minimum",
  "anyOf",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-list-type",
  "a",
  "b",
];
const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<unknown>(
      "object",
      "string",
      "array",
      "integer",
      "(",
      "\\-",
      1,
      true,
      null,
      { type: "object" },
      { type: "string" },
    ),
    fc.array(tie("schema"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...SCHEMA_WORDS), tie("schema"), { maxKeys: 4 }),
  ),
}));
const properties = fc.dictionary(fc.constantFrom("spec", "a", "b"), schema, { maxKeys: 3 });
const instance = fc.record({ spec: value, a: value, b: value }, { requiredKeys: [] });

test("property: any definition is refused, or its kind can be written and read", async () => {
  await fc.assert(
    fc.asyncProperty(properties, instance, async (declared, sent) => {
      const group = "any.example.com";
      const version = {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties: declared } },
      };
      const definition = {
        metadata: { name: `things.${group}` },
        spec: { group, scope: "Cluster", names: { kind: "Thing", plural: "things" }, versions: [version] },
      };
      const made = await call(on, "POST", CRD, { body: JSON.stringify(definition) });
      expect([201, 422], JSON.stringify(made.body)).toContain(made.status);
      if (made.status === 422) return;
      const things = `/apis/${group}/v1/things`;
      const answer = await call(on, "POST", things, { body: JSON.stringify({ ...sent, metadata: { name: "one" } }) });
      expect([201, 422], JSON.stringify(answer.body)).toContain(answer.status);
      expect((await call(on, "GET", things)).status).toBe(200);
      await call(on, "DELETE", `${CRD}/things.${group}`);
    }),
    { numRuns: 200 },
  );
});

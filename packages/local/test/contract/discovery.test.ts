// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, type Target, target } from "./target.ts";

let on: Target;
beforeAll(async () => {
  on = await target();
});
afterAll(() => on.close());

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const KINDS: [string, string, boolean][] = [
  ["pods", "/api/v1", true],
  ["namespaces", "/api/v1", false],
  ["configmaps", "/api/v1", true],
  ["secrets", "/api/v1", true],
  ["services", "/api/v1", true],
  ["events", "/api/v1", true],
  ["nodes", "/api/v1", false],
  ["events", "/apis/events.k8s.io/v1", true],
  ["deployments", "/apis/apps/v1", true],
  ["replicasets", "/apis/apps/v1", true],
  ["controllerrevisions", "/apis/apps/v1", true],
  ["leases", "/apis/coordination.k8s.io/v1", true],
  ["customresourcedefinitions", "/apis/apiextensions.k8s.io/v1", false],
  ["mutatingwebhookconfigurations", "/apis/admissionregistration.k8s.io/v1", false],
  ["validatingwebhookconfigurations", "/apis/admissionregistration.k8s.io/v1", false],
];

test.each(KINDS)("%s are in %s and can be listed", async (plural, root, namespaced) => {
  const { body } = await call(on, "GET", root);
  expect(body.kind).toBe("APIResourceList");
  const found = body.resources.find(({ name }: { name: string }) => name === plural);
  expect(found).toMatchObject({
    namespaced,
    verbs: expect.arrayContaining(["create", "delete", "get", "list", "patch", "update", "watch"]),
  });
  const { body: list, status } = await call(on, "GET", `${root}/${plural}?limit=1`);
  expect(status).toBe(200);
  expect(list.kind).toBe(`${found.kind}List`);
});

test("groups and versions", async () => {
  expect((await call(on, "GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
  const { body } = await call(on, "GET", "/apis");
  expect(body.kind).toBe("APIGroupList");
  expect(body.groups).toContainEqual(
    expect.objectContaining({ name: "apps", preferredVersion: { groupVersion: "apps/v1", version: "v1" } }),
  );
  expect((await call(on, "GET", "/apis/apps")).body).toMatchObject({ kind: "APIGroup", name: "apps" });
});

test.each([
  ["/api", "", "pods"],
  ["/apis", "apps", "deployments"],
])("%s aggregated, as kubectl asks", async (path, group, plural) => {
  const { body, headers } = await call(on, "GET", path, { headers: { accept: `${AGGREGATED},application/json` } });
  expect(headers["content-type"]).toBe(AGGREGATED);
  expect(body.kind).toBe("APIGroupDiscoveryList");
  const found = body.items.find(({ metadata }: { metadata: { name?: string } }) => (metadata.name ?? "") === group);
  const resource = found.versions[0].resources.find((one: { resource: string }) => one.resource === plural);
  expect(resource).toMatchObject({
    scope: "Namespaced",
    responseKind: { kind: expect.any(String) },
    verbs: expect.arrayContaining(["watch"]),
  });
  expect(resource.subresources).toContainEqual(expect.objectContaining({ subresource: "status" }));
});

test("version and health", async () => {
  expect((await call(on, "GET", "/version")).body).toMatchObject({
    major: "1",
    gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/),
  });
  expect(await call(on, "GET", "/readyz")).toMatchObject({ status: 200, body: "ok" });
});

test("the OpenAPI document says that PATCH takes fieldValidation, so kubectl lets the server validate", async () => {
  // The real one sends the index as text/plain.
  const { body: sent } = await call(on, "GET", "/openapi/v3");
  const index = typeof sent === "string" ? JSON.parse(sent) : sent;
  const { body } = await call(on, "GET", index.paths["apis/apps/v1"].serverRelativeURL);
  const { patch } = body.paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
  expect(patch["x-kubernetes-group-version-kind"]).toEqual({ group: "apps", version: "v1", kind: "Deployment" });
  expect(patch.parameters).toContainEqual(expect.objectContaining({ name: "fieldValidation", in: "query" }));
});

// SPDX-License-Identifier: Apache-2.0
import { KIND, PLURAL, sidecarSetCrd, toV1Alpha1, toV1Beta1 } from "@hot/spec";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { call, patch, type Target, target } from "./target.ts";
import { type Review, type WebhookServer, webhookServer } from "./webhook-server.ts";

// The project's own definition, converted by the project's own functions.
let on: Target;
let hooks: WebhookServer;
const CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const beta = `/apis/apps.kruise.io/v1beta1/${PLURAL}`;
const alpha = `/apis/apps.kruise.io/v1alpha1/${PLURAL}`;
const created: string[] = [];

beforeAll(async () => {
  on = await target();
  hooks = await webhookServer();
  hooks.on("/convert", ({ objects, desiredAPIVersion }) => ({
    result: { status: "Success" },
    convertedObjects: objects.map((object: Review) =>
      desiredAPIVersion.endsWith("v1beta1") ? toV1Beta1(object) : toV1Alpha1(object),
    ),
  }));
  const body = sidecarSetCrd({ conversion: hooks.clientConfig("/convert") });
  expect((await call(on, "POST", CRD, { body })).status).toBe(201);
  await vi.waitFor(async () => expect((await call(on, "GET", beta)).status).toBe(200), { timeout: 30_000 });
});
afterAll(async () => {
  for (const path of created) await call(on, "DELETE", path);
  await call(on, "DELETE", `${CRD}/${PLURAL}.apps.kruise.io`);
  await hooks.close();
  await on.close();
});

const set = (version: string, name: string, spec: object) => ({
  apiVersion: `apps.kruise.io/${version}`,
  kind: KIND,
  metadata: { name },
  spec: { selector: { matchLabels: { app: "web" } }, containers: [{ name: "proxy", image: "proxy:1" }], ...spec },
});

test("what is written as v1alpha1 is stored as v1beta1 and read as either", async () => {
  const answer = await call(on, "POST", alpha, { body: set("v1alpha1", "older", { namespace: "team" }) });
  expect(answer.status).toBe(201);
  created.push(`${beta}/older`);
  const stored = await call(on, "GET", `${beta}/older`);
  expect(stored.body.spec.namespaceSelector).toEqual({ matchLabels: { "kubernetes.io/metadata.name": "team" } });
  expect(stored.body.spec).not.toHaveProperty("namespace");
  expect((await call(on, "GET", `${alpha}/older`)).body.apiVersion).toBe("apps.kruise.io/v1alpha1");
});

test("a webhook for v1beta1 sees a v1alpha1 request converted, and its patch comes back converted", async () => {
  hooks.on("/default", () => ({
    allowed: true,
    patchType: "JSONPatch",
    patch: Buffer.from(JSON.stringify([{ op: "add", path: "/spec/customVersion", value: "v7" }])).toString("base64"),
  }));
  const configuration = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
  const rules = [
    { apiGroups: ["apps.kruise.io"], apiVersions: ["v1beta1"], resources: [PLURAL], operations: ["CREATE"] },
  ];
  const webhook = {
    name: "default.example.com",
    clientConfig: hooks.clientConfig("/default"),
    rules,
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  };
  await call(on, "POST", configuration, { body: { metadata: { name: "sidecar-sets-test" }, webhooks: [webhook] } });
  try {
    const { body } = await call(on, "POST", alpha, { body: set("v1alpha1", "converted", {}) });
    created.push(`${beta}/converted`);
    const review = hooks.received.find(({ operation }) => operation === "CREATE");
    expect(review).toMatchObject({
      kind: { version: "v1beta1" },
      requestKind: { version: "v1alpha1" },
      object: { apiVersion: "apps.kruise.io/v1beta1" },
    });
    expect(body).toMatchObject({
      apiVersion: "apps.kruise.io/v1alpha1",
      metadata: { labels: { "apps.kruise.io/sidecarset-custom-version": "v7" } },
    });
    expect((await call(on, "GET", `${beta}/converted`)).body.spec.customVersion).toBe("v7");
  } finally {
    await call(on, "DELETE", `${configuration}/sidecar-sets-test`);
  }
});

test("the status counters and the field names of containers pass, a wrong type does not", async () => {
  await call(on, "POST", beta, { body: set("v1beta1", "counted", {}) });
  created.push(`${beta}/counted`);
  const status = { matchedPods: 1, updatedPods: 1, readyPods: 1 };
  expect((await patch(on, `${beta}/counted/status`, "merge", { status })).body).toMatchObject({
    status,
    metadata: { generation: 1 },
  });
  expect((await patch(on, `${beta}/counted`, "merge", { spec: { containers: "none" } })).status).toBe(422);
});

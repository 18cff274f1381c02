// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, namespace, patch, type Target, target, unique } from "./target.ts";

let on: Target;
let core: string;
let apps: string;
let leases: string;
beforeAll(async () => {
  on = await target();
  const space = await namespace(on);
  core = `/api/v1/namespaces/${space}`;
  apps = `/apis/apps/v1/namespaces/${space}`;
  leases = `/apis/coordination.k8s.io/v1/namespaces/${space}/leases`;
});
afterAll(() => on.close());

const deployment = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: {
    // None are wished, so that no controller makes pods while the test looks.
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "app", image: "app:1" }] } },
    ...spec,
  },
});

describe("Deployments", () => {
  test("get defaults, in their template too", async () => {
    const { body } = await call(on, "POST", `${apps}/deployments`, { body: deployment("defaults") });
    expect(body.spec).toMatchObject({
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      template: { spec: { restartPolicy: "Always", containers: [{ imagePullPolicy: "IfNotPresent" }] } },
    });
    expect(body.metadata.generation).toBe(1);
  });

  test.each<[string, object, string]>([
    [
      "a selector that does not match the template",
      { selector: { matchLabels: { app: "other" } } },
      "spec.template.metadata.labels",
    ],
    ["no selector", { selector: null }, "spec.selector"],
    ["a negative number", { replicas: -1 }, "spec.replicas"],
    [
      "a template whose pods do not restart",
      {
        template: {
          metadata: { labels: { app: "wrong" } },
          spec: { restartPolicy: "Never", containers: [{ name: "a", image: "a:1" }] },
        },
      },
      "spec.template.spec.restartPolicy",
    ],
    [
      "a container without image",
      { template: { metadata: { labels: { app: "wrong" } }, spec: { containers: [{ name: "a" }] } } },
      "spec.template.spec.containers[0].image",
    ],
  ])("%s is 422", async (_what, spec, field) => {
    const answer = await call(on, "POST", `${apps}/deployments`, { body: deployment("wrong", spec) });
    expect(answer.status).toBe(422);
    expect(answer.body.details.causes).toContainEqual(expect.objectContaining({ field }));
  });

  test("the selector is fixed, the template is not", async () => {
    await call(on, "POST", `${apps}/deployments`, { body: deployment("fixed") });
    const path = `${apps}/deployments/fixed`;
    const both = { selector: { matchLabels: { app: "new" } }, template: { metadata: { labels: { app: "new" } } } };
    expect((await patch(on, path, "merge", { spec: both })).status).toBe(422);
    const template = { spec: { containers: [{ name: "app", image: "app:2" }] } };
    expect((await patch(on, path, "strategic", { spec: { template } })).body.metadata.generation).toBeGreaterThan(1);
  });

  test("scale reads and writes the number of replicas", async () => {
    await call(on, "POST", `${apps}/deployments`, { body: deployment("scaled") });
    const path = `${apps}/deployments/scaled/scale`;
    const scale = await call(on, "GET", path);
    expect(scale.body).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "scaled" },
      spec: {},
      status: { selector: "app=scaled" },
    });
    const stale = scale.body.metadata.resourceVersion;
    await patch(on, `${apps}/deployments/scaled`, "merge", { metadata: { labels: { a: "b" } } });
    expect(
      (
        await call(on, "PUT", path, {
          body: { ...scale.body, metadata: { ...scale.body.metadata, resourceVersion: stale } },
        })
      ).status,
    ).toBe(409);
    expect((await patch(on, path, "merge", { spec: { replicas: 0 } })).status).toBe(200);
  });
});

describe("Secrets and ConfigMaps", () => {
  test("stringData becomes data", async () => {
    const { body } = await call(on, "POST", `${core}/secrets`, {
      body: { metadata: { name: "s" }, stringData: { key: "value" } },
    });
    expect(body).toMatchObject({ type: "Opaque", data: { key: "dmFsdWU=" } });
    expect(body).not.toHaveProperty("stringData");
  });

  test("immutable ones keep their data", async () => {
    await call(on, "POST", `${core}/configmaps`, {
      body: { metadata: { name: "frozen" }, immutable: true, data: { a: "b" } },
    });
    expect((await patch(on, `${core}/configmaps/frozen`, "merge", { data: { a: "c" } })).status).toBe(422);
    expect((await patch(on, `${core}/configmaps/frozen`, "merge", { metadata: { labels: { a: "c" } } })).status).toBe(
      200,
    );
  });
});

test("a ControllerRevision's data is fixed, its number is not", async () => {
  const path = `${apps}/controllerrevisions`;
  expect(
    (await call(on, "POST", path, { body: { metadata: { name: "r" }, data: { a: 1 }, revision: 1 } })).status,
  ).toBe(201);
  expect((await patch(on, `${path}/r`, "merge", { data: { a: 2 } })).status).toBe(422);
  expect((await patch(on, `${path}/r`, "merge", { revision: 2 })).body.revision).toBe(2);
});

test("of two leaders that renew a Lease at once, one loses", async () => {
  const { body } = await call(on, "POST", leases, {
    body: { metadata: { name: "lock" }, spec: { holderIdentity: "a", leaseDurationSeconds: 15 } },
  });
  const take = (holderIdentity: string) =>
    call(on, "PUT", `${leases}/lock`, { body: { ...body, spec: { ...body.spec, holderIdentity } } });
  const answers = await Promise.all([take("b"), take("c")]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
});

describe("webhook configurations", () => {
  const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
  const webhook = {
    name: "a.example.com",
    clientConfig: { url: "https://127.0.0.1:1/" },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  };

  test("get defaults", async () => {
    const name = unique("configured");
    const { body } = await call(on, "POST", path, { body: { metadata: { name }, webhooks: [webhook] } });
    await call(on, "DELETE", `${path}/${name}`);
    expect(body.webhooks[0]).toMatchObject({
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      timeoutSeconds: 10,
      namespaceSelector: {},
      objectSelector: {},
    });
  });

  test.each<[string, object]>([
    ["a name of less than three parts", { name: "a" }],
    ["unknown side effects", { sideEffects: "Some" }],
    ["a timeout above 30 s", { timeoutSeconds: 31 }],
  ])("%s is 422", async (_what, change) => {
    expect(
      (
        await call(on, "POST", path, {
          body: { metadata: { name: unique("wrong") }, webhooks: [{ ...webhook, ...change }] },
        })
      ).status,
    ).toBe(422);
  });
});

describe("metadata alone", () => {
  test.each([
    ["of one object", "/configmaps/meta", "PartialObjectMetadata"],
    ["of a list", "/configmaps", "PartialObjectMetadataList"],
  ])("%s", async (_what, path, kind) => {
    await call(on, "POST", `${core}/configmaps`, {
      body: { metadata: { name: "meta", labels: { a: "b" } }, data: { a: "confidential" } },
    });
    const { body } = await call(on, "GET", core + path, {
      headers: { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1` },
    });
    expect(body).toMatchObject({ kind, apiVersion: "meta.k8s.io/v1" });
    expect(JSON.stringify(body)).not.toContain("confidential");
  });
});

describe("metadata rules for every kind", () => {
  test.each<[string, object, string]>([
    ["a label key that is none", { labels: { "not a key": "x" } }, "metadata.labels"],
    ["a label value that is none", { labels: { a: "not a value" } }, "metadata.labels"],
    ["a label value of 64 characters", { labels: { a: "x".repeat(64) } }, "metadata.labels"],
    ["an annotation key that is none", { annotations: { "a/b/c": "x" } }, "metadata.annotations"],
    ["more than 256 KiB of annotations", { annotations: { a: "x".repeat(256 * 1024) } }, "metadata.annotations"],
    [
      "an owner without uid",
      { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p" }] },
      "metadata.ownerReferences.uid",
    ],
    [
      "two controllers",
      {
        ownerReferences: ["1", "2"].map((uid) => ({ apiVersion: "v1", kind: "Pod", name: "p", uid, controller: true })),
      },
      "metadata.ownerReferences",
    ],
    ["no name", { name: "" }, "metadata.name"],
    ["a name of 254 characters", { name: "x".repeat(254) }, "metadata.name"],
  ])("%s is 422", async (_what, metadata, field) => {
    const answer = await call(on, "POST", `${core}/configmaps`, { body: { metadata: { name: "wrong", ...metadata } } });
    expect(answer.status).toBe(422);
    expect(answer.body.details.causes).toContainEqual(expect.objectContaining({ field }));
  });
});

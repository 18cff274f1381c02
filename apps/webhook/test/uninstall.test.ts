// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from "@hot/kube";
import { beforeEach, describe, expect, test } from "vitest";
import { nextCertificates } from "../src/certs/serving.ts";
import { installationOf, isUninstalled } from "../src/installation.ts";
import { register } from "../src/register.ts";
import { uninstall } from "../src/uninstall.ts";
import { createFakeApi, type FakeApi } from "./fake-api.ts";

const namespace = "hot-system";
const CRD = "sidecarsets.apps.kruise.io";
const MUTATING = "mutatingwebhookconfigurations";
const VALIDATING = "validatingwebhookconfigurations";

let api: FakeApi;

beforeEach(async () => {
  api = createFakeApi();
  api.put("customresourcedefinitions", { metadata: { name: CRD }, spec: {} });
  await nextCertificates({ api, namespace, now: new Date() }, undefined);
  await register({ api, endpoint: { namespace, caBundle: "PEM\n" }, failurePolicy: "Fail" });
});

const remove = (revertConversion = false, installation = "sa-1"): Promise<string[]> =>
  uninstall({ api, namespace, installation, revertConversion });

test("deletes both webhook configurations, validation first, and leaves the conversion; a second time there is nothing to do", async () => {
  const before = api.object("customresourcedefinitions", CRD);
  expect(await remove()).toEqual([`${VALIDATING}/hot-webhook`, `${MUTATING}/hot-webhook`]);
  expect(api.object(MUTATING, "hot-webhook")).toBeUndefined();
  expect(api.object(VALIDATING, "hot-webhook")).toBeUndefined();
  expect(api.object("customresourcedefinitions", CRD)).toEqual(before);
  expect(await remove()).toEqual([]);
});

test("sets the conversion to None where that is asked for, once", async () => {
  expect(await remove(true)).toContain(`customresourcedefinitions/${CRD}`);
  expect(api.object("customresourcedefinitions", CRD)).toMatchObject({ spec: { conversion: { strategy: "None" } } });
  expect(await remove(true)).toEqual([]);
});

test("the conversion by replicas that are not ready is ours too", async () => {
  const endpoint = { namespace, caBundle: "PEM\n", conversionService: "hot-webhook-conversion" };
  await register({ api, endpoint, failurePolicy: "Fail" });
  expect(await remove(true)).toContain(`customresourcedefinitions/${CRD}`);
});

test("leaves a conversion that another program does", async () => {
  const service = { name: "kruise-webhook-service", namespace: "kruise-system" };
  const spec = { conversion: { strategy: "Webhook", webhook: { clientConfig: { service } } } };
  api.put("customresourcedefinitions", { metadata: { name: CRD }, spec });
  expect(await remove(true)).not.toContain(`customresourcedefinitions/${CRD}`);
  expect(api.object("customresourcedefinitions", CRD)).toMatchObject({ spec });
});

test("keeps the authority; nothing of it is lost by the mark", async () => {
  const before = api.object("secrets", "hot-webhook-certs") as KubeObject;
  await remove();
  const { metadata, ...rest } = api.object("secrets", "hot-webhook-certs") as KubeObject;
  expect({ ...rest, metadata: { name: metadata.name, namespace } }).toEqual({
    ...before,
    metadata: { name: before.metadata.name, namespace },
  });
});

test("without a CustomResourceDefinition or Secret there is nothing to fear", async () => {
  api = createFakeApi();
  expect(await remove(true)).toEqual([]);
  expect(await isUninstalled({ api, namespace, installation: "sa-1" })).toBe(true);
  // The next installation finds the Secret, empty, and fills it.
  await nextCertificates({ api, namespace, now: new Date() }, undefined);
  expect(await isUninstalled({ api, namespace, installation: "sa-2" })).toBe(false);
});

test("a replica that writes the Secret at the same moment makes it read again", async () => {
  const secret = api.object("secrets", "hot-webhook-certs") as KubeObject;
  api.beforeNextWrite(() => api.put("secrets", { ...secret, data: { "ca.crt": "bmV3" } }));
  await remove();
  expect(api.object("secrets", "hot-webhook-certs")).toMatchObject({ data: { "ca.crt": "bmV3" } });
  expect(await isUninstalled({ api, namespace, installation: "sa-1" })).toBe(true);
});

describe("the mark", () => {
  test("is for one installation: the next one, and processes outside of a cluster, register", async () => {
    await remove();
    expect(await isUninstalled({ api, namespace, installation: "sa-1" })).toBe(true);
    expect(await isUninstalled({ api, namespace, installation: "sa-2" })).toBe(false);
    expect(await isUninstalled({ api, namespace, installation: "" })).toBe(false);
  });

  const jwt = (payload: unknown): string =>
    ["{}", JSON.stringify(payload), "sig"].map((part) => Buffer.from(part).toString("base64url")).join(".");

  test("bears the uid of the ServiceAccount, which is in the token", () => {
    expect(installationOf(jwt({ "kubernetes.io": { serviceaccount: { name: "x", uid: "sa-1" } } }))).toBe("sa-1");
  });

  test.each(["", "no token", "a.b.c", jwt(null), jwt({ "kubernetes.io": { serviceaccount: { uid: 7 } } })])(
    "%j is no such token",
    (token) => expect(installationOf(token)).toBe(""),
  );
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { CrdMissingError, register } from "../src/register.ts";
import { createFakeApi, type FakeApi } from "./fake-api.ts";

const CRD = "sidecarsets.apps.kruise.io";
const MUTATING = "mutatingwebhookconfigurations";
const VALIDATING = "validatingwebhookconfigurations";
const service = { namespace: "hot-system", caBundle: "PEM\n" };
const url = { ...service, url: "https://127.0.0.1:9443" };

function apiWithCrd(): FakeApi {
  const api = createFakeApi();
  api.put("customresourcedefinitions", { metadata: { name: CRD }, spec: { group: "apps.kruise.io", versions: [] } });
  return api;
}

interface Webhook {
  name: string;
  clientConfig: { url?: string; caBundle: string; service?: object };
  rules: { operations: string[]; resources: string[] }[];
  [field: string]: unknown;
}

const webhooks = (api: FakeApi, plural: string): Webhook[] => {
  const configuration = api.object(plural, "hot-webhook") as { webhooks: Webhook[] } | undefined;
  return configuration?.webhooks ?? [];
};

describe("register", () => {
  test("writes the conversion and both configurations; a second call writes nothing", async () => {
    const api = apiWithCrd();
    expect(await register({ api, endpoint: service, failurePolicy: "Ignore" })).toEqual({
      created: [MUTATING, VALIDATING],
      changed: [`customresourcedefinitions/${CRD}`],
      isNewTrust: false,
      isPruning: false,
    });
    const before = [...api.writes];
    expect(before).toEqual([
      `patch customresourcedefinitions/${CRD}`,
      `create ${MUTATING}/hot-webhook`,
      `create ${VALIDATING}/hot-webhook`,
    ]);
    expect(await register({ api, endpoint: service, failurePolicy: "Ignore" })).toEqual({
      created: [],
      changed: [],
      isNewTrust: false,
      isPruning: false,
    });
    expect(api.writes).toEqual(before);
  });

  test("pods: CREATE only, not kube-system and not our own namespace, opt-out, IfNeeded, 5 s, policy as configured", async () => {
    const api = apiWithCrd();
    await register({ api, endpoint: service, failurePolicy: "Fail" });
    const [pods] = webhooks(api, MUTATING);
    expect(pods).toMatchObject({
      rules: [{ operations: ["CREATE"], resources: ["pods"] }],
      reinvocationPolicy: "IfNeeded",
      timeoutSeconds: 5,
      failurePolicy: "Fail",
      sideEffects: "NoneOnDryRun",
      objectSelector: {
        matchExpressions: [{ key: "hot.internal/injection", operator: "NotIn", values: ["disabled"] }],
      },
      namespaceSelector: {
        matchExpressions: expect.arrayContaining([
          { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "hot-system"] },
        ]) as unknown,
      },
    });
  });

  test("SidecarSets fail closed, whatever the policy for pods is", async () => {
    const api = apiWithCrd();
    await register({ api, endpoint: service, failurePolicy: "Ignore" });
    expect(webhooks(api, MUTATING)[1]?.["failurePolicy"]).toBe("Fail");
    expect(webhooks(api, VALIDATING)[0]?.["failurePolicy"]).toBe("Fail");
  });

  test("under a URL every client config has the URL and no service, and the authority in base64", async () => {
    const api = apiWithCrd();
    await register({ api, endpoint: service, failurePolicy: "Ignore" });
    await register({ api, endpoint: url, failurePolicy: "Ignore" });
    const crd = api.object("customresourcedefinitions", CRD) as
      | { spec: { conversion: { webhook: Pick<Webhook, "clientConfig"> } } }
      | undefined;
    const all = [...webhooks(api, MUTATING), ...webhooks(api, VALIDATING), crd!.spec.conversion.webhook];
    expect(all.map(({ clientConfig }) => clientConfig.url)).toEqual(
      ["mutate-pod", "mutate-sidecarset", "validate-sidecarset", "convert"].map(
        (path) => `https://127.0.0.1:9443/${path}`,
      ),
    );
    for (const { clientConfig } of all) {
      expect(clientConfig.service).toBeUndefined();
      expect(Buffer.from(clientConfig.caBundle, "base64").toString()).toBe("PEM\n");
    }
  });

  test("another authority or a hand-made change is corrected; labels of others and defaulted fields stay", async () => {
    const api = apiWithCrd();
    await register({ api, endpoint: service, failurePolicy: "Ignore" });
    const present = structuredClone(
      api.object(MUTATING, "hot-webhook") as { metadata: object; webhooks: Webhook[] } | undefined,
    )!;
    present.metadata = { ...present.metadata, labels: { team: "x" } };
    present.webhooks[0]!["serverDefaulted"] = "x";
    api.put(MUTATING, present);
    expect(await register({ api, endpoint: service, failurePolicy: "Ignore" })).toEqual({
      created: [],
      changed: [],
      isNewTrust: false,
      isPruning: false,
    });

    present.webhooks[0]!.clientConfig.caBundle = "b3RoZXI=";
    api.put(MUTATING, present);
    expect(await register({ api, endpoint: service, failurePolicy: "Ignore" })).toEqual({
      created: [],
      changed: [MUTATING],
      isNewTrust: true,
      isPruning: false,
    });
    expect(api.object(MUTATING, "hot-webhook")).toMatchObject({ metadata: { labels: { team: "x" } } });
  });

  test("somebody else creates the configuration at the same moment: read again, nothing is written twice", async () => {
    const api = apiWithCrd();
    const other = apiWithCrd();
    await register({ api: other, endpoint: service, failurePolicy: "Ignore" });
    await register({
      api: { ...api, patch: api.patch, create: api.create },
      endpoint: service,
      failurePolicy: "Ignore",
    });
    const fresh = apiWithCrd();
    fresh.beforeNextWrite(() => fresh.put(MUTATING, other.object(MUTATING, "hot-webhook")!));
    await register({ api: fresh, endpoint: service, failurePolicy: "Ignore" });
    expect(fresh.writes).toEqual([`patch customresourcedefinitions/${CRD}`, `create ${VALIDATING}/hot-webhook`]);
  });

  test("without the CustomResourceDefinition: a clear error, and nothing is written", async () => {
    const api = createFakeApi();
    const attempt = register({ api, endpoint: service, failurePolicy: "Ignore" });
    await expect(attempt).rejects.toThrow(CrdMissingError);
    await expect(attempt).rejects.toThrow(/HOT5002/);
    expect(api.writes).toEqual([]);
  });
});

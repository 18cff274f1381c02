// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { call, namespace, patch, pod, type Target, target, unique } from "./target.ts";
import { patching, type WebhookServer, webhookServer } from "./webhook-server.ts";

let on: Target;
let hooks: WebhookServer;
let space: string;
let pods: string;
const configured: { readonly path: string; readonly name: string }[] = [];
beforeAll(async () => {
  on = await target();
  hooks = await webhookServer();
  space = await namespace(on);
  pods = `/api/v1/namespaces/${space}/pods`;
});
afterAll(async () => {
  await hooks.close();
  await on.close();
});
afterEach(async () => {
  while (configured.length > 0) await unregister();
  hooks.received.length = 0;
});

/** Whether the API server knows what was registered by this name. */
async function isAsked(name: string): Promise<boolean> {
  const reviews = hooks.known.reviews(name);
  const body = { metadata: { name: "known" } };
  await call(on, "POST", `/api/v1/namespaces/${space}/configmaps?dryRun=All`, { body });
  return hooks.known.reviews(name) > reviews;
}

const ROOT = "/apis/admissionregistration.k8s.io/v1";

/**
 * Registers one webhook for pods of this test's namespace, and waits until the API server knows it: with it comes a
 * second one, for ConfigMaps, which is asked until it is called.
 */
async function register(
  kind: "mutating" | "validating",
  path: string,
  more: object = {},
  name = unique(path.slice(1)),
): Promise<void> {
  const plural = `${kind}webhookconfigurations`;
  const webhook = {
    name: `${path.slice(1)}.example.com`,
    clientConfig: hooks.clientConfig(path),
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": space } },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    ...more,
  };
  const known = {
    ...webhook,
    name: "known.example.com",
    clientConfig: hooks.clientConfig(hooks.known.path(name)),
    objectSelector: undefined,
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["CREATE"] }],
    timeoutSeconds: 10,
  };
  const body = { metadata: { name }, webhooks: [webhook, known] };
  const answer = await call(on, "POST", `${ROOT}/${plural}`, { body });
  expect(answer.status).toBe(201);
  configured.push({ path: `${ROOT}/${plural}/${name}`, name });
  while (!(await isAsked(name)));
}

/** Takes the last one away, and waits until it is not asked any more, as the real one does for a moment. Its status. */
async function unregister(): Promise<number> {
  const { path, name } = configured.pop()!;
  const { status } = await call(on, "DELETE", path);
  while (await isAsked(name));
  return status;
}

const create = (name: string, more?: Parameters<typeof pod>[1], query = "") =>
  call(on, "POST", `${pods}${query}`, { body: pod(name, more) });
const annotate = (key: string, value: string) => [
  { op: "add", path: "/metadata/annotations", value: { [key]: value } },
];

describe("the review", () => {
  test("carries the whole request; system fields are not there yet when the object is mutated", async () => {
    hooks.on("/look", () => ({ allowed: true }));
    await register("mutating", "/look");
    await register("validating", "/look");
    const body = pod("ignored", { metadata: { name: undefined, generateName: "gen-" } });
    const created = await call(on, "POST", pods, { body });
    const [mutating, validating] = hooks.received;
    expect(mutating).toMatchObject({
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      requestKind: { group: "", version: "v1", kind: "Pod" },
      namespace: space,
      operation: "CREATE",
      dryRun: false,
      oldObject: null,
      object: {
        kind: "Pod",
        apiVersion: "v1",
        metadata: { generateName: "gen-", namespace: space },
        spec: { restartPolicy: "Always" },
      },
      options: { kind: "CreateOptions" },
    });
    expect(mutating.name ?? "").toBe("");
    expect(mutating.userInfo.username).toBeTypeOf("string");
    expect(mutating.object.metadata.uid).toBeUndefined();
    expect(validating.object.metadata).toMatchObject({
      name: created.body.metadata.name,
      uid: created.body.metadata.uid,
    });
    expect(validating.uid).not.toBe(mutating.uid);
  });

  test("of an update carries both objects, of a deletion only the old one, of a status its subresource", async () => {
    hooks.on("/all", () => ({ allowed: true }));
    await create("life");
    const rules = [
      { apiGroups: [""], apiVersions: ["*"], resources: ["pods", "pods/status"], operations: ["UPDATE", "DELETE"] },
    ];
    await register("validating", "/all", { rules });
    await patch(on, `${pods}/life`, "merge", { metadata: { labels: { a: "b" } } });
    await patch(on, `${pods}/life/status`, "merge", { status: { message: "m" } });
    await call(on, "DELETE", `${pods}/life`);
    // A deletion that becomes immediate is asked about once more by the real one.
    const asked = hooks.received.map(({ operation, subResource = "" }) => `${operation} ${subResource}`);
    expect([...new Set(asked)]).toEqual(["UPDATE ", "UPDATE status", "DELETE "]);
    expect(hooks.received[0]).toMatchObject({
      name: "life",
      object: { metadata: { labels: { a: "b" } } },
      oldObject: { metadata: { name: "life" } },
    });
    expect(hooks.received[2]).toMatchObject({ object: null, oldObject: { metadata: { name: "life" } } });
  });

  test("a dry run says so, and is refused by nothing that has no side effects", async () => {
    hooks.on("/dry", () => ({ allowed: true }));
    await register("mutating", "/dry");
    expect((await create("dry", {}, "?dryRun=All")).status).toBe(201);
    expect(hooks.received[0].dryRun).toBe(true);
  });
});

describe("mutation", () => {
  test("webhooks run in the order of their configurations' names, each sees what the one before left", async () => {
    hooks.on("/second", ({ object }) =>
      patching([{ op: "add", path: "/metadata/annotations/second", value: object.metadata.annotations.first }]),
    );
    hooks.on("/first", () => patching(annotate("first", "1")));
    await register("mutating", "/second", {}, unique("order-b"));
    await register("mutating", "/first", {}, unique("order-a"));
    const { body } = await create("ordered");
    expect(body.metadata.annotations).toEqual({ first: "1", second: "1" });
  });

  test("what is injected gets defaults and is validated", async () => {
    hooks.on("/inject", () =>
      patching([{ op: "add", path: "/spec/containers/-", value: { name: "side", image: "side:1" } }]),
    );
    await register("mutating", "/inject");
    const { body } = await create("injected");
    expect(body.spec.containers[1]).toMatchObject({
      name: "side",
      imagePullPolicy: "IfNotPresent",
      terminationMessagePolicy: "File",
    });
    hooks.on("/inject", () => patching([{ op: "add", path: "/spec/containers/-", value: { name: "side" } }]));
    expect((await create("incomplete")).status).toBe(422);
  });

  test("IfNeeded: asked again when a later webhook has changed the object, and only then", async () => {
    const count = (): number => hooks.received.filter(({ object }) => object.metadata.name === "again").length;
    hooks.on("/early", ({ object }) => patching(annotate("containers", String(object.spec.containers.length))));
    await register("mutating", "/early", { reinvocationPolicy: "IfNeeded" }, unique("reinvoke-a"));
    await create("alone");
    expect(hooks.received).toHaveLength(1);
    hooks.on("/late", () =>
      patching([{ op: "add", path: "/spec/containers/-", value: { name: "side", image: "side:1" } }]),
    );
    await register("mutating", "/late", {}, unique("reinvoke-b"));
    const { body } = await create("again");
    expect(count()).toBe(3);
    expect(body.metadata.annotations.containers).toBe("2");
  });

  test.each(["Ignore", "Fail"])(
    "a patch that does not fit is 500 even with failurePolicy %s",
    async (failurePolicy) => {
      hooks.on("/misfit", () => patching([{ op: "remove", path: "/spec/nothing/here" }]));
      await register("mutating", "/misfit", { failurePolicy });
      const answer = await create("misfit");
      expect(answer).toMatchObject({ status: 500, body: { kind: "Status", reason: "InternalError" } });
      expect((await call(on, "GET", `${pods}/misfit`)).status).toBe(404);
    },
  );
});

describe("refusal", () => {
  test("carries the webhook's name, message, code and details", async () => {
    hooks.on("/no", () => ({
      allowed: false,
      status: {
        code: 422,
        reason: "Invalid",
        message: "too red",
        details: { causes: [{ field: "spec.color", message: "red" }] },
      },
    }));
    await register("validating", "/no");
    expect(await create("denied")).toMatchObject({
      status: 422,
      body: {
        reason: "Invalid",
        message: 'admission webhook "no.example.com" denied the request: too red',
        details: { causes: [{ field: "spec.color" }] },
      },
    });
  });

  test("without code is 400, without message says so", async () => {
    hooks.on("/mute", () => ({ allowed: false }));
    await register("mutating", "/mute");
    expect(await create("denied")).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("denied the request") },
    });
  });
});

test("warnings of all webhooks reach the client, also through quotes and other alphabets, but for those with line ends", async () => {
  hooks.on("/warn", () => ({ allowed: true, warnings: ['he said "no"', "größer", "two\nlines"] }));
  await register("mutating", "/warn");
  const { headers, status } = await create("warned");
  expect(status).toBe(201);
  const warning = Buffer.from(String(headers.warning), "latin1").toString("utf8");
  expect(warning).toContain(String.raw`299 - "he said \"no\""`);
  expect(warning).toContain("größer");
  expect(warning).not.toContain("two");
});

describe("which requests", () => {
  test("namespaceSelector and objectSelector decide", async () => {
    hooks.on("/chosen", () => patching(annotate("seen", "yes")));
    await register("mutating", "/chosen", { objectSelector: { matchLabels: { inject: "yes" } } });
    const seen = async (name: string, labels: object) =>
      (await create(name, { metadata: { labels } })).body.metadata.annotations?.seen;
    expect(await seen("with", { inject: "yes" })).toBe("yes");
    expect(await seen("without", { inject: "no" })).toBeUndefined();
    const other = await namespace(on);
    const { body } = await call(on, "POST", `/api/v1/namespaces/${other}/pods`, {
      body: pod("elsewhere", { metadata: { labels: { inject: "yes" } } }),
    });
    expect(body.metadata.annotations).toBeUndefined();
  });
});

describe("a webhook that does not answer", () => {
  const down = { url: "https://127.0.0.1:1/down" };
  const cases: [string, () => object][] = [
    ["is down", () => ({ clientConfig: down })],
    ["is not trusted", () => ({ clientConfig: { ...hooks.clientConfig("/fine"), caBundle: undefined } })],
    ["is slow", () => ({ clientConfig: hooks.clientConfig("/slow"), timeoutSeconds: 1 })],
    ["answers garbage", () => ({ clientConfig: hooks.clientConfig("/garbage") })],
    ["answers an error page", () => ({ clientConfig: hooks.clientConfig("/page") })],
    ["answers for another request", () => ({ clientConfig: hooks.clientConfig("/other") })],
    ["patches without a type", () => ({ clientConfig: hooks.clientConfig("/untyped") })],
  ];
  beforeAll(() => {
    hooks.on("/fine", () => ({ allowed: true }));
    hooks.on("/slow", () => undefined);
    hooks.on("/garbage", (_request, response) => void response.end("<<<"));
    hooks.on("/page", (_request, response) => {
      response.statusCode = 503;
      response.end("{}");
      return undefined;
    });
    hooks.on("/other", () => ({ uid: "other", allowed: true }));
    hooks.on("/untyped", () => ({ allowed: true, patch: "W10=" }));
  });

  test.each(cases)("%s: 500 with Fail, let through with Ignore", async (_what, config) => {
    await register("mutating", "/silent", { ...config(), failurePolicy: "Fail" });
    const failed = await create("failed");
    expect(failed).toMatchObject({
      status: 500,
      body: {
        reason: "InternalError",
        message: expect.stringContaining('failed calling webhook "silent.example.com"'),
      },
    });
    await unregister();
    await register("mutating", "/silent", { ...config(), failurePolicy: "Ignore" });
    expect((await create(unique("ignored"))).status).toBe(201);
  });
});

test("webhook configurations are not reviewed by webhooks, so that a broken one can be removed", async () => {
  const rules = [{ apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"], operations: ["*"] }];
  await register("validating", "/absent", {
    rules,
    clientConfig: { url: "https://127.0.0.1:1/" },
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": space } },
  });
  expect(await unregister()).toBe(200);
});

// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, namespace, patch, pod, type Target, target } from "./target.ts";

let on: Target;
let pods: string;
beforeAll(async () => {
  on = await target();
  pods = `/api/v1/namespaces/${await namespace(on)}/pods`;
});
afterAll(() => on.close());

const made = async (name: string, more?: Parameters<typeof pod>[1]) => {
  const answer = await call(on, "POST", pods, { body: pod(name, more) });
  expect(answer.status).toBe(201);
  return answer.body;
};

describe("create", () => {
  test("stamps identity, generation and first status, and fills in defaults", async () => {
    const created = await made("create");
    expect(created).toMatchObject({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "create", generation: 1, uid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      spec: {
        restartPolicy: "Always",
        terminationGracePeriodSeconds: 30,
        dnsPolicy: "ClusterFirst",
        containers: [
          {
            terminationMessagePath: "/dev/termination-log",
            terminationMessagePolicy: "File",
            imagePullPolicy: "IfNotPresent",
          },
        ],
      },
      status: { phase: "Pending", qosClass: "BestEffort" },
    });
    expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Number(created.metadata.resourceVersion)).toBeGreaterThan(0);
  });

  test("a client cannot choose uid, generation, times or status", async () => {
    const metadata = {
      uid: "mine",
      generation: 9,
      creationTimestamp: "2000-01-01T00:00:00Z",
      deletionTimestamp: "2000-01-01T00:00:00Z",
    };
    const { body } = await call(on, "POST", pods, {
      body: { ...pod("chosen", { metadata }), status: { phase: "Running" } },
    });
    expect(body.metadata.uid).not.toBe("mine");
    expect(body.metadata.generation).toBe(1);
    expect(body.metadata.creationTimestamp).not.toBe("2000-01-01T00:00:00Z");
    expect(body.metadata.deletionTimestamp).toBeUndefined();
    expect(body.status.phase).toBe("Pending");
  });

  test("generateName gives five more characters", async () => {
    const body = pod("unused", { metadata: { name: undefined, generateName: "web-" } });
    const answer = await call(on, "POST", pods, { body });
    expect(answer.body.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test("the same name twice is 409 AlreadyExists", async () => {
    await made("twice");
    const answer = await call(on, "POST", pods, { body: pod("twice") });
    expect(answer).toMatchObject({
      status: 409,
      body: { kind: "Status", reason: "AlreadyExists", message: 'pods "twice" already exists' },
    });
  });

  test("all field errors come at once, as 422 with one cause per field", async () => {
    const broken = {
      containers: [
        { name: "Bad_Name" },
        { name: "a", image: "a:1", volumeMounts: [{ name: "none", mountPath: "/x" }] },
      ],
    };
    const answer = await call(on, "POST", pods, { body: pod("broken", { spec: broken }) });
    expect(answer.status).toBe(422);
    expect(answer.body.reason).toBe("Invalid");
    const fields = answer.body.details.causes.map((cause: { field: string }) => cause.field);
    expect(fields).toEqual(
      expect.arrayContaining([
        "spec.containers[0].name",
        "spec.containers[0].image",
        "spec.containers[1].volumeMounts[0].name",
      ]),
    );
  });

  test.each([
    [
      "duplicate container names",
      {
        containers: [
          { name: "a", image: "a:1" },
          { name: "a", image: "a:1" },
        ],
      },
      "spec.containers[1].name",
    ],
    ["no containers", { containers: [] }, "spec.containers"],
  ])("%s is 422", async (_what, spec, field) => {
    const answer = await call(on, "POST", pods, { body: pod("invalid", { spec }) });
    expect(answer.status).toBe(422);
    expect(answer.body.details.causes).toContainEqual(expect.objectContaining({ field }));
  });

  test("fields that pods do not have go; Strict refuses them by their path, as kubectl asks for", async () => {
    const spec = { containers: [{ name: "app", image: "app:1", imagee: "x" }] };
    const strict = await call(on, "POST", `${pods}?fieldValidation=Strict`, { body: pod("typo", { spec }) });
    expect(strict).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('unknown field "spec.containers[0].imagee"') },
    });
    const warned = await call(on, "POST", pods, { body: pod("typo", { spec }) });
    expect(warned.status).toBe(201);
    expect(String(warned.headers.warning)).toContain("spec.containers[0].imagee");
    expect(warned.body.spec.containers[0]).not.toHaveProperty("imagee");
  });

  test("a name that is no DNS subdomain is 422, a namespace that does not exist 404, another namespace 400", async () => {
    expect((await call(on, "POST", pods, { body: pod("Up_per") })).status).toBe(422);
    const missing = await call(on, "POST", "/api/v1/namespaces/no-such-namespace/pods", { body: pod("x") });
    expect(missing).toMatchObject({ status: 404, body: { details: { kind: "namespaces" } } });
    expect((await call(on, "POST", pods, { body: pod("x", { metadata: { namespace: "default" } }) })).status).toBe(400);
  });

  test("dryRun=All answers as usual and stores nothing", async () => {
    expect((await call(on, "POST", `${pods}?dryRun=All`, { body: pod("dry") })).status).toBe(201);
    expect((await call(on, "GET", `${pods}/dry`)).status).toBe(404);
    expect(await call(on, "POST", `${pods}?dryRun=Some`, { body: pod("dry") })).toMatchObject({
      status: 422,
      body: { details: { kind: "CreateOptions", causes: [{ field: "dryRun" }] } },
    });
  });
});

describe("update", () => {
  test("an image changes in place and raises the generation by one; metadata and status do not", async () => {
    await made("image");
    const path = `${pods}/image`;
    const changed = await patch(on, path, "strategic", { spec: { containers: [{ name: "app", image: "app:2" }] } });
    expect(changed.body.metadata.generation).toBe(2);
    const labelled = await patch(on, path, "merge", { metadata: { annotations: { a: "b" } } });
    expect(labelled.body.metadata.generation).toBe(2);
    const status = await patch(on, `${path}/status`, "strategic", { status: { phase: "Running" } });
    expect(status.body).toMatchObject({
      metadata: { generation: 2 },
      status: { phase: "Running" },
      spec: { containers: [{ image: "app:2" }] },
    });
  });

  test("everything else in a pod's spec is fixed", async () => {
    await made("fixed");
    const answer = await patch(on, `${pods}/fixed`, "strategic", {
      spec: { containers: [{ name: "app", env: [{ name: "A", value: "b" }] }] },
    });
    expect(answer.status).toBe(422);
    expect(answer.body.message).toContain("pod updates may not change fields other than");
    const added = await patch(on, `${pods}/fixed`, "strategic", {
      spec: { containers: [{ name: "more", image: "m:1" }] },
    });
    expect(added.status).toBe(422);
  });

  test("the main resource does not write the status, and the status does not write the spec", async () => {
    await made("apart");
    const spec = await patch(on, `${pods}/apart`, "merge", { status: { phase: "Failed" } });
    expect(spec.body.status.phase).toBe("Pending");
    const status = await patch(on, `${pods}/apart/status`, "strategic", {
      spec: { containers: [{ name: "app", image: "app:9" }] },
      status: { message: "m" },
    });
    expect(status.body).toMatchObject({ spec: { containers: [{ image: "app:1" }] }, status: { message: "m" } });
  });

  test("conditions merge by type in a strategic patch of the status", async () => {
    await made("conditions");
    const path = `${pods}/conditions/status`;
    await patch(on, path, "strategic", { status: { conditions: [{ type: "Ready", status: "False" }] } });
    const { body } = await patch(on, path, "strategic", { status: { conditions: [{ type: "Mine", status: "True" }] } });
    const types = body.status.conditions.map((condition: { type: string }) => condition.type);
    expect(types.sort()).toEqual(["Mine", "Ready"]);
  });

  test("a stale resourceVersion is 409 in a PUT and in a merge patch", async () => {
    const first = await made("stale");
    const path = `${pods}/stale`;
    await patch(on, path, "merge", { metadata: { labels: { a: "b" } } });
    const put = await call(on, "PUT", path, { body: first });
    expect(put).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(put.body.message).toContain(
      "the object has been modified; please apply your changes to the latest version and try again",
    );
    const { resourceVersion } = first.metadata;
    expect((await patch(on, path, "merge", { metadata: { resourceVersion, labels: { c: "d" } } })).status).toBe(409);
  });

  test("a patch cannot rename", async () => {
    await made("renamed");
    expect((await patch(on, `${pods}/renamed`, "merge", { metadata: { name: "other" } })).status).toBe(400);
  });

  test("another uid is 409; another name is 400", async () => {
    const first = await made("identity");
    const path = `${pods}/identity`;
    expect(
      (await call(on, "PUT", path, { body: { ...first, metadata: { ...first.metadata, uid: "other" } } })).status,
    ).toBe(409);
    expect(
      (await call(on, "PUT", path, { body: { ...first, metadata: { ...first.metadata, name: "other" } } })).status,
    ).toBe(400);
  });

  test("a write that changes nothing keeps the resourceVersion", async () => {
    const first = await made("same");
    const { body } = await patch(on, `${pods}/same`, "merge", { metadata: { labels: null } });
    expect(body.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test("of concurrent patches without precondition none is lost", async () => {
    await made("many");
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        patch(on, `${pods}/many`, "merge", { metadata: { annotations: { [`n${index}`]: "x" } } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const { body } = await call(on, "GET", `${pods}/many`);
    expect(Object.keys(body.metadata.annotations)).toHaveLength(20);
  });
});

describe("patch", () => {
  test("a JSON patch whose test fails, or with an unknown operation, is 422 and changes nothing; one that is no list is 400", async () => {
    await made("json");
    const path = `${pods}/json`;
    const failing = [
      { op: "test", path: "/metadata/name", value: "other" },
      { op: "add", path: "/metadata/labels", value: { a: "b" } },
    ];
    expect((await patch(on, path, "json", failing)).status).toBe(422);
    expect((await call(on, "GET", path)).body.metadata.labels).toBeUndefined();
    expect((await patch(on, path, "json", [{ op: "fly", path: "/" }])).status).toBe(422);
    expect((await patch(on, path, "json", { op: "add" })).status).toBe(400);
    const good = [
      { op: "test", path: "/metadata/name", value: "json" },
      { op: "add", path: "/metadata/labels", value: { a: "b" } },
    ];
    expect((await patch(on, path, "json", good)).body.metadata.labels).toEqual({ a: "b" });
  });

  test("an unknown patch type is 415", async () => {
    await made("types");
    const answer = await call(on, "PATCH", `${pods}/types`, { body: {}, headers: { "content-type": "text/plain" } });
    expect(answer).toMatchObject({ status: 415, body: { kind: "Status", reason: "UnsupportedMediaType" } });
  });
});

test("binding puts a pod on a node once", async () => {
  await made("bound");
  const binding = {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name: "bound" },
    target: { kind: "Node", name: "nowhere" },
  };
  expect((await call(on, "POST", `${pods}/bound/binding`, { body: binding })).status).toBe(201);
  const { body } = await call(on, "GET", `${pods}/bound`);
  expect(body.spec.nodeName).toBe("nowhere");
  expect(body.status.conditions).toContainEqual(expect.objectContaining({ type: "PodScheduled", status: "True" }));
  expect((await call(on, "POST", `${pods}/bound/binding`, { body: binding })).status).toBe(409);
  await call(on, "DELETE", `${pods}/bound?gracePeriodSeconds=0`);
});

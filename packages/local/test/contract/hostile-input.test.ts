// SPDX-License-Identifier: Apache-2.0
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { call, namespace, patch, pod, type Target, target } from "./target.ts";

let on: Target;
let maps: string;
let pods: string;
beforeAll(async () => {
  on = await target();
  const space = await namespace(on);
  maps = `/api/v1/namespaces/${space}/configmaps`;
  pods = `/api/v1/namespaces/${space}/pods`;
});
afterAll(() => on.close());
afterEach(() => {
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

describe("bodies", () => {
  test("more than 3 MiB is 413, and the server goes on", async () => {
    const answer = await call(on, "POST", maps, {
      body: { metadata: { name: "big" }, data: { a: "x".repeat(4 * 1024 * 1024) } },
    });
    expect(answer).toMatchObject({ status: 413, body: { kind: "Status", reason: "RequestEntityTooLarge" } });
    expect((await call(on, "GET", maps)).status).toBe(200);
  });

  test.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["a list", "[]"],
    ["a number", "7"],
    ["metadata that is a text", '{"metadata":"x"}'],
    ["labels that are a list", '{"metadata":{"name":"x","labels":[]}}'],
    ["a label that is a number", '{"metadata":{"name":"x","labels":{"a":1}}}'],
    ["another kind", '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}'],
  ])("%s is 400", async (_what, body) => {
    expect(await call(on, "POST", maps, { body, headers: { "content-type": "application/json" } })).toMatchObject({
      status: 400,
      body: { kind: "Status", status: "Failure" },
    });
  });

  test("null is an object without a name, 422", async () => {
    expect(await call(on, "POST", maps, { body: "null" })).toMatchObject({
      status: 422,
      body: { details: { causes: [{ field: "metadata.name" }] } },
    });
  });

  test("nesting a hundred thousand levels deep is 400", async () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    expect((await call(on, "POST", pods, { body: deep })).status).toBe(400);
    const merge = await call(on, "PATCH", `${pods}/x`, {
      body: deep,
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect([400, 404]).toContain(merge.status);
  });

  test("another media type is 415", async () => {
    expect(
      (await call(on, "POST", maps, { body: "<a/>", headers: { "content-type": "application/xml" } })).status,
    ).toBe(415);
  });
});

describe("keys that name prototypes", () => {
  test("are data in a ConfigMap and reach nothing else", async () => {
    const body = '{"metadata":{"name":"proto"},"data":{"__proto__":"a","constructor":"b","toString":"c"}}';
    expect((await call(on, "POST", maps, { body })).status).toBe(201);
    const { body: stored } = await call(on, "GET", `${maps}/proto`);
    expect(Object.entries(stored.data)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c"],
    ]);
  });

  test.each(["merge", "strategic"] as const)("are inert in a %s patch", async (type) => {
    await call(on, "POST", maps, { body: { metadata: { name: type } } });
    const body =
      '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}},"metadata":{"__proto__":{"polluted":"yes"},"annotations":{"a":"b"}}}';
    await call(on, "PATCH", `${maps}/${type}`, {
      body,
      headers: { "content-type": `application/${type === "strategic" ? "strategic-" : ""}merge-patch+json` },
    });
    const { body: stored } = await call(on, "GET", `${maps}/${type}`);
    expect(stored.polluted).toBeUndefined();
    expect(stored.metadata.polluted).toBeUndefined();
  });

  test("are inert in a JSON patch", async () => {
    await call(on, "POST", maps, { body: { metadata: { name: "json" } } });
    for (const path of ["/__proto__/polluted", "/constructor/prototype/polluted", "/metadata/__proto__/polluted"]) {
      expect((await patch(on, `${maps}/json`, "json", [{ op: "add", path, value: "yes" }])).status).toBe(422);
    }
  });
});

describe("paths and methods", () => {
  test.each([
    "/api/v2",
    "/api/v1/unknowns",
    "/apis/apps/v9/deployments",
    "/api/v1/pods/without-namespace",
    "/api/v1/namespaces/default/pods/a/b/c/d",
    "/api/v1/namespaces/default/pods/x/unknown",
    "/apis/apps/v1/namespaces/default/toString",
    "/api/v1/__proto__",
  ])("GET %s is 404 as metav1.Status", async (path) => {
    expect(await call(on, "GET", path)).toMatchObject({
      status: 404,
      body: { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 },
    });
  });

  test.each(["/nope", "/apis/no.such.group", "/apis/no.such.group/v1/things"])(
    "GET %s is a plain 404",
    async (path) => {
      expect(await call(on, "GET", path)).toMatchObject({ status: 404, body: "404 page not found\n" });
    },
  );

  test("a broken escape in the path is a refusal, not a crash", async () => {
    expect((await call(on, "GET", "/api/v1/namespaces/%E0%A4%A/pods")).status).toBe(400);
  });

  test("a method that makes no sense is 405", async () => {
    expect((await call(on, "POST", `${pods}/x`, { body: pod("x") })).status).toBe(405);
    expect((await call(on, "PUT", pods, { body: pod("x") })).status).toBe(405);
  });
});

/** Where the API listens; a URL without port means that of https. */
const address = (): { host: string; port: number } => {
  const { hostname, port } = new URL(on.url);
  return { host: hostname, port: Number(port || 443) };
};

describe("credentials", () => {
  const anonymous = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = "";
      const socket = connect({ ...address(), rejectUnauthorized: false }, () => {
        socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\nconnection: close\r\n\r\n`);
      });
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      socket.on("end", () => resolve(text));
      socket.on("error", reject);
    });

  test("without a known certificate or token everything is 401", async () => {
    const answer = await anonymous("/api/v1/namespaces/default/secrets");
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    expect(answer).toContain('"reason":"Unauthorized"');
  });
});

test("random bytes are answered and survived", async () => {
  await new Promise<void>((resolve) => {
    const socket = connect({ ...address(), rejectUnauthorized: false }, () => socket.end("\0\x01GET\r\n\r\n\r\n"));
    socket.on("close", () => resolve());
    socket.on("error", () => {});
    socket.resume();
  });
  expect((await call(on, "GET", maps)).status).toBe(200);
});

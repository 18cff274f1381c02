// SPDX-License-Identifier: Apache-2.0
import { chmod, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ApiError, ConnectionError } from "../src/api-error.ts";
import type { Api, KubeObject, WatchEvent } from "../src/api.ts";
import { connect, type ConnectOptions } from "../src/connect.ts";
import { RESOURCES } from "../src/resources.ts";
import { answer, startServer, type Handler, type LoopbackServer } from "./loopback-server.ts";

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Setup = Omit<ConnectOptions, "kubeconfig"> & { tls?: boolean; user?: object; cluster?: object };

async function serve(handle: Handler, setup: Setup = {}): Promise<{ server: LoopbackServer; api: Api }> {
  const { tls = false, user = {}, cluster, ...options } = setup;
  const server = await startServer(handle, { tls });
  cleanUps.push(() => server.close());
  return { server, api: open({ kubeconfig: await server.kubeconfig(user, cluster), ...options }) };
}

function open(options: ConnectOptions): Api {
  const api = connect(options);
  cleanUps.push(async () => api[Symbol.asyncDispose]());
  return api;
}

const ok: Handler = (_, response) => answer(response, 200, { metadata: { name: "a" } });
const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no error",
    (error) => error,
  );
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("requests", () => {
  test("address resources, namespaces, names and subresources", async () => {
    const { server, api } = await serve(ok);
    const pods = RESOURCES.pods;
    await api.get(pods, "web-0", { namespace: "default" });
    await api.get(pods, "web-0", { namespace: "default", subresource: "status" });
    await api.get(RESOURCES.namespaces, "default");
    await api.create(RESOURCES.leases, { metadata: { name: "l", namespace: "ns" } });
    await api.create(pods, { metadata: { name: "p" } }, { namespace: "ns", dryRun: true, fieldManager: "hot" });
    await api.update(RESOURCES.leases, { metadata: { name: "l", namespace: "ns" } });
    await api.delete(RESOURCES.customResourceDefinitions, "a.b.c", { preconditions: { uid: "1" } });
    await api.get({ group: "apps.kruise.io", version: "v1beta1", plural: "sidecarsets", namespaced: false }, "a b/c?d");
    expect(server.requests.map(({ method, path, query }) => `${method} ${path}?${query.toString()}`)).toEqual([
      "GET /api/v1/namespaces/default/pods/web-0?",
      "GET /api/v1/namespaces/default/pods/web-0/status?",
      "GET /api/v1/namespaces/default?",
      "POST /apis/coordination.k8s.io/v1/namespaces/ns/leases?",
      "POST /api/v1/namespaces/ns/pods?fieldManager=hot&dryRun=All",
      "PUT /apis/coordination.k8s.io/v1/namespaces/ns/leases/l?",
      "DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/a.b.c?",
      "GET /apis/apps.kruise.io/v1beta1/sidecarsets/a%20b%2Fc%3Fd?",
    ]);
    expect(server.requests[6]?.body).toEqual({ preconditions: { uid: "1" } });
  });

  test("refuse to be sent without a namespace, and names that would leave their place in the path", async () => {
    const { server, api } = await serve(ok);
    await expect(api.get(RESOURCES.pods, "web-0")).rejects.toThrow(/pods web-0: a namespace is needed/);
    await expect(api.get(RESOURCES.namespaces, "..")).rejects.toThrow(TypeError);
    await expect(api.get(RESOURCES.namespaces, "")).rejects.toThrow(TypeError);
    await expect((async () => api.create(RESOURCES.pods, { metadata: { name: "p" } }))()).rejects.toThrow(TypeError);
    expect(server.requests).toEqual([]);
  });

  test("send patches with their media type", async () => {
    const { server, api } = await serve(ok);
    const options = { namespace: "d", subresource: "status" };
    await api.patch(RESOURCES.pods, "p", { type: "merge", body: { a: 1 } }, { namespace: "d" });
    await api.patch(RESOURCES.pods, "p", { type: "json", body: [{ op: "test", path: "/a", value: 1 }] }, options);
    await api.patch(RESOURCES.pods, "p", { type: "strategic", body: { a: null } }, options);
    expect(server.requests.map(({ headers, body }) => [headers["content-type"], body])).toEqual([
      ["application/merge-patch+json", { a: 1 }],
      ["application/json-patch+json", [{ op: "test", path: "/a", value: 1 }]],
      ["application/strategic-merge-patch+json", { a: null }],
    ]);
    expect(server.requests[1]?.path).toBe("/api/v1/namespaces/d/pods/p/status");
  });

  test("keep fields that this client has never heard of, and the path of the server's address", async () => {
    const server = await startServer((_, response) => answer(response, 200, { metadata: {}, future: { x: [1] } }));
    cleanUps.push(() => server.close());
    const api = open({ kubeconfig: await server.kubeconfig({}, { server: `${server.url}/k8s/cluster-1/` }) });
    expect(await api.get(RESOURCES.pods, "a", { namespace: "d" })).toEqual({ metadata: {}, future: { x: [1] } });
    expect(server.requests[0]?.path).toBe("/k8s/cluster-1/api/v1/namespaces/d/pods/a");
  });

  test("use connections again", async () => {
    const { server, api } = await serve(ok, { tls: true });
    for (let i = 0; i < 20; i++) await api.get(RESOURCES.namespaces, "a");
    // A request may begin before the connection of the one before is free.
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  test("name the client, and tell about every answer", async () => {
    const answers: unknown[] = [];
    const { server, api } = await serve(
      (_, response, count) => answer(response, count === 0 ? 200 : 404, { kind: "Status" }),
      {
        userAgent: "hot-test/1.2",
        onAnswer: ({ verb, resource, code }) => answers.push([verb, resource.plural, code]),
      },
    );
    await api.get(RESOURCES.namespaces, "a");
    await failure(api.get(RESOURCES.namespaces, "b"));
    await server.close();
    cleanUps.splice(0, 1);
    await failure(api.get(RESOURCES.namespaces, "c"));
    expect(server.requests[0]?.headers["user-agent"]).toBe("hot-test/1.2");
    expect(answers).toEqual([
      ["get", "namespaces", 200],
      ["get", "namespaces", 404],
      ["get", "namespaces", "KUBE_UNREACHABLE"],
    ]);
  });

  test("lists hand over their items as they arrive, each with its kind, and answer with the rest", async () => {
    const items = ["a", "b", "c"].map((name) => ({ metadata: { name } }));
    const body = { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "7" }, items };
    const { api } = await serve((_, response) => answer(response, 200, body));
    const given: unknown[] = [];
    const list = await api.list(RESOURCES.pods, { onItem: (item) => given.push(item) });
    const own = { apiVersion: "v1", kind: "Pod" };
    expect(given).toEqual(items.slice(0, 2).map((one) => ({ ...own, ...one })));
    expect(list).toEqual({ ...body, items: [{ ...own, ...items[2] }] });
  });

  test("lists send selectors and paging, and give each item the kind that the list leaves out", async () => {
    const body = { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "7" }, items: [{ metadata: {} }] };
    const { server, api } = await serve((_, response) => answer(response, 200, body));
    const list = await api.list(RESOURCES.pods, {
      labelSelector: "a in (b,c)",
      limit: 5,
      continue: "t/=",
      fieldSelector: "x=y",
    });
    expect(list.items).toEqual([{ apiVersion: "v1", kind: "Pod", metadata: {} }]);
    expect(list.metadata.resourceVersion).toBe("7");
    const { path, query } = server.requests[0]!;
    expect(path).toBe("/api/v1/pods");
    expect(Object.fromEntries(query)).toEqual({
      labelSelector: "a in (b,c)",
      limit: "5",
      continue: "t/=",
      fieldSelector: "x=y",
    });
  });
});

describe("authentication", () => {
  const whoAmI: Handler = ({ headers, client }, response) => {
    answer(response, 200, { metadata: {}, seen: [headers.authorization ?? "", client] });
  };
  const seen = async (api: Api): Promise<unknown> => (await api.get<{ seen: unknown }>(RESOURCES.namespaces, "a")).seen;

  test("by client certificate over TLS", async () => {
    const server = await startServer(whoAmI, { tls: true });
    cleanUps.push(() => server.close());
    const { certPem, keyPem } = server.clientPair;
    const user = { "client-certificate-data": base64(certPem), "client-key-data": base64(keyPem) };
    expect(await seen(open({ kubeconfig: await server.kubeconfig(user) }))).toEqual(["", "admin of system:masters"]);
  });

  test("by token, by token file, by name and password", async () => {
    const { server, api } = await serve(whoAmI, { user: { token: "t0ken" } });
    expect(await seen(api)).toEqual(["Bearer t0ken", ""]);
    await writeFile(join(server.dir, "token"), "from-file\n");
    const byFile = open({ kubeconfig: await server.kubeconfig({ tokenFile: join(server.dir, "token") }) });
    expect(await seen(byFile)).toEqual(["Bearer from-file", ""]);
    const byName = open({ kubeconfig: await server.kubeconfig({ username: "me", password: "pw" }) });
    expect(await seen(byName)).toEqual([`Basic ${base64("me:pw")}`, ""]);
  });

  test("a token that the server refuses is read again for the next request", async () => {
    const { server, api } = await serve(
      ({ headers }, response) =>
        answer(response, headers.authorization === "Bearer new" ? 200 : 401, { kind: "Status", metadata: {} }),
      { user: { token: "old" } },
    );
    expect(await failure(api.get(RESOURCES.namespaces, "a"))).toMatchObject({ status: 401 });
    await server.kubeconfig({ token: "new" });
    // The first of these finds out, at the latest the second is let in.
    await failure(api.get(RESOURCES.namespaces, "a"));
    expect(await api.get(RESOURCES.namespaces, "a")).toMatchObject({ kind: "Status" });
  });

  test("by an exec plugin, which runs once for requests that come together", async () => {
    const server = await startServer(whoAmI);
    cleanUps.push(() => server.close());
    const plugin = join(server.dir, "plugin");
    const runs = join(server.dir, "runs");
    const credential = JSON.stringify({ kind: "ExecCredential", status: { token: "from-plugin" } });
    await writeFile(plugin, `#!/bin/sh\necho run >> '${runs}'\necho '${credential}'\n`);
    await chmod(plugin, 0o700);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugin, args: [], interactiveMode: "Never" };
    const api = open({ kubeconfig: await server.kubeconfig({ exec }) });
    const answers = await Promise.all([seen(api), seen(api), seen(api)]);
    expect(answers).toEqual(Array.from({ length: 3 }, () => ["Bearer from-plugin", ""]));
    expect(await readFile(runs, "utf8")).toBe("run\n");
  });

  test("a plugin that fails is a connection error with its words", async () => {
    const exec = { command: "/bin/sh", args: ["-c", "echo 'log in first' >&2; exit 1"] };
    const { server, api } = await serve(whoAmI, { user: { exec } });
    expect(await failure(api.get(RESOURCES.namespaces, "a"))).toMatchObject({
      name: "ConnectionError",
      message: expect.stringContaining("log in first") as string,
    });
    expect(server.requests).toEqual([]);
  });

  test("a server with another certificate is not trusted", async () => {
    const server = await startServer(ok, { tls: true });
    const other = await startServer(ok, { tls: true });
    cleanUps.push(
      () => server.close(),
      () => other.close(),
    );
    const cluster = { "certificate-authority-data": base64(other.authorityPem) };
    const error = await failure(
      open({ kubeconfig: await server.kubeconfig({}, cluster) }).get(RESOURCES.namespaces, "a"),
    );
    expect(error).toMatchObject({ name: "ConnectionError", code: "KUBE_UNREACHABLE" });
    expect(server.requests).toEqual([]);
  });
});

describe("refusals", () => {
  test("carry status, reason, the server's wish to wait, and say what to do", async () => {
    const { api } = await serve((_, response) =>
      answer(
        response,
        409,
        { kind: "Status", reason: "Conflict", message: "the object has been modified", code: 409 },
        { "retry-after": "3" },
      ),
    );
    const error = await failure(api.patch(RESOURCES.pods, "web-0", { type: "merge", body: {} }, { namespace: "d" }));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: "KUBE_REFUSED", status: 409, reason: "Conflict", retryAfterMs: 3000 });
    expect((error as Error).message).toBe(
      "patch pods d/web-0 was refused: 409 Conflict: the object has been modified. Read the object again and decide again; never send the same write again.",
    );
  });

  test.each([400, 401, 403, 404, 410, 418, 422, 429, 500, 503])("%i has a next step", async (status) => {
    const { api } = await serve((_, response) => answer(response, status, { kind: "Status", message: "why." }));
    const error = (await failure(api.get(RESOURCES.namespaces, "a"))) as ApiError;
    expect(error.status).toBe(status);
    expect(error.message).toMatch(new RegExp(`^get namespaces a was refused: ${status}: why\\. [A-Z].+\\.$`));
  });

  test.each([
    ['admission webhook "pods.hot.internal" denied the request: HOT2101 NameCollision', "as the webhook says"],
    [
      "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'calm' with binding 'calm' denied request: not on Fridays",
      "as the policy says",
    ],
  ])("a refusal at the admission is not explained as a missing Role: %s", async (message, fix) => {
    const { api } = await serve((_, response) => answer(response, 403, { kind: "Status", message, code: 403 }));
    const error = (await failure(api.get(RESOURCES.namespaces, "a"))) as ApiError;
    expect(error.message).toContain(message);
    expect(error.message).toContain(fix);
    expect(error.message).not.toContain("Role");
  });

  test("the wish to wait may be in the body, and a body may be no Status at all", async () => {
    const { api } = await serve((_, response, count) => {
      if (count === 0) return answer(response, 429, { kind: "Status", details: { retryAfterSeconds: 7 } });
      response.writeHead(502, { "content-type": "text/html" });
      response.end(`<html>${"bad gateway ".repeat(1000)}</html>`);
    });
    expect(await failure(api.get(RESOURCES.namespaces, "a"))).toMatchObject({ status: 429, retryAfterMs: 7000 });
    const error = (await failure(api.get(RESOURCES.namespaces, "a"))) as ApiError;
    expect(error).toMatchObject({ status: 502, reason: "" });
    expect(error.message).toContain("bad gateway");
    expect(error.message.length).toBeLessThan(700);
  });
});

test.each(["soon", -1, {}])("a wish to wait of %j is none", async (retryAfterSeconds) => {
  const body = { kind: "Status", message: "no", details: { retryAfterSeconds } };
  const { api } = await serve((_, response) => answer(response, 429, body, { "retry-after": "Wed, 1 Jan 2031" }));
  expect(((await failure(api.get(RESOURCES.namespaces, "a"))) as ApiError).retryAfterMs).toBeUndefined();
});

test("a refusal with an empty body says that there is no message", async () => {
  const { api } = await serve((_, response) => void response.writeHead(503).end());
  const error = (await failure(api.get(RESOURCES.namespaces, "a"))) as ApiError;
  expect(error.message).toMatch(/^get namespaces a was refused: 503: the server gave no message\. Try again/);
});

describe("no usable answer", () => {
  test.each<[string, Handler, string]>([
    ["a reset before the answer", (_, response) => response.destroy(), "KUBE_CUT"],
    [
      "a reset in mid-answer",
      (_, response) => {
        response.writeHead(200, { "content-length": 1000 });
        response.write('{"kind":', () => response.destroy());
      },
      "KUBE_CUT",
    ],
    ["text that is no JSON", (_, response) => response.end("<html>"), "KUBE_MALFORMED"],
    ["JSON that is no object", (_, response) => response.end("null"), "KUBE_MALFORMED"],
    ["an answer that is too long", (_, response) => response.end(`{"a":"${"x".repeat(5000)}"}`), "KUBE_TOO_LARGE"],
  ])("%s", async (_, handle, code) => {
    const { api, server } = await serve(handle, { maxAnswerBytes: 1000 });
    const error = await failure(api.patch(RESOURCES.namespaces, "a", { type: "merge", body: {} }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(/^patch namespaces a got no usable answer from http:.+: .+\. [A-Z].+\.$/);
    expect(server.requests, "a write is never sent twice").toHaveLength(1);
  });

  test("nobody listens", async () => {
    const { server, api } = await serve(ok);
    await server.close();
    cleanUps.splice(0, 1);
    const error = (await failure(api.get(RESOURCES.namespaces, "a"))) as ConnectionError;
    expect(error).toMatchObject({ name: "ConnectionError", code: "KUBE_UNREACHABLE" });
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(error.cause).toBeDefined();
  });

  test("someone listens who speaks no HTTP", async () => {
    const server = createServer((socket) => {
      socket.on("data", () => socket.destroy());
      socket.write("SSH-2.0-OpenSSH_9.0\r\n");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.on("listening", resolve));
    cleanUps.push(() => new Promise((resolve) => server.close(() => resolve())));
    const helper = await startServer(ok);
    cleanUps.push(() => helper.close());
    const { port } = server.address() as { port: number };
    const api = open({ kubeconfig: await helper.kubeconfig({}, { server: `http://127.0.0.1:${port}` }) });
    expect(await failure(api.get(RESOURCES.namespaces, "a"))).toMatchObject({ code: "KUBE_MALFORMED" });
  });

  test("an aborted call rejects with the signal's reason, before and during the answer", async () => {
    const abort = new AbortController();
    const reason = new Error("no longer needed");
    const { api } = await serve(() => abort.abort(reason));
    expect(await failure(api.get(RESOURCES.namespaces, "a", { signal: abort.signal }))).toBe(reason);
    expect(await failure(api.list(RESOURCES.pods, { signal: abort.signal }))).toBe(reason);
  });

  test("closing ends watches", async () => {
    const server = await startServer((_, response) => response.writeHead(200).flushHeaders());
    cleanUps.push(() => server.close());
    const api = connect({ kubeconfig: await server.kubeconfig({}) });
    const events = collect(api);
    await expect.poll(() => server.requests.length, { timeout: 5000 }).toBe(1);
    await api[Symbol.asyncDispose]();
    expect(await events).toMatchObject({ error: { code: "KUBE_CUT" } });
  });
});

async function collect(api: Api): Promise<{ events: WatchEvent<KubeObject>[]; error?: unknown }> {
  const events: WatchEvent<KubeObject>[] = [];
  try {
    for await (const event of api.watch(RESOURCES.pods, { resourceVersion: "5", timeoutSeconds: 60, namespace: "d" })) {
      events.push(event);
    }
    return { events };
  } catch (error) {
    return { events, error };
  }
}

describe("watch", () => {
  const line = (name: string): string =>
    `${JSON.stringify({ type: "ADDED", object: { metadata: { name, resourceVersion: "6" } } })}\n`;
  const names = (events: WatchEvent<KubeObject>[]): unknown[] =>
    events.map(({ object }) => (object as KubeObject).metadata.name);

  test("asks for bookmarks, and gives one event for each line, however the lines are cut into packets", async () => {
    const text = [line("a"), line("ü"), "\n", line("c")].join("");
    const { server, api } = await serve((_, response) => {
      const bytes = Buffer.from(text);
      const send = (at: number): void => {
        if (at >= bytes.length) return void response.end();
        response.write(bytes.subarray(at, at + 7), () => setImmediate(send, at + 7));
      };
      send(0);
    });
    const { events, error } = await collect(api);
    expect(error).toBeUndefined();
    expect(names(events)).toEqual(["a", "ü", "c"]);
    expect(Object.fromEntries(server.requests[0]!.query)).toEqual({
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: "5",
      timeoutSeconds: "60",
    });
  });

  test.each<[string, Handler, string | undefined]>([
    [
      "reset in mid-line",
      (_, response) => response.write(line("a") + line("b").slice(0, 20), () => response.destroy()),
      "KUBE_CUT",
    ],
    ["half a line, then a clean end", (_, response) => response.end(line("a") + line("b").slice(0, 20)), undefined],
    ["a line that is no JSON", (_, response) => void response.write(`${line("a")}{"type":"ADD\n`), "KUBE_MALFORMED"],
    ["a line that is no event", (_, response) => void response.write(`${line("a")}{"type":"X"}\n`), "KUBE_MALFORMED"],
    [
      "an event of nothing",
      (_, res) => void res.write(`${line("a")}{"type":"ADDED","object":null}\n`),
      "KUBE_MALFORMED",
    ],
    ["no metadata", (_, res) => void res.write(`${line("a")}{"type":"ADDED","object":{}}\n`), "KUBE_MALFORMED"],
    ["a huge line", (_, response) => void response.write(line("a") + "x".repeat(3000)), "KUBE_TOO_LARGE"],
    ["a huge whole line", (_, response) => void response.write(line("a") + line("x".repeat(3000))), "KUBE_TOO_LARGE"],
  ])("%s: the events before it count", async (_, handle, code) => {
    const { api } = await serve(handle, { maxEventBytes: 1000 });
    const { events, error } = await collect(api);
    expect(names(events)).toEqual(["a"]);
    if (code === undefined) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ name: "ConnectionError", code });
  });

  test("is refused like any other request", async () => {
    const { api } = await serve((_, response) => answer(response, 410, { kind: "Status", reason: "Expired" }));
    expect((await collect(api)).error).toMatchObject({ name: "ApiError", status: 410, reason: "Expired" });
  });

  test("leaving the loop closes the request", async () => {
    const closed = Promise.withResolvers<void>();
    const { api } = await serve((_, response) => {
      response.on("close", closed.resolve);
      response.write(line("a"));
    });
    for await (const event of api.watch(RESOURCES.pods, { resourceVersion: "1" })) {
      expect(event.type).toBe("ADDED");
      break;
    }
    await closed.promise;
  });

  test("each watch has a connection of its own", async () => {
    const { server, api } = await serve((_, response) => void response.write(line("a")));
    const first = api.watch(RESOURCES.pods, { resourceVersion: "1" })[Symbol.asyncIterator]();
    const second = api.watch(RESOURCES.pods, { resourceVersion: "1" })[Symbol.asyncIterator]();
    await Promise.all([first.next(), second.next()]);
    expect(server.connections).toBe(2);
    await Promise.all([first.return?.(), second.return?.()]);
  });
});

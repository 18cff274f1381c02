// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import type { ApiError } from "../src/api-error.ts";
import { connect } from "../src/connect.ts";
import { createReflector, type Reflector, type ReflectorOptions } from "../src/reflector.ts";
import { RESOURCES } from "../src/resources.ts";
import { answer, startServer, type LoopbackServer, type Seen } from "./loopback-server.ts";
import { listOf, pod, type Pod } from "./scripted-api.ts";

// The reflector with the real client against a real server on loopback that misbehaves.

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Step = (response: ServerResponse, request: Seen) => void;
const added = (name: string, version: number): string =>
  `${JSON.stringify({ type: "ADDED", object: pod(name, version) })}\n`;
const bookmark = (version: number): string =>
  `${JSON.stringify({ type: "BOOKMARK", object: { metadata: { resourceVersion: `${version}` } } })}\n`;
const list =
  (...items: Pod[]): Step =>
  (response) =>
    answer(response, 200, { kind: "PodList", apiVersion: "v1", ...listOf(10, ...items) });
const status =
  (code: number, headers = {}): Step =>
  (response) =>
    answer(response, code, { kind: "Status", code }, headers);
const hold: Step = (response) => response.flushHeaders();

interface Running {
  server: LoopbackServer;
  reflector: Reflector<Pod>;
  causes: string[];
  held: () => string[];
}

/** Runs a reflector; lists and watches are answered by their own scripts, the last step again and again. */
async function run(
  lists: Step[],
  watches: Step[],
  options: Partial<ReflectorOptions<Pod, Pod>> = {},
): Promise<Running> {
  let listCount = 0;
  let watchCount = 0;
  const server = await startServer(
    (request, response) => {
      const isWatch = request.query.get("watch") === "true";
      const steps = isWatch ? watches : lists;
      const count = isWatch ? watchCount++ : listCount++;
      (steps[Math.min(count, steps.length - 1)] ?? hold)(response, request);
    },
    { tls: true },
  );
  const { certPem, keyPem } = server.clientPair;
  const user = {
    "client-certificate-data": Buffer.from(certPem).toString("base64"),
    "client-key-data": Buffer.from(keyPem).toString("base64"),
  };
  const api = connect({ kubeconfig: await server.kubeconfig(user), maxEventBytes: 100_000 });
  const causes: string[] = [];
  const reflector = createReflector<Pod>({
    api,
    resource: RESOURCES.pods,
    random: () => 1,
    onError: (_, cause) => causes.push(cause),
    ...options,
  });
  const abort = new AbortController();
  const done = reflector.run(abort.signal);
  cleanUps.push(async () => {
    abort.abort();
    await done;
    await api[Symbol.asyncDispose]();
    await server.close();
  });
  const held = (): string[] =>
    reflector.store.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  return { server, reflector, causes, held };
}

const watchesOf = ({ server }: Running): (string | null)[] =>
  server.requests.filter(({ query }) => query.has("watch")).map(({ query }) => query.get("resourceVersion"));

describe("against a server that misbehaves, the store comes to the truth by itself", () => {
  test("paging with a page that expires", async () => {
    const page =
      (name: string, next?: string): Step =>
      (response) =>
        answer(response, 200, {
          metadata: { resourceVersion: "10", ...(next === undefined ? {} : { continue: next }) },
          items: [pod(name, 1)],
        });
    const running = await run([page("old", "p2"), status(410), page("a", "p2"), page("b")], [hold]);
    await expect.poll(running.held, { timeout: 5000 }).toEqual(["a@1", "b@1"]);
    expect(running.server.requests.slice(0, 4).map(({ query }) => query.get("continue"))).toEqual([
      null,
      "p2",
      null,
      "p2",
    ]);
    expect(running.causes).toEqual([]);
  });

  test("a list that fails with 500, a reset and half an answer", async () => {
    const running = await run(
      [
        status(500),
        (response) => response.destroy(),
        (response) => void response.write('{"metadata":', () => response.destroy()),
        list(pod("a", 1)),
      ],
      [hold],
    );
    await expect.poll(running.held, { timeout: 5000 }).toEqual(["a@1"]);
    expect(running.causes).toEqual(["list", "list", "list"]);
  });

  test.each<[string, Step, string, string[]]>([
    ["410 for the watch", status(410), "gone", ["10", "10"]],
    [
      "410 in the stream",
      (response) => void response.write('{"type":"ERROR","object":{"kind":"Status","code":410}}\n'),
      "gone",
      ["10", "10"],
    ],
    [
      "a reset in mid-line",
      (response) => void response.write(added("x", 11) + added("y", 12).slice(0, 30), () => response.destroy()),
      "cut",
      ["10", "11"],
    ],
    ["a line that is no JSON", (response) => void response.write("{]\n"), "malformed", ["10", "10"]],
    ["a huge line", (response) => void response.write("x".repeat(200_000)), "malformed", ["10", "10"]],
    ["500", status(500), "refused", ["10", "10"]],
  ])("%s", async (_, broken, cause, versions) => {
    const running = await run(
      [list(pod("a", 1)), list(pod("a", 1), pod("x", 11))],
      [broken, (response) => void response.write(added("x", 11) + added("z", 15))],
    );
    await expect.poll(running.held, { timeout: 5000 }).toEqual(["a@1", "x@11", "z@15"]);
    expect(running.causes).toEqual([cause]);
    expect(watchesOf(running)).toEqual(versions);
  });

  test("half a line, then a clean end: the watch goes on after the last whole event", async () => {
    const running = await run(
      [list()],
      [
        (response) => void response.end(added("x", 11) + added("y", 12).slice(0, 30)),
        (response) => void response.write(added("y", 12)),
      ],
    );
    await expect.poll(running.held, { timeout: 5000 }).toEqual(["x@11", "y@12"]);
    expect(watchesOf(running)).toEqual(["10", "11"]);
    expect(running.reflector.health().restarts.ended).toBe(1);
  });

  test("429 with Retry-After: the server's wish to wait reaches the reflector, which then goes on", async () => {
    const wishes: unknown[] = [];
    const running = await run(
      [list()],
      [status(429, { "retry-after": "1" }), (response) => void response.write(added("x", 11))],
      { onError: (error, cause) => wishes.push([cause, (error as ApiError).retryAfterMs]) },
    );
    await expect.poll(running.held, { timeout: 5000 }).toEqual(["x@11"]);
    expect(wishes).toEqual([["throttled", 1000]]);
  });

  test("silence: a stream that says nothing is given up, its connection is closed", async () => {
    const closed = Promise.withResolvers<void>();
    const running = await run(
      [list()],
      [
        (response) => {
          response.on("close", closed.resolve);
          response.write(bookmark(20));
        },
        (response) => void response.write(added("x", 21)),
      ],
      { silenceMs: 1000 },
    );
    await expect.poll(running.held, { timeout: 5000 }).toEqual(["x@21"]);
    await closed.promise;
    expect(running.causes[0]).toBe("silent");
    expect(watchesOf(running).slice(0, 2)).toEqual(["10", "20"]);
  });

  test("a server that is away for a while", async () => {
    const running = await run([list(pod("a", 1))], [(response) => response.destroy(), hold]);
    await expect.poll(() => watchesOf(running).length, { timeout: 5000 }).toBe(2);
    expect(running.held()).toEqual(["a@1"]);
    expect(running.reflector.health().restarts).toMatchObject({ cut: 1, list: 0 });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from "vitest";
import { ApiError, ConnectionError } from "../src/api-error.ts";
import type { ApiStatus } from "../src/api.ts";
import { createReflector, type Reflector, type ReflectorOptions } from "../src/reflector.ts";
import { RESOURCES } from "../src/resources.ts";
import { createFakeClock, type FakeClock } from "../src/testing/fake-clock.ts";
import { bookmark, listOf, pod, ScriptedApi, type Pod } from "./scripted-api.ts";

const refused = (status: number, body: ApiStatus = {}, retryAfterMs?: number): ApiError =>
  new ApiError("watch pods", status, body, retryAfterMs);
const cut = (): ConnectionError => new ConnectionError("watch pods", "server", "KUBE_CUT", "reset");

interface Harness {
  api: ScriptedApi;
  clock: FakeClock;
  reflector: Reflector<Pod>;
  changes: string[];
  errors: string[];
  /** What the store holds: `name@image`. */
  held: () => string[];
  /** Lets promises settle without moving time. */
  settle: () => Promise<void>;
}

const running: { abort: AbortController; done: Promise<void> }[] = [];
afterEach(async () => {
  for (const { abort, done } of running.splice(0)) {
    abort.abort();
    await done;
  }
});

/** A reflector that runs against a script; without jitter. */
function start(options: Partial<ReflectorOptions<Pod, Pod>> = {}): Harness {
  const api = new ScriptedApi();
  const clock = createFakeClock();
  const errors: string[] = [];
  const changes: string[] = [];
  const reflector = createReflector<Pod>({
    api,
    resource: RESOURCES.pods,
    clock,
    random: () => 0,
    onError: (_, cause) => errors.push(cause),
    ...options,
  });
  reflector.subscribe(({ type, key, object, previous }) =>
    changes.push(`${type} ${key} ${previous?.spec?.image ?? "-"} → ${object.spec?.image ?? "-"}`),
  );
  const abort = new AbortController();
  running.push({ abort, done: reflector.run(abort.signal) });
  const held = (): string[] =>
    reflector.store
      .list()
      .map(({ metadata, spec }) => `${metadata.name}@${spec?.image}`)
      .sort();
  return { api, clock, reflector, changes, errors, held, settle: () => clock.advance(0) };
}

/** A reflector that has listed `items` and watches. */
async function synced(items: Pod[], options: Partial<ReflectorOptions<Pod, Pod>> = {}): Promise<Harness> {
  const harness = start(options);
  await harness.settle();
  harness.api.lastList.answer(listOf(10, ...items));
  await harness.settle();
  harness.changes.length = 0;
  return harness;
}

describe("list", () => {
  test("a long one is told of while other work has its turns, to the end whatever is aborted, and counts as synced then", async () => {
    const api = new ScriptedApi();
    let now = 0;
    const reflector = createReflector<Pod>({
      api,
      resource: RESOURCES.pods,
      clock: { ...createFakeClock(), now: () => now },
    });
    const told: string[] = [];
    const begun = Promise.withResolvers<void>();
    reflector.subscribe(({ key }) => {
      told.push(key);
      now += 0.1;
      begun.resolve();
    });
    const abort = new AbortController();
    const done = reflector.run(abort.signal);
    const items = Array.from({ length: 2_000 }, (_, at) => pod(`p${at}`, 1));
    api.lastList.answer(listOf(10, ...items));
    await begun.promise;

    expect(told.length).toBeLessThan(items.length);
    expect(reflector.store.size).toBe(items.length);
    expect(reflector.synced()).toBe(false);

    abort.abort();
    await done;
    expect(told).toEqual(items.map(({ metadata }) => `d/${metadata.name}`));
    expect(reflector.synced()).toBe(true);
  });

  test("fills the store, then the watch begins at the list's version with the same selection", async () => {
    const { api, reflector, changes, held, settle } = start({
      namespace: "d",
      labelSelector: "app=web",
      fieldSelector: "spec.nodeName=n1",
    });
    await settle();
    expect(reflector.synced()).toBe(false);
    const selection = { namespace: "d", labelSelector: "app=web", fieldSelector: "spec.nodeName=n1" };
    expect(api.lastList.options).toMatchObject({ ...selection, limit: 500 });
    api.lastList.answer(listOf(10, pod("a", 3), pod("b", 7)));
    await settle();
    expect(reflector.synced()).toBe(true);
    expect(held()).toEqual(["a@v3", "b@v7"]);
    expect(reflector.store.size).toBe(2);
    expect(reflector.store.get("d/a")?.spec?.image).toBe("v3");
    expect(changes).toEqual(["added d/a - → v3", "added d/b - → v7"]);
    expect(api.lastWatch.options).toMatchObject({ ...selection, resourceVersion: "10" });
  });

  test("reads all pages, and the store changes only when the list is complete", async () => {
    const { api, held, changes, settle } = start();
    await settle();
    api.lastList.answer({ ...listOf(10, pod("a", 1)), metadata: { resourceVersion: "10", continue: "page-2" } });
    await settle();
    expect(api.lastList.options).toMatchObject({ continue: "page-2", limit: 500 });
    expect(changes).toEqual([]);
    api.lastList.answer(listOf(10, pod("b", 2)));
    await settle();
    expect(held()).toEqual(["a@v1", "b@v2"]);
  });

  test("a page that has expired restarts the list; what the old pages held does not count", async () => {
    const { api, held, settle } = start();
    await settle();
    api.lastList.answer({ ...listOf(10, pod("gone", 1)), metadata: { resourceVersion: "10", continue: "page-2" } });
    await settle();
    api.lastList.fail(refused(410));
    await settle();
    expect(api.lastList.options.continue).toBeUndefined();
    api.lastList.answer(listOf(20, pod("b", 12)));
    await settle();
    expect(held()).toEqual(["b@v12"]);
    expect(api.lastWatch.options.resourceVersion).toBe("20");
  });

  test("pages that expire again and again end in back-off, not in a busy loop", async () => {
    const { api, clock, errors, settle } = start();
    await settle();
    for (let attempt = 0; attempt < 4; attempt++) {
      api.lastList.fail(refused(410));
      await settle();
    }
    expect(errors).toEqual(["list"]);
    expect(api.lists).toHaveLength(4);
    await clock.advance(200);
    expect(api.lists).toHaveLength(5);
  });

  test("a list that fails is tried for ever, ever more slowly but at least every 8 s", async () => {
    const { api, clock, reflector, held, settle } = start();
    const gaps: number[] = [];
    for (let attempt = 0; attempt < 30; attempt++) {
      await settle();
      const before = clock.now();
      const count = api.lists.length;
      api.lastList.fail(attempt % 2 === 0 ? cut() : refused(500));
      while (api.lists.length === count) await clock.advance(100);
      gaps.push(clock.now() - before);
    }
    expect(gaps.slice(0, 7)).toEqual([200, 400, 800, 1600, 3200, 6400, 8000]);
    expect(Math.max(...gaps)).toBe(8000);
    expect(reflector.health().restarts.list).toBe(30);
    api.lastList.answer(listOf(5, pod("a", 1)));
    await settle();
    expect(held()).toEqual(["a@v1"]);
  });

  test("waits as long as the server asks to", async () => {
    const { api, clock, settle } = start();
    await settle();
    api.lastList.fail(refused(429, {}, 5000));
    await clock.advance(4999);
    expect(api.lists).toHaveLength(1);
    await clock.advance(1);
    expect(api.lists).toHaveLength(2);
  });
});

describe("watch", () => {
  test("applies events in order and tells subscribers", async () => {
    const { api, changes, held, settle } = await synced([pod("a", 3), pod("b", 4)]);
    api.lastWatch.send(
      { type: "MODIFIED", object: pod("a", 11) },
      { type: "ADDED", object: pod("c", 12) },
      { type: "DELETED", object: pod("b", 13) },
    );
    await settle();
    expect(held()).toEqual(["a@v11", "c@v12"]);
    expect(changes).toEqual(["modified d/a v3 → v11", "added d/c - → v12", "deleted d/b v4 → v4"]);
  });

  test("ended by the server: goes on from the last event or bookmark, without a list", async () => {
    const { api, reflector, clock, settle } = await synced([]);
    api.lastWatch.send({ type: "ADDED", object: pod("a", 11) });
    await settle();
    api.lastWatch.end();
    await settle();
    expect(api.lastWatch.options.resourceVersion).toBe("11");
    api.lastWatch.send(bookmark(40));
    await clock.advance(5);
    api.lastWatch.end();
    await settle();
    expect(api.lastWatch.options.resourceVersion).toBe("40");
    expect(api.lists).toHaveLength(1);
    expect(reflector.health().restarts).toMatchObject({ ended: 2, cut: 0, list: 0 });
  });

  test("ended at once by the server, again and again: backs off", async () => {
    const { api, clock, settle } = await synced([]);
    api.lastWatch.end();
    await settle();
    expect(api.watches).toHaveLength(1);
    await clock.advance(200);
    api.lastWatch.end();
    await clock.advance(399);
    expect(api.watches).toHaveLength(2);
    await clock.advance(1);
    expect(api.watches).toHaveLength(3);
  });

  test("asks the server for an end in four to eight minutes, different each time", async () => {
    const draws = [0, 0.5, 0.999];
    const { api, clock } = await synced([], { random: () => draws.shift() ?? 0 });
    await clock.advance(60_000);
    api.lastWatch.end();
    await clock.advance(0);
    expect(api.watches.map(({ options }) => options.timeoutSeconds)).toEqual([240, 360]);
  });

  test("410 when it begins: lists again", async () => {
    const { api, clock, reflector, held, changes, settle } = await synced([pod("a", 3), pod("b", 4), pod("c", 5)]);
    api.lastWatch.fail(refused(410));
    await clock.advance(200);
    expect(api.lists).toHaveLength(2);
    api.lastList.answer(listOf(50, pod("a", 3), pod("b", 44), pod("d", 45)));
    await settle();
    expect(held()).toEqual(["a@v3", "b@v44", "d@v45"]);
    expect(changes).toEqual(["deleted d/c v5 → v5", "modified d/b v4 → v44", "added d/d - → v45"]);
    expect(reflector.health().restarts.gone).toBe(1);
    expect(api.lastWatch.options.resourceVersion).toBe("50");
  });

  test.each([
    [{ code: 410, reason: "Expired" }, "gone"],
    [{ code: 500, reason: "InternalError" }, "refused"],
  ] as const)("an ERROR event %j: lists again", async (status, cause) => {
    const { api, clock, errors } = await synced([]);
    api.lastWatch.send({ type: "ERROR", object: { kind: "Status", ...status } });
    await clock.advance(200);
    expect(errors).toEqual([cause]);
    expect(api.lists).toHaveLength(2);
  });

  test.each([
    ["a reset connection", cut(), "cut", 1],
    ["429", refused(429), "throttled", 1],
    ["503", refused(503), "refused", 1],
    ["403", refused(403), "refused", 1],
    ["an error that nobody expected", new TypeError("surprise"), "cut", 1],
    ["a version that the server does not accept", refused(400), "refused", 2],
    [
      "a version from the future, after a restore from a backup",
      refused(504, { details: { causes: [{ reason: "ResourceVersionTooLarge" }] } }),
      "refused",
      2,
    ],
    [
      "an event that can't be read",
      new ConnectionError("watch pods", "s", "KUBE_MALFORMED", "no JSON"),
      "malformed",
      2,
    ],
    ["an event that is too large", new ConnectionError("watch pods", "s", "KUBE_TOO_LARGE", "17 MiB"), "malformed", 2],
  ] as const)("%s: goes on by itself", async (_, error, cause, lists) => {
    const { api, clock, errors, reflector } = await synced([pod("a", 3)]);
    api.lastWatch.fail(error);
    await clock.advance(200);
    expect(errors).toEqual([cause]);
    expect(reflector.health().restarts[cause]).toBe(1);
    expect(api.lists).toHaveLength(lists);
    if (lists === 1) expect(api.lastWatch.options.resourceVersion).toBe("10");
    expect(api.watches).toHaveLength(lists === 1 ? 2 : 1);
  });

  test("a silent stream is given up and begun anew from where it was; a bookmark breaks the silence", async () => {
    const { api, clock, errors, held } = await synced([], { silenceMs: 90_000 });
    await clock.advance(89_000);
    api.lastWatch.send(bookmark(30));
    await clock.advance(89_999);
    expect(api.watches).toHaveLength(1);
    await clock.advance(1 + 200);
    expect(errors).toEqual(["silent"]);
    expect(api.watches).toHaveLength(2);
    expect(api.lastWatch.options.resourceVersion).toBe("30");
    // What the dead stream still says counts no more, and the new one works.
    api.watches[0]?.send({ type: "ADDED", object: pod("ghost", 31) });
    api.watches[1]?.send({ type: "ADDED", object: pod("a", 32) });
    await clock.advance(0);
    expect(held()).toEqual(["a@v32"]);
  });

  test("a stream that is silent from the start is given up too", async () => {
    const { api, clock, errors } = await synced([], { silenceMs: 60_000 });
    await clock.advance(60_000 + 200);
    expect(errors).toEqual(["silent"]);
    expect(api.watches).toHaveLength(2);
  });

  test("back-off starts over once the server has been heard again", async () => {
    const { api, clock } = await synced([]);
    for (const wait of [200, 400, 800]) {
      api.lastWatch.fail(cut());
      await clock.advance(wait);
    }
    expect(api.watches).toHaveLength(4);
    api.lastWatch.send(bookmark(11));
    await clock.advance(0);
    api.lastWatch.fail(cut());
    await clock.advance(200);
    expect(api.watches).toHaveLength(5);
  });
});

describe("no object goes back", () => {
  test("events that come twice or late are ignored", async () => {
    const { api, changes, held, settle } = await synced([pod("a", 3)]);
    api.lastWatch.send(
      { type: "MODIFIED", object: pod("a", 15) },
      { type: "MODIFIED", object: pod("a", 12) },
      { type: "MODIFIED", object: pod("a", 15) },
      { type: "DELETED", object: pod("a", 14) },
    );
    await settle();
    expect(held()).toEqual(["a@v15"]);
    expect(changes).toEqual(["modified d/a v3 → v15"]);
  });

  test("versions are numbers, not texts", async () => {
    const { api, held, settle } = await synced([pod("a", 9)]);
    api.lastWatch.send({ type: "MODIFIED", object: pod("a", 100) }, { type: "MODIFIED", object: pod("a", 99) });
    await settle();
    expect(held()).toEqual(["a@v100"]);
  });

  test("a late event does not bring a deleted object back", async () => {
    const { api, changes, held, settle } = await synced([pod("a", 3)]);
    api.lastWatch.send(
      { type: "DELETED", object: pod("a", 20) },
      { type: "MODIFIED", object: pod("a", 18) },
      { type: "DELETED", object: pod("a", 20) },
      { type: "ADDED", object: pod("a", 2) },
    );
    await settle();
    expect(held()).toEqual([]);
    expect(changes).toEqual(["deleted d/a v3 → v3"]);
    api.lastWatch.send({ type: "ADDED", object: pod("a", 21, { uid: "second" }) });
    await settle();
    expect(held()).toEqual(["a@v21"]);
  });

  test("an object created again under its name is another one, also when its deletion was not seen", async () => {
    const { api, changes, settle } = await synced([pod("a", 3)]);
    api.lastWatch.send({ type: "ADDED", object: pod("a", 30, { uid: "second" }) });
    await settle();
    expect(changes).toEqual(["deleted d/a v3 → v3", "added d/a - → v30"]);
  });

  test("the next watch never begins before an event that was seen", async () => {
    const { api, clock } = await synced([]);
    api.lastWatch.send({ type: "ADDED", object: pod("a", 30) }, { type: "ADDED", object: pod("b", 25) }, bookmark(27));
    await clock.advance(0);
    api.lastWatch.fail(cut());
    await clock.advance(200);
    expect(api.lastWatch.options.resourceVersion).toBe("30");
  });

  test("a complete list is the truth, also where it is older (a restore from a backup)", async () => {
    const { api, clock, held, settle } = await synced([pod("a", 9), pod("b", 9)]);
    api.lastWatch.send({ type: "DELETED", object: pod("b", 20) });
    await settle();
    api.lastWatch.fail(refused(410));
    await clock.advance(200);
    api.lastList.answer(listOf(6, pod("a", 5)));
    await settle();
    expect(held()).toEqual(["a@v5"]);
    expect(api.lastWatch.options.resourceVersion).toBe("6");
    api.lastWatch.send({ type: "MODIFIED", object: pod("a", 7) }, { type: "ADDED", object: pod("b", 8) });
    await settle();
    expect(held()).toEqual(["a@v7", "b@v8"]);
  });
});

describe("around the loop", () => {
  test("keeps the projection only", async () => {
    const api = new ScriptedApi();
    const clock = createFakeClock();
    const reflector = createReflector<Pod, string>({
      api,
      resource: RESOURCES.pods,
      clock,
      project: ({ spec }) => spec?.image ?? "",
    });
    const abort = new AbortController();
    running.push({ abort, done: reflector.run(abort.signal) });
    await clock.advance(0);
    api.lastList.answer(listOf(10, pod("a", 3)));
    await clock.advance(0);
    expect(reflector.store.list()).toEqual(["v3"]);
  });

  test("a projection that throws keeps what was known of that object, and all others go on", async () => {
    const project = (object: Pod): Pod => {
      if (object.spec?.image === "bad") throw new TypeError("unexpected");
      return object;
    };
    const { api, held, errors, settle } = await synced([pod("a", 3), pod("x", 4, { image: "bad" })], { project });
    api.lastWatch.send(
      { type: "MODIFIED", object: pod("a", 11, { image: "bad" }) },
      { type: "ADDED", object: pod("b", 12) },
    );
    await settle();
    expect(held()).toEqual(["a@v3", "b@v12"]);
    expect(errors).toEqual(["project", "project"]);
  });

  test("a subscriber or a log that throws stops nothing", async () => {
    const { api, reflector, changes, settle } = await synced([], {
      onError: () => {
        throw new Error("the log is full");
      },
    });
    reflector.subscribe(() => {
      throw new Error("bad subscriber");
    });
    const heard: string[] = [];
    const subscription = reflector.subscribe(({ key }) => heard.push(key));
    api.lastWatch.send({ type: "ADDED", object: pod("a", 11) });
    await settle();
    subscription[Symbol.dispose]();
    api.lastWatch.send({ type: "ADDED", object: pod("b", 12) });
    await settle();
    expect(heard).toEqual(["d/a"]);
    expect(changes).toHaveLength(2);
  });

  test("subscribers see a store that already holds the whole list", async () => {
    const { api, reflector, settle } = start();
    const sizes: number[] = [];
    reflector.subscribe(() => sizes.push(reflector.store.size));
    await settle();
    api.lastList.answer(listOf(10, pod("a", 1), pod("b", 2)));
    await settle();
    expect(sizes).toEqual([2, 2]);
  });

  test("waitForSync resolves with the first complete list, and rejects with the signal's reason", async () => {
    const { api, reflector, settle } = start();
    const abort = new AbortController();
    const impatient = reflector.waitForSync(abort.signal);
    const patient = reflector.waitForSync(new AbortController().signal);
    abort.abort(new Error("enough"));
    await expect(impatient).rejects.toThrow("enough");
    await settle();
    api.lastList.answer(listOf(1));
    await patient;
    await reflector.waitForSync(new AbortController().signal);
    await expect(reflector.waitForSync(AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
  });

  test.each(["while listing", "while watching", "while backing off"])("ends when it is aborted %s", async (when) => {
    const { api, clock, settle } = when === "while listing" ? start() : await synced([]);
    await settle();
    if (when === "while backing off") api.lastWatch.fail(cut());
    await settle();
    const { abort, done } = running.pop()!;
    abort.abort();
    if (when === "while listing") api.lastList.fail(new Error("aborted")); // a list that obeys its signal
    await done;
    expect(clock.pending).toBe(0);
  });

  test("says when the server was last heard", async () => {
    const { api, clock, reflector } = await synced([]);
    const listedAt = clock.now();
    expect(reflector.health().lastEventAt).toBe(listedAt);
    await clock.advance(1000);
    api.lastWatch.send(bookmark(11));
    await clock.advance(500);
    expect(reflector.health().lastEventAt).toBe(listedAt + 1000);
  });

  test("does not run twice at a time, but again after the first run", async () => {
    const { api, reflector, settle } = await synced([pod("a", 3)]);
    await expect(reflector.run(new AbortController().signal)).rejects.toThrow(/runs already/);
    const { abort, done } = running.pop()!;
    abort.abort();
    await done;
    const second = new AbortController();
    running.push({ abort: second, done: reflector.run(second.signal) });
    await settle();
    expect(api.lastWatch.options.resourceVersion).toBe("10");
  });
});

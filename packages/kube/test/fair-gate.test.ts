// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from "vitest";
import { ApiError, ConnectionError } from "../src/api-error.ts";
import { createFairGate, type FairGate } from "../src/fair-gate.ts";
import { pacedApi } from "../src/paced-api.ts";
import { RESOURCES } from "../src/resources.ts";
import { FakeApi } from "../src/testing/fake-api.ts";
import { createFakeClock, type FakeClock } from "../src/testing/fake-clock.ts";

let clock: FakeClock;
let gate: FairGate;
let abort: AbortController;
let told: string[];
/** Keys of the tasks that run or have run, in the order of their start, and what ends the first that runs. */
let started: string[];
let ends: (() => void)[];

beforeEach(() => {
  clock = createFakeClock();
  abort = new AbortController();
  [told, started, ends] = [[], [], []];
  const metrics = {
    limit: (limit: number) => void told.push(`limit ${limit}`),
    slowed: (cause: string) => void told.push(cause),
  };
  gate = createFairGate({ clock, start: 2, most: 4, metrics });
});

function ask(key: string, count = 1): Promise<void>[] {
  return Array.from({ length: count }, () =>
    gate.run(key, abort.signal, async () => {
      started.push(key);
      await new Promise<void>((resolve) => ends.push(resolve));
    }),
  );
}

async function end(count = 1): Promise<void> {
  for (const one of ends.splice(0, count)) one();
  await clock.advance(0);
}

describe("taking turns", () => {
  test("a key with 10,000 tasks waiting lets another one's single task pass after one of its own", async () => {
    void ask("big", 10_000);
    void ask("small");
    await clock.advance(0);
    expect(started).toEqual(["big", "big"]);
    await end();
    await end();
    expect(started.slice(2)).toEqual(["big", "small"]);
  });

  test("each key gets one slot a round, in the order in which they came; a key's own tasks keep their order", async () => {
    const order: string[] = [];
    const task = (name: string) => gate.run(name[0] ?? "", abort.signal, async () => void order.push(name));
    void ask("first", 2);
    const all = ["a1", "a2", "a3", "b1", "c1", "c2"].map(task);
    await clock.advance(0);
    await end(2);
    await Promise.all(all);
    expect(order).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
  });

  test("a task that fails gives its slot back, and its caller hears of it", async () => {
    const fail = gate.run("a", abort.signal, () => Promise.reject(new Error("no")));
    await expect(fail).rejects.toThrow("no");
    void ask("a", 2);
    await clock.advance(0);
    expect(started).toHaveLength(2);
  });
});

test("is busy while a task runs or waits, also in a pause, and not when the last has left", async () => {
  expect(gate.busy).toBe(false);
  void ask("a", 3);
  await clock.advance(0);
  expect(gate.busy).toBe(true);
  gate.answered({ sentAt: clock.now(), overload: { retryAfterMs: 5_000 } });
  await end(2);
  expect([started.length, gate.busy]).toEqual([2, true]);
  abort.abort();
  await clock.advance(0);
  expect(gate.busy).toBe(false);
});

test("no more run at once than the limit, which rises as answers come", async () => {
  void ask("a", 10);
  await clock.advance(0);
  expect(started).toHaveLength(2);
  gate.answered({ sentAt: clock.now() });
  gate.answered({ sentAt: clock.now() });
  await clock.advance(0);
  expect(started).toHaveLength(3);
  expect(told).toEqual(["limit 2", "limit 3"]);
});

test("after an overload nothing starts until the pause is over, then half as many", async () => {
  const all = ask("a", 6);
  await clock.advance(0);
  gate.answered({ sentAt: clock.now(), overload: { retryAfterMs: 5_000 } });
  await end(2);
  await clock.advance(4_999);
  expect(started).toHaveLength(2);
  await clock.advance(1);
  expect(started).toHaveLength(3);
  expect(told).toEqual(["limit 2", "overload", "limit 1"]);
  for (let i = 0; i < 4; i++) await end();
  await Promise.all(all);
  expect(clock.pending).toBe(0);
});

test("a clock that is set back by an hour in a pause does not make the pause an hour longer", async () => {
  let back = 0;
  const turned = { ...clock, now: () => clock.now() - back };
  gate = createFairGate({ clock: turned, start: 2, most: 4 });
  gate.answered({ sentAt: turned.now(), overload: { retryAfterMs: 5_000 } });
  void ask("a");
  back = 3_600_000;
  await clock.advance(5_000);
  expect(started).toEqual(["a"]);
});

test("once it is told to stop, what runs is finished and what waits is dropped, also in a pause", async () => {
  const all = ask("a", 5);
  await clock.advance(0);
  gate.answered({ sentAt: clock.now(), overload: { retryAfterMs: 5_000 } });
  abort.abort();
  await end(2);
  await Promise.all(all);
  await gate.run("b", abort.signal, async () => void started.push("b"));
  expect(started).toEqual(["a", "a"]);
  expect(clock.pending).toBe(0);
});

describe("an Api that teaches a gate", () => {
  const pod = { metadata: { name: "web-0", namespace: "shop" } };
  const at = { namespace: "shop" };
  const patch = { type: "merge", body: {} } as const;
  const learnt = async (error?: Error, verb: "patch" | "get" = "patch"): Promise<unknown[]> => {
    const answers: unknown[] = [];
    const inner = new FakeApi({ clock });
    inner.seed(RESOURCES.pods, pod);
    if (error) inner.faults.failNext({ verb }, error);
    const api = pacedApi(inner, { answered: ({ overload }) => void answers.push(overload) }, clock);
    const call =
      verb === "patch" ? api.patch(RESOURCES.pods, "web-0", patch, at) : api.get(RESOURCES.pods, "web-0", at);
    if (error) await expect(call).rejects.toBe(error);
    else await call;
    return answers;
  };
  const refused = (status: number, retryAfterMs?: number) => new ApiError("patch", status, {}, retryAfterMs);
  const unanswered = (code: ConstructorParameters<typeof ConnectionError>[2]) =>
    new ConnectionError("patch", "server", code, "no");

  test.each([
    ["an answer", undefined, [undefined]],
    ["429", refused(429, 7_000), [{ retryAfterMs: 7_000 }]],
    ["503", refused(503), [{}]],
    ["504", refused(504), [{}]],
    ["no answer in time", unanswered("KUBE_TIMEOUT"), [{}]],
    ["no connection", unanswered("KUBE_UNREACHABLE"), [{}]],
    ["a connection that breaks", unanswered("KUBE_CUT"), []],
    ["409", refused(409), []],
    ["500", refused(500), []],
    ["403", refused(403), []],
  ])("%s", async (_, error, expected) => {
    expect(await learnt(error)).toEqual(expected);
  });

  test("the time of a read says nothing of writes, its 429 does", async () => {
    expect(await learnt(undefined, "get")).toEqual([]);
    expect(await learnt(refused(429), "get")).toEqual([{}]);
  });
});

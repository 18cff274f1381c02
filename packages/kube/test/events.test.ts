// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from "vitest";
import { sleep } from "../src/clock.ts";
import { restAfterEvent } from "../src/event-rest.ts";
import { createEventRecorder, type EventRecorder, type EventText } from "../src/events.ts";
import { mergePatch } from "../src/merge-patch.ts";
import { RESOURCES } from "../src/resources.ts";
import { FakeApi } from "../src/testing/fake-api.ts";
import { createFakeClock, type FakeClock } from "../src/testing/fake-clock.ts";

const regarding = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-0", namespace: "shop", uid: "u1", resourceVersion: "7" },
};
const text = { type: "Normal", reason: "HotUpgradeStarted", note: "web-0: v1 → v2", action: "Upgrading" } as const;
const clock = createFakeClock(Date.UTC(2030, 0, 2, 3, 4, 5, 678));

const podOf = (i: number): typeof regarding => ({
  ...regarding,
  metadata: { ...regarding.metadata, name: `web-${i}`, uid: `u${i}` },
});

interface Event {
  metadata: { name: string; namespace: string };
  note: string;
}

async function record(api: FakeApi, ...events: [typeof regarding | { metadata: object }, object][]) {
  const errors: unknown[] = [];
  const recorder = createEventRecorder({
    api,
    component: "hot.dev/controller",
    clock,
    onError: (error) => errors.push(error),
  });
  for (const [object, more] of events) recorder.event(object, { ...text, ...more });
  await recorder.flush();
  return errors;
}

const written = async (api: FakeApi): Promise<Event[]> => (await api.list<Event>(RESOURCES.eventsV1)).items;

describe("event recorder", () => {
  test("writes events.k8s.io/v1 with all that the server demands", async () => {
    const api = new FakeApi();
    expect(await record(api, [regarding, {}])).toEqual([]);
    expect(await written(api)).toEqual([
      expect.objectContaining({
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        eventTime: "2030-01-02T03:04:05.678000Z",
        reportingController: "hot.dev/controller",
        reportingInstance: "hot.dev/controller",
        type: "Normal",
        reason: "HotUpgradeStarted",
        action: "Upgrading",
        note: "web-0: v1 → v2",
        regarding: {
          apiVersion: "v1",
          kind: "Pod",
          name: "web-0",
          namespace: "shop",
          uid: "u1",
          resourceVersion: "7",
        },
      }),
    ]);
    expect((await written(api))[0]?.metadata.namespace).toBe("shop");
  });

  test("gives each event a name of its own, and those of objects without namespace the default one", async () => {
    const api = new FakeApi();
    await record(api, [regarding, {}], [regarding, { note: "again" }], [{ metadata: { name: "mesh" } }, {}]);
    const events = await written(api);
    expect(new Set(events.map(({ metadata }) => metadata.name)).size).toBe(3);
    expect(events[2]?.metadata.namespace).toBe("default");
  });

  test("cuts notes and names to what the server accepts, at whole characters", async () => {
    const api = new FakeApi();
    const long = { ...regarding, metadata: { ...regarding.metadata, name: "n".repeat(253) } };
    await record(api, [long, { note: "ü".repeat(600) }]);
    const [event] = await written(api);
    expect(event?.note).toMatch(/^ü+…$/);
    expect(Buffer.byteLength(event?.note ?? "")).toBeLessThanOrEqual(1024);
    expect(Buffer.byteLength(event?.note ?? "")).toBeGreaterThan(1018);
    expect(event?.metadata.name.length).toBeLessThanOrEqual(253);
  });

  test("notes that differ only beyond what is shown are one event", async () => {
    const api = new FakeApi();
    const note = "x".repeat(2_000);
    await record(api, [regarding, { note: `${note}a` }], [regarding, { note: `${note}b` }]);
    expect(await written(api)).toHaveLength(1);
  });

  test.each(["web-", `${"n".repeat(219)}-x`, "", "a.b-c"])("gives a name that is valid for %j", async (name) => {
    const api = new FakeApi();
    await record(api, [{ metadata: { name } }, {}]);
    expect((await written(api))[0]?.metadata.name).toMatch(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    );
  });

  test("never throws: what can't be written is reported and dropped, the next ones are written", async () => {
    const api = new FakeApi();
    api.faults.failNext({ verb: "create" }, new Error("forbidden"));
    expect(await record(api, [regarding, { note: "lost" }], [regarding, { note: "kept" }])).toHaveLength(1);
    expect((await written(api)).map(({ note }) => note)).toEqual(["kept"]);
  });

  test("holds a bounded number of events, the newest, when the server does not answer", async () => {
    const api = new FakeApi();
    const held = api.faults.holdNext({ verb: "create" });
    const recorder = createEventRecorder({ api, component: "c", clock });
    const note = (i: number): string => `event ${i}`;
    for (let i = 0; i < 1500; i++) recorder.event(podOf(i), { ...text, note: note(i) });
    held.release();
    await recorder.flush();
    const notes = new Set((await written(api)).map((one) => one.note));
    expect(notes).toEqual(new Set(Array.from({ length: 1000 }, (_, i) => note(500 + i))));
    // What was dropped was not told: it may be said again.
    recorder.event(podOf(0), { ...text, note: note(0) });
    await recorder.flush();
    expect(await written(api)).toHaveLength(1001);
  });

  test("a warning is written before the good news that waits, and has room when there is too much of that", async () => {
    const api = new FakeApi();
    const order: string[] = [];
    const create: typeof api.create = (resource, body, at) => {
      order.push((body as Event).note);
      return api.create(resource, body, at);
    };
    const recorder = createEventRecorder({ api: { create, patch: api.patch.bind(api) }, component: "c", clock });
    for (let i = 0; i < 1500; i++) recorder.event(podOf(i), text);
    recorder.event(regarding, { ...text, type: "Warning", note: "no takeover" });
    await recorder.flush();
    expect(order).toHaveLength(1001);
    expect(order[0]).toBe("no takeover");
  });
});

describe("what repeats", () => {
  let time: FakeClock;
  let api: FakeApi;
  let recorder: EventRecorder;

  beforeEach(() => {
    time = createFakeClock(Date.UTC(2030, 0, 1));
    api = new FakeApi();
    recorder = createEventRecorder({ api, component: "c", clock: time });
  });

  /** Time passes only after what was recorded before is written. */
  const repeat = async (times: number, everyMs: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      recorder.event(regarding, text);
      await time.advance(everyMs);
    }
  };
  const verbs = (): string[] => api.calls.map(({ verb }) => verb);
  const events = async (): Promise<(Event & { series?: { count: number; lastObservedTime: string } })[]> =>
    (await api.list<Event>(RESOURCES.eventsV1)).items;

  test("is one event with a series: told when it begins, then once a minute, the rest at the end", async () => {
    await repeat(100, 1_000);
    expect(verbs()).toEqual(["create", "patch", "patch"]);
    await recorder.flush();
    expect((await events()).map(({ series }) => series)).toEqual([
      { count: 100, lastObservedTime: "2030-01-01T00:01:39.000000Z" },
    ]);
  });

  test("after six quiet minutes is a new event", async () => {
    await repeat(2, 1_000);
    await time.advance(6 * 60_000);
    await repeat(1, 0);
    expect(verbs()).toEqual(["create", "patch", "create"]);
    expect((await events()).map(({ series }) => series?.count)).toEqual([2, undefined]);
  });

  test("but says something else, or about another object of the same name, is another event", async () => {
    recorder.event(regarding, text);
    recorder.event(regarding, { ...text, note: "web-0: v2 → v3" });
    recorder.event({ ...regarding, metadata: { ...regarding.metadata, uid: "u2" } }, text);
    recorder.event({ ...regarding, metadata: { ...regarding.metadata, resourceVersion: "8" } }, text);
    await recorder.flush();
    expect(await events()).toHaveLength(3);
  });

  test("whose event the server has forgotten, or never taken, becomes a new one", async () => {
    await repeat(1, 0);
    await api.delete(RESOURCES.eventsV1, (await events())[0]?.metadata.name ?? "", { namespace: "shop" });
    await repeat(2, 1_000);
    expect(await events()).toHaveLength(1);
    api.faults.failNext({ verb: "create" }, new Error("no"));
    const other = { ...text, reason: "Other" };
    recorder.event(regarding, other);
    await recorder.flush();
    recorder.event(regarding, other);
    await recorder.flush();
    expect(await events()).toHaveLength(2);
  });

  test("in ever new words does not flood: 25 at once for one object, one in 30 s later; warnings and other objects are not affected", async () => {
    for (let i = 0; i < 500; i++) recorder.event(regarding, { ...text, note: `attempt ${i}` });
    recorder.event({ ...regarding, metadata: { ...regarding.metadata, name: "web-1", uid: "u2" } }, text);
    await recorder.flush();
    expect(await events()).toHaveLength(26);
    recorder.event(regarding, { ...text, type: "Warning", reason: "RolloutStalled" });
    await recorder.flush();
    expect(await events()).toHaveLength(27);
    await time.advance(61_000);
    for (let i = 500; i < 1000; i++) recorder.event(regarding, { ...text, note: `attempt ${i}` });
    await recorder.flush();
    expect(await events()).toHaveLength(29);
  });

  test("a server that does not answer delays the end of the program by a moment only, and a log that throws nothing", async () => {
    const failing = createEventRecorder({
      api,
      component: "c",
      clock: time,
      onError: () => {
        throw new Error("log is full");
      },
    });
    api.faults.failNext({ verb: "create" }, new Error("no"));
    failing.event(regarding, text);
    await failing.flush();
    failing.event(regarding, text);
    await failing.flush();
    expect(await events()).toHaveLength(1);
    const held = api.faults.holdNext({ verb: "create" });
    failing.event(regarding, { ...text, reason: "Held" });
    let flushed = false;
    const flush = failing.flush().then(() => (flushed = true));
    await time.advance(1_999);
    expect(flushed).toBe(false);
    await time.advance(1);
    expect(flushed).toBe(true);
    await flush;
    held.release();
  });
});

describe("giving way", () => {
  /** What an event takes while the server has much to do, in milliseconds. */
  const TOOK = 40;
  let time: FakeClock;
  let busy: boolean;
  /** Notes, each with when it was written. */
  let log: [number, string][];
  let recorder: EventRecorder;
  let begun: number;

  beforeEach(() => {
    time = createFakeClock();
    begun = time.now();
    [busy, log] = [true, []];
    const api = new FakeApi({ clock: time });
    const create: FakeApi["create"] = async (resource, body, options) => {
      log.push([time.now() - begun, (body as Event).note]);
      await sleep(time, TOOK, new AbortController().signal);
      return api.create(resource, body, options);
    };
    recorder = createEventRecorder({ api: { create, patch: api.patch.bind(api) }, component: "c", clock: time });
    recorder.giveWay(() => busy);
  });

  const happened = (count: number, more: Partial<EventText> = {}): void => {
    for (let i = 0; i < count; i++) recorder.event(podOf(i), { ...text, note: `event ${i}`, ...more });
  };
  const times = (): number[] => log.map(([at]) => at);

  test("while more is to be written an event is written at once, then one after ten times what it took", async () => {
    happened(10);
    await time.advance(3 * 11 * TOOK);
    expect(times()).toEqual([0, 11 * TOOK, 2 * 11 * TOOK, 3 * 11 * TOOK]);
  });

  test("once nothing else is to be written, all that waited is written, one after the other", async () => {
    happened(10);
    await time.advance(TOOK);
    busy = false;
    await time.advance(20 * TOOK);
    expect(times()).toEqual([0, ...Array.from({ length: 9 }, (_, i) => (11 + i) * TOOK)]);
  });

  test("a clock that is set back by an hour in a rest does not make the rest an hour longer", async () => {
    let back = 0;
    const turned = { ...time, now: () => time.now() - back };
    const api = new FakeApi({ clock: time });
    const create: FakeApi["create"] = async (resource, body, options) => {
      await sleep(time, TOOK, new AbortController().signal);
      return api.create(resource, body, options);
    };
    recorder = createEventRecorder({ api: { create, patch: api.patch.bind(api) }, component: "c", clock: turned });
    recorder.giveWay(() => true);
    happened(2);
    await time.advance(2 * TOOK);
    back = 3_600_000;
    await time.advance(20 * TOOK);
    expect(await written(api)).toHaveLength(2);
  });

  test("a warning goes before it, in the midst of a rest", async () => {
    happened(3);
    await time.advance(2 * TOOK);
    happened(2, { type: "Warning" });
    await time.advance(2 * TOOK);
    expect(times()).toEqual([0, 2 * TOOK, 3 * TOOK]);
  });

  test("at the end of the program nothing rests, and it waits as long as ever", async () => {
    happened(1000);
    await time.advance(2 * TOOK);
    const flush = recorder.flush();
    await time.advance(2_000);
    await flush;
    const rested = 2 * TOOK;
    expect(log).toHaveLength(1 + 1 + 2_000 / TOOK);
    expect(log[1]?.[0]).toBe(rested);
  });

  test("what waits says when it happened", async () => {
    const api = new FakeApi();
    const patient = createEventRecorder({ api, component: "c", clock: time });
    const held = api.faults.holdNext({ verb: "create" });
    patient.event(podOf(0), text);
    patient.event(podOf(1), text);
    await time.advance(5_000);
    held.release();
    await time.advance(0);
    const { items } = await api.list<Event & { eventTime: string }>(RESOURCES.eventsV1);
    expect(items.map(({ eventTime }) => eventTime)).toEqual(Array(2).fill("2030-01-01T00:00:00.000000Z"));
  });

  test("ends when it is disposed, of two only one", async () => {
    {
      using _ = recorder.giveWay(() => true);
      busy = false;
      happened(2);
      await time.advance(2 * TOOK);
      expect(times()).toEqual([0]);
      await time.advance(11 * TOOK);
      expect(times()).toHaveLength(2);
      await time.advance(60_000);
    }
    log = [];
    happened(2, { reason: "Later" });
    await time.advance(2 * TOOK);
    expect(log).toHaveLength(2);
  });

  test.each([
    [false, 5_000, 0],
    [true, 0, 0],
    [true, 4, 40],
    [true, 99, 990],
    [true, 100, 1_000],
    [true, 65_000, 1_000],
  ])("busy %s, an event that took %d ms: a rest of %d ms", (isBusy, tookMs, rest) => {
    expect(restAfterEvent(isBusy, tookMs)).toBe(rest);
  });
});

describe("merge patch with precondition", () => {
  test("carries the version of the object it was decided on, beside its own metadata", () => {
    expect(mergePatch(regarding, { metadata: { labels: { a: "b" } }, spec: { x: null } })).toEqual({
      type: "merge",
      body: { metadata: { labels: { a: "b" }, resourceVersion: "7" }, spec: { x: null } },
    });
  });

  test("refuses an object that was not read from a server", () => {
    expect(() => mergePatch({ metadata: { name: "web-0" } }, {})).toThrow(/web-0 has no resourceVersion/);
  });

  test("is refused by the server once the object has changed", async () => {
    const api = new FakeApi();
    const pod = api.seed(RESOURCES.pods, { metadata: { name: "web-0", namespace: "shop", labels: {} } });
    const options = { namespace: "shop" };
    const patch = mergePatch(pod, { metadata: { labels: { a: "1" } } });
    await api.patch(RESOURCES.pods, "web-0", patch, options);
    await expect(api.patch(RESOURCES.pods, "web-0", patch, options)).rejects.toMatchObject({ status: 409 });
  });
});

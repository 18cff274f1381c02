// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { createEventRecorder } from "../src/events.ts";
import { mergePatch } from "../src/merge-patch.ts";
import { RESOURCES } from "../src/resources.ts";
import { FakeApi } from "../src/testing/fake-api.ts";

const regarding = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-0", namespace: "shop", uid: "u1", resourceVersion: "7" },
};
const text = { type: "Normal", reason: "HotUpgradeStarted", note: "web-0: v1 → v2", action: "Upgrading" } as const;
const clock = { now: () => Date.UTC(2030, 0, 2, 3, 4, 5, 678) };

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
    await record(api, [regarding, {}], [regarding, {}], [{ metadata: { name: "mesh" } }, {}]);
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

  test("holds a bounded number of events when the server does not answer", async () => {
    const api = new FakeApi();
    const held = api.faults.holdNext({ verb: "create" });
    const recorder = createEventRecorder({ api, component: "c", clock });
    for (let i = 0; i < 1500; i++) recorder.event(regarding, text);
    held.release();
    await recorder.flush();
    expect(await written(api)).toHaveLength(1000);
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

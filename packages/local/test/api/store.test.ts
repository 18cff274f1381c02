// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ApiObject } from "../../src/api/object.ts";
import { StaleWrite, Store, type StoreEvent } from "../../src/api/store.ts";

const object = (name: string, data = ""): ApiObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "n" },
  data,
});
const names = (objects: ApiObject[]): (string | undefined)[] => objects.map(({ metadata }) => metadata.name);

describe("writes", () => {
  test("take one revision each, across collections", () => {
    const store = new Store();
    const first = store.create("/a", object("x"));
    const second = store.create("/b", object("x"));
    expect(Number(second.metadata.resourceVersion)).toBe(Number(first.metadata.resourceVersion) + 1);
    expect(store.revision).toBe(Number(second.metadata.resourceVersion));
  });

  test("based on an older state fail and change nothing", () => {
    const store = new Store();
    const first = store.create("/a", object("x"));
    const second = store.update("/a", object("x", "two"), first);
    expect(() => store.update("/a", object("x", "three"), first)).toThrow(StaleWrite);
    expect(() => store.remove("/a", first)).toThrow(StaleWrite);
    expect(() => store.create("/a", object("x"))).toThrow(StaleWrite);
    expect(store.get("/a", "n/x")).toBe(second);
  });

  test("what is stored cannot be changed from outside", () => {
    const store = new Store();
    const stored = store.create("/a", object("x"));
    expect(() => {
      stored.metadata.name = "y";
    }).toThrow(TypeError);
  });
});

test("lists are ordered by namespace and name", () => {
  const store = new Store();
  for (const name of ["c", "a", "b"]) store.create("/a", object(name));
  expect(names(store.list("/a"))).toEqual(["a", "b", "c"]);
});

describe("history", () => {
  test("reaches as far as it is long, then answers 410", () => {
    const store = new Store(3);
    const start = store.revision;
    for (const name of ["a", "b", "c"]) store.create("/a", object(name));
    expect(store.since(start)).toHaveLength(3);
    store.create("/a", object("d"));
    expect(() => store.since(start)).toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code: 410, reason: "Expired" }) }),
    );
    expect(store.since(start + 1)).toHaveLength(3);
  });

  test("a deletion carries the last state, with its own revision", () => {
    const store = new Store();
    const events: StoreEvent[] = [];
    store.subscribe((event) => events.push(event));
    store.remove("/a", store.create("/a", object("x", "last")));
    expect(events.at(-1)).toMatchObject({
      type: "DELETED",
      revision: store.revision,
      object: { data: "last", metadata: { resourceVersion: String(store.revision) } },
    });
  });
});

/** Any sequence of writes; the number chooses among the objects that exist. */
const writes = fc.array(
  fc.record({ name: fc.constantFrom("a", "b", "c", "d"), action: fc.constantFrom("put", "remove") }),
  { maxLength: 40 },
);

function run(store: Store, steps: { name: string; action: string }[], after: () => void = () => {}): void {
  for (const [index, { name, action }] of steps.entries()) {
    const present = store.get("/a", `n/${name}`);
    if (action === "remove") {
      if (present) store.remove("/a", present);
    } else if (present) store.update("/a", object(name, String(index)), present);
    else store.create("/a", object(name, String(index)));
    after();
  }
}

test("property: a copy that follows the events equals the store", () => {
  fc.assert(
    fc.property(writes, (steps) => {
      const store = new Store();
      const replica = new Map<string, ApiObject>();
      let last = store.revision;
      store.subscribe(({ type, key, object, revision }) => {
        expect(revision).toBe(last + 1);
        last = revision;
        if (type === "DELETED") replica.delete(key);
        else replica.set(key, object);
      });
      run(store, steps);
      expect(
        [...replica.values()].toSorted((a, b) => String(a.metadata.name).localeCompare(String(b.metadata.name))),
      ).toEqual(store.list("/a"));
    }),
  );
});

test("property: the snapshot at any revision is what the list was then", () => {
  fc.assert(
    fc.property(writes, (steps) => {
      const store = new Store();
      const lists = new Map([[store.revision, store.list("/a")]]);
      run(store, steps, () => lists.set(store.revision, store.list("/a")));
      for (const [revision, list] of lists) expect(store.snapshot("/a", revision)).toEqual(list);
    }),
  );
});
